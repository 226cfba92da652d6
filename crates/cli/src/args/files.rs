use clap::Args;

// What local files are to every command that transfers or compares them.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct FilesArgs {
    /// Keep symbolic links as links; stores without links get files named *.rclonelink
    #[arg(short, long, conflicts_with = "copy_links")]
    pub(crate) links: bool,
}
