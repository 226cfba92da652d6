use clap::Args;

use super::TransferArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
    /// Delete what the filter excludes from DST
    #[arg(long)]
    pub(crate) delete_excluded: bool,
    /// Fail without deleting anything if more files than this would be deleted
    #[arg(long, value_name = "N")]
    pub(crate) max_delete: Option<u64>,
    /// Delete even if something failed before
    #[arg(long)]
    pub(crate) ignore_errors: bool,
    /// Delete even if the source has no files at all
    #[arg(long)]
    pub(crate) allow_empty_source: bool,
}
