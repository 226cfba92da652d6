use clap::{Args, ValueEnum};
use omnistorage::sync::Keep;

use super::FilterArgs;

/// Files of one size are compared by a hash that the store keeps, else by reading them. What is
/// deleted is, at that moment, still what was compared, and so is the file that stays.
#[derive(Debug, Clone, Args)]
pub(crate) struct DedupeArgs {
    /// A path or URI
    pub(crate) path: String,
    /// Which of the files with one content stays
    #[arg(long, value_enum, value_name = "MODE", default_value_t = DedupeMode::List)]
    pub(crate) dedupe_mode: DedupeMode,
    /// Find duplicates by content, which is all that there is
    #[arg(long, hide = true)]
    pub(crate) by_hash: bool,
    /// Print what would be deleted, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Ask before each deletion
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Compare the bytes as well before deleting
    #[arg(long)]
    pub(crate) download: bool,
    /// Files hashed at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) checkers: u16,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// Which file stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DedupeMode {
    /// All: duplicates are listed
    #[value(alias = "skip")]
    List,
    /// The first in order of the paths
    #[value(alias = "largest", alias = "smallest")]
    First,
    /// The one modified last
    Newest,
    /// The one modified first
    Oldest,
}

impl From<DedupeMode> for Keep {
    fn from(mode: DedupeMode) -> Self {
        match mode {
            DedupeMode::List => Self::All,
            DedupeMode::First => Self::First,
            DedupeMode::Newest => Self::Newest,
            DedupeMode::Oldest => Self::Oldest,
        }
    }
}
