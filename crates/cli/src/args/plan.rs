use clap::{Args, ValueEnum};
use omnistorage::sync::SyncError;

use super::backup::BackupArgs;
use super::deletion::DoomedArgs;
use super::limits::LimitArgs;
use super::{ChoiceArgs, FilesArgs, FsyncArg, VerifyArg};

// What is about how a plan is done is for `apply`, and what only a run can do is for neither.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlanArgs {
    /// What the plan is for
    #[arg(long = "for", value_enum, value_name = "VERB", default_value_t = PlannedVerb::Sync)]
    pub(crate) verb: PlannedVerb,
    /// Where to write the plan: a path or URI; - for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: String,
    /// Tries of each request of a listing or comparison
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) low_level_retries: u32,
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,
    /// Delete what the filter excludes from DST
    #[arg(long, help_heading = "Deletion")]
    pub(crate) delete_excluded: bool,
    #[command(flatten)]
    pub(crate) doomed: DoomedArgs,
}

impl PlanArgs {
    /// Refuses what this plan cannot have.
    pub(crate) fn check(&self) -> Result<(), SyncError> {
        let is_sync = self.verb == PlannedVerb::Sync;
        let only_a_sync = "only a sync deletes or renames at DST";
        let (option, reason) = if self.choice.compare.files.metadata {
            ("metadata", "it decides nothing; give it to `omni apply`")
        } else if self.delete_excluded && !is_sync {
            ("delete_excluded", only_a_sync)
        } else if self.doomed.tracks_renames() && !is_sync {
            ("track_renames", only_a_sync)
        } else {
            return Ok(());
        };
        let reason = reason.into();
        Err(SyncError::Option { option, reason })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlannedVerb {
    Sync,
    Copy,
    Move,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ApplyArgs {
    /// The plan: a path or URI
    #[arg(value_name = "PLAN")]
    pub(crate) plan: String,
    /// Print what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Ask before each change
    #[arg(short, long, conflicts_with = "dry_run")]
    pub(crate) interactive: bool,
    /// Refuse a plan that deletes more files than this
    #[arg(long, value_name = "N")]
    pub(crate) max_delete: Option<u64>,
    /// Delete even if something failed before
    #[arg(long)]
    pub(crate) ignore_errors: bool,
    /// Files transferred at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) transfers: u16,
    /// How to verify each transfer
    #[arg(long, value_enum, default_value_t = VerifyArg::Hash)]
    pub(crate) verify: VerifyArg,
    /// When what was written is made durable
    #[arg(long, value_enum, default_value_t = FsyncArg::End)]
    pub(crate) fsync: FsyncArg,
    /// Tries for each file before it counts as failed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) retries: u32,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) backup: BackupArgs,
}
