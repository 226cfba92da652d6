use clap::{Args, Subcommand};

/// A remote is a backend with its settings under a name: `name:path` stands for a path on it in every
/// command. Remotes are tables of a TOML file, which --config or OMNI_CONFIG names.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConfigAction {
    /// Print where the file of the remotes is
    Path,
    /// List the remotes
    #[command(visible_alias = "ls")]
    List,
    /// Print the settings of one remote or all; secrets are not shown
    Show {
        /// A remote's name
        name: Option<String>,
    },
    /// Add a remote
    Create {
        /// The new remote's name
        name: String,
        /// A backend's name, as `omni backends` lists them; or encrypt, prefix or read-only, over the
        /// place that remote=PLACE names
        #[arg(value_name = "TYPE")]
        kind: String,
        /// Settings of the backend, such as root=/srv/data
        #[arg(value_name = "KEY=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// Change settings of a remote
    Update {
        /// A remote's name
        name: String,
        /// Settings of the backend
        #[arg(value_name = "KEY=VALUE", required = true, value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// Remove a remote; nothing that is stored is touched
    Delete {
        /// A remote's name
        name: String,
    },
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it must be KEY=VALUE, such as root=/srv/data".to_owned()),
    }
}
