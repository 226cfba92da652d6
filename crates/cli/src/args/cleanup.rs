use std::time::Duration;

use clap::Args;

use super::value::duration;

#[derive(Debug, Clone, Args)]
pub(crate) struct CleanupArgs {
    /// A URI or remote of an object store, such as s3://bucket/prefix
    pub(crate) path: String,
    /// Leave uploads alone that were begun more recently: they may still be written
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = duration)]
    pub(crate) min_age: Duration,
    /// Print what would be aborted, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}
