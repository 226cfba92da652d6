use clap::Args;

use super::TransferArgs;
use super::deletion::DeletionArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
    /// Delete what the filter excludes from DST
    #[arg(long, help_heading = "Deletion")]
    pub(crate) delete_excluded: bool,
    #[command(flatten)]
    pub(crate) deletion: DeletionArgs,
}
