use clap::Args;
use omnistorage::HashType;

use super::FilterArgs;
use super::value::hash_type;

/// One line a file, as md5sum, sha256sum and b3sum write it; `omni verify` reads it back.
#[derive(Debug, Clone, Args)]
pub(crate) struct HashArgs {
    /// md5, sha1, sha256, crc32c or blake3
    #[arg(value_name = "HASH", value_parser = hash_type)]
    pub(crate) hash: HashType,
    /// A path or URI
    #[arg(default_value = ".")]
    pub(crate) path: String,
    /// Write lines such as `MD5 (name) = digest`
    #[arg(long)]
    pub(crate) tag: bool,
    /// Write the lines to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output_file: Option<String>,
    /// Read every file, also where the store keeps its digest
    #[arg(long)]
    pub(crate) download: bool,
    /// Files read at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) checkers: u16,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}
