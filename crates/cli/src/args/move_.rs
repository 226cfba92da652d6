use clap::Args;

use super::TransferArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct MoveArgs {
    /// Remove directories of the source that are empty afterwards
    #[arg(long)]
    pub(crate) delete_empty_src_dirs: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
}
