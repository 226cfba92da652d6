use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct TreeArgs {
    /// A path or URI
    #[arg(default_value = ".")]
    pub(crate) path: String,
    /// Levels to show
    #[arg(long, value_name = "N")]
    pub(crate) max_depth: Option<usize>,
}
