use clap::Args;

use super::FilterArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct SizeArgs {
    /// A path or URI
    #[arg(default_value = ".")]
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}
