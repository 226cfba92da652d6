use clap::Args;

use super::layers::{CompressArg, compress};

#[derive(Debug, Clone, Args)]
pub(crate) struct PutArgs {
    /// A path or URI
    pub(crate) path: String,
    /// Fail if the object exists
    #[arg(long, conflicts_with = "append")]
    pub(crate) immutable: bool,
    /// Add to the end of the object
    #[arg(long)]
    pub(crate) append: bool,
    /// Compress: gzip, zstd or snappy, with a level as in zstd:19, or auto for what the name says
    #[arg(long, value_name = "NAME[:LEVEL]", value_parser = compress)]
    pub(crate) compress: Option<CompressArg>,
    /// With --append: also bytes that do not go on in the compression of those that are there
    #[arg(long, requires = "append")]
    pub(crate) raw: bool,
    /// Media type to store with the object
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
    /// Fail unless the input has exactly this many bytes
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u64>,
}
