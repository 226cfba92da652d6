use clap::Args;
use omnistorage::compression::{Compression, Level};

use super::layers::{CompressArg, compress};
use crate::renaming::Step;

// What becomes of files on their way.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "On the way")]
pub(crate) struct RecodeArgs {
    /// Compress files that are not, and add the extension: gzip, zstd or snappy, as in zstd:19
    #[arg(long, value_name = "NAME[:LEVEL]", value_parser = named, conflicts_with = "decompress")]
    pub(crate) compress: Option<(Compression, Level)>,
    /// Decompress files whose names end with .gz, .zst or .sz, and take the extension off
    #[arg(long)]
    pub(crate) decompress: bool,
    /// Change the names of files: prefix=, suffix=, replace=OLD:NEW, regex=PATTERN/NEW, lowercase and
    /// more; after dir, or all, also of directories; may be given again
    #[arg(long, value_name = "[TAG,]CHANGE", value_parser = Step::parse, conflicts_with_all = ["compress", "decompress"])]
    pub(crate) name_transform: Vec<Step>,
}

impl RecodeArgs {
    /// Whether anything changes on the way.
    pub(crate) const fn is_set(&self) -> bool {
        self.compress.is_some() || self.decompress || !self.name_transform.is_empty()
    }
}

fn named(text: &str) -> Result<(Compression, Level), String> {
    match compress(text)? {
        CompressArg::Named(compression, level) => Ok((compression, level)),
        CompressArg::Auto => Err("files of a tree are not named yet; say which".to_owned()),
    }
}
