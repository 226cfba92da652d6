use std::time::Duration;

use clap::Args;

use super::value::duration;
use super::{FilesArgs, FilterArgs, RecodeArgs};

// What all commands that compare two trees take.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompareArgs {
    /// Source: a path or URI
    #[arg(value_name = "SRC")]
    pub(crate) source: String,
    /// Destination: a path or URI
    #[arg(value_name = "DST")]
    pub(crate) destination: String,
    /// Follow symbolic links instead of leaving them out; one that leads outside SRC fails
    #[arg(short = 'L', long, conflicts_with = "links")]
    pub(crate) copy_links: bool,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    /// Compare by size alone, also with --checksum
    #[arg(long)]
    pub(crate) size_only: bool,
    /// Compare by size and hash, reading files that have no stored hash
    #[arg(short, long)]
    pub(crate) checksum: bool,
    /// Take files of different sizes for the same if all else is
    #[arg(long, conflicts_with = "size_only")]
    pub(crate) ignore_size: bool,
    /// Take modified times that differ by at most this as equal [default: what both sides can hold]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) modify_window: Option<Duration>,
    /// Files compared at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) checkers: u16,
    #[command(flatten)]
    pub(crate) recode: RecodeArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}
