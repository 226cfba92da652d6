use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct PathsArgs {
    /// Paths or URIs
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
}
