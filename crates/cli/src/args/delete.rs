use clap::Args;

use super::FilterArgs;

/// Directories stay, unless --rmdirs removes the empty ones; `omni purge` deletes a directory with
/// all it holds.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeleteArgs {
    /// A path or URI
    pub(crate) path: String,
    /// Print what would be deleted, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Remove directories that are empty afterwards, but for PATH itself
    #[arg(long)]
    pub(crate) rmdirs: bool,
    /// Fail without deleting anything if more files than this would be deleted
    #[arg(long, value_name = "N")]
    pub(crate) max_delete: Option<u64>,
    /// Files deleted at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) transfers: u16,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RmdirsArgs {
    /// A path or URI
    pub(crate) path: String,
    /// Keep PATH itself, even if it is empty
    #[arg(long)]
    pub(crate) leave_root: bool,
}
