use clap::{Args, ValueEnum};
use omnistorage::sync::{Fsync, Verify};

use super::backup::BackupArgs;
use super::limits::LimitArgs;
use super::{CompareArgs, ReportArgs};

#[derive(Debug, Clone, Args)]
pub(crate) struct TransferArgs {
    /// Print what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Ask before each change
    #[arg(short, long, conflicts_with = "dry_run")]
    pub(crate) interactive: bool,
    /// Copy from DIR what it has as the source has it, instead of sending it; may be given again
    #[arg(long, value_name = "DIR", conflicts_with = "compare_dest")]
    pub(crate) copy_dest: Vec<String>,
    /// Files transferred at the same time [default: 8, or 32 over a network]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) transfers: Option<u16>,
    /// How to verify each transfer
    #[arg(long, value_enum, default_value_t = VerifyArg::Hash)]
    pub(crate) verify: VerifyArg,
    /// When what was written is made durable
    #[arg(long, value_enum, default_value_t = FsyncArg::End)]
    pub(crate) fsync: FsyncArg,
    /// Tries for each file before it counts as failed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) retries: u32,
    /// End with exit code 9 if nothing had to be transferred
    #[arg(long)]
    pub(crate) error_on_no_transfer: bool,
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) backup: BackupArgs,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
}

// What decides which files are transferred.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChoiceArgs {
    /// Transfer everything, whatever the comparison says
    #[arg(short = 'I', long, conflicts_with_all = ["size_only", "checksum"])]
    pub(crate) ignore_times: bool,
    /// Do not correct the modified time of a file whose content is the same
    #[arg(long)]
    pub(crate) no_update_modtime: bool,
    /// Leave the modified times of directories alone
    #[arg(long)]
    pub(crate) no_update_dir_modtime: bool,
    /// Transfer nothing that DIR has as the source has it; a path or URI, may be given again
    #[arg(long, value_name = "DIR")]
    pub(crate) compare_dest: Vec<String>,
    /// Leave files alone that are newer at the destination
    #[arg(short, long, conflicts_with = "ignore_times")]
    pub(crate) update: bool,
    /// Leave files alone that exist at the destination
    #[arg(long)]
    pub(crate) ignore_existing: bool,
    /// Create nothing new at the destination, only update
    #[arg(long, conflicts_with = "ignore_existing")]
    pub(crate) existing: bool,
    /// Treat a file that differs at the destination as an error
    #[arg(long)]
    pub(crate) immutable: bool,
    /// Create empty directories of the source at the destination
    #[arg(long)]
    pub(crate) create_empty_src_dirs: bool,
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
}

/// How a transfer is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyArg {
    /// The number of bytes
    Size,
    /// A hash of what was read against one of what the destination received
    Hash,
    /// The same, and the destination is read back
    ReadBack,
}

/// When writes are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FsyncArg {
    /// Never asked for
    None,
    /// Once, before the command says it is done
    End,
    /// With every file
    Each,
}

impl From<VerifyArg> for Verify {
    fn from(arg: VerifyArg) -> Self {
        match arg {
            VerifyArg::Size => Self::Size,
            VerifyArg::Hash => Self::Hash,
            VerifyArg::ReadBack => Self::ReadBack,
        }
    }
}

impl From<FsyncArg> for Fsync {
    fn from(arg: FsyncArg) -> Self {
        match arg {
            FsyncArg::None => Self::None,
            FsyncArg::End => Self::End,
            FsyncArg::Each => Self::Each,
        }
    }
}
