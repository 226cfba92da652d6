use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON object a line; the last one is a summary
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say what is done to each file; twice: also what is left alone
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show progress even if standard error is not a terminal
    #[arg(short = 'P', long, global = true, conflicts_with = "quiet")]
    pub(crate) progress: bool,
}
