use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::duration;

const HEADING: &str = "In every command";

#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON object a line; the last one is a summary
    #[arg(long, global = true, help_heading = HEADING)]
    pub(crate) json: bool,
    /// Say what is done to each file; twice: also what is left alone
    #[arg(short, long, global = true, help_heading = HEADING, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true, help_heading = HEADING, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show progress even if standard error is not a terminal
    #[arg(short = 'P', long, global = true, help_heading = HEADING, conflicts_with = "quiet")]
    pub(crate) progress: bool,
    /// Print a line of figures this often while a run goes on, such as 30s
    #[arg(long, global = true, help_heading = HEADING, value_name = "DURATION", value_parser = duration)]
    pub(crate) stats: Option<Duration>,
    /// The file of the named remotes [default: omni/config.toml in the user's configuration folder]
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Append messages to FILE, with time and level, instead of printing them
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}
