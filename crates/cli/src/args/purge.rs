use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct PurgeArgs {
    /// A path or URI
    pub(crate) path: String,
    /// Print what would be deleted, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}
