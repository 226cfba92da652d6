use clap::Args;

use super::FilterArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct LsArgs {
    /// A path or URI
    #[arg(default_value = ".")]
    pub(crate) path: String,
    /// List everything below
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
    /// Show size in bytes and modified time
    #[arg(short, long)]
    pub(crate) long: bool,
    /// List files only
    #[arg(long)]
    pub(crate) files_only: bool,
    /// List only names that match, such as '*.csv'
    #[arg(long, value_name = "PATTERN")]
    pub(crate) glob: Option<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}
