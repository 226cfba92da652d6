use clap::Args;
use omnistorage::compression::{Compression, Level};

use super::layers::{CompressArg, compress};

// What becomes of files on their way.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "On the way")]
pub(crate) struct RecodeArgs {
    /// Compress files that are not, and add the extension: gzip, zstd or snappy, as in zstd:19
    #[arg(long, value_name = "NAME[:LEVEL]", value_parser = named, conflicts_with = "decompress")]
    pub(crate) compress: Option<(Compression, Level)>,
    /// Decompress files whose names end with .gz, .zst or .sz, and take the extension off
    #[arg(long)]
    pub(crate) decompress: bool,
}

impl RecodeArgs {
    /// Whether anything changes on the way.
    pub(crate) const fn is_set(&self) -> bool {
        self.compress.is_some() || self.decompress
    }
}

fn named(text: &str) -> Result<(Compression, Level), String> {
    match compress(text)? {
        CompressArg::Named(compression, level) => Ok((compression, level)),
        CompressArg::Auto => Err("files of a tree are not named yet; say which".to_owned()),
    }
}
