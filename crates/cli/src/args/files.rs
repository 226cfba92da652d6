use clap::Args;

// What local files are to every command that transfers or compares them.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct FilesArgs {
    /// Keep symbolic links as links; stores without links get files named *.rclonelink
    #[arg(short, long)]
    pub(crate) links: bool,
    /// Keep mode, owner, times and extended attributes of files that are sent, on any store that has
    /// metadata
    #[arg(short = 'M', long)]
    pub(crate) metadata: bool,
}
