use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// To use them in bash, for one: omni completions bash > ~/.local/share/bash-completion/completions/omni
#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ManArgs {
    /// A command [default: the page of omni itself]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    pub(crate) verb: Option<String>,
    /// Write the pages of all commands into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
