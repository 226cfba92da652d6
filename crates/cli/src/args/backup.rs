use clap::Args;
use omnistorage::sync::Options;

const HEADING: &str = "Backups";

/// Where replaced and deleted files are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct BackupArgs {
    /// Move files here that would be replaced or deleted at DST: a path or URI outside of both trees
    #[arg(help_heading = HEADING, long, value_name = "DIR")]
    pub(crate) backup_dir: Option<String>,
    /// Add this to the names of files that are kept, in the backup directory or beside the new ones
    #[arg(help_heading = HEADING, long, value_name = "TEXT", allow_hyphen_values = true)]
    suffix: Option<String>,
    /// Add it before the extension
    #[arg(help_heading = HEADING, long, requires = "suffix")]
    suffix_keep_extension: bool,
}

impl BackupArgs {
    pub(crate) fn apply(&self, options: Options) -> Options {
        options
            .suffix(self.suffix.clone())
            .suffix_keep_extension(self.suffix_keep_extension)
    }
}
