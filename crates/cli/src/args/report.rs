use clap::Args;

/// Where a report goes: a file, or standard output.
const STDOUT: &str = "FILE|-";

// The reports of all commands that compare.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReportArgs {
    /// Write every path after a mark: = same, * different, + missing on DST, - missing on SRC, ! error
    #[arg(long, value_name = STDOUT, help_heading = "Reports")]
    pub(crate) combined: Option<String>,
    /// Write the paths that are the same
    #[arg(long = "match", value_name = STDOUT, help_heading = "Reports")]
    pub(crate) matching: Option<String>,
    /// Write the paths that differ
    #[arg(long, value_name = STDOUT, help_heading = "Reports")]
    pub(crate) differ: Option<String>,
    /// Write the paths that only DST has
    #[arg(long, value_name = STDOUT, help_heading = "Reports")]
    pub(crate) missing_on_src: Option<String>,
    /// Write the paths that only SRC has
    #[arg(long, value_name = STDOUT, help_heading = "Reports")]
    pub(crate) missing_on_dst: Option<String>,
    /// Write the paths that could not be compared
    #[arg(long, value_name = STDOUT, help_heading = "Reports")]
    pub(crate) error: Option<String>,
}

impl ReportArgs {
    /// Whether any is asked for.
    pub(crate) const fn is_any(&self) -> bool {
        let one_side = self.missing_on_src.is_some() || self.missing_on_dst.is_some();
        let both = self.matching.is_some() || self.differ.is_some();
        self.combined.is_some() || one_side || both || self.error.is_some()
    }
}
