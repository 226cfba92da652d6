use clap::Args;

use super::CompareArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
    /// Compare the contents byte by byte
    #[arg(long, conflicts_with_all = ["size_only", "checksum"])]
    pub(crate) download: bool,
    /// Ignore files that only the destination has
    #[arg(long)]
    pub(crate) one_way: bool,
}
