use std::time::Duration;

use clap::{Args, ValueEnum};
use omnistorage::sync::{Comparison, Prefer};

use super::value::duration;
use super::{FilesArgs, FilterArgs, VerifyArg};

/// The first run needs --resync, which brings both sides together and deletes nothing. Later runs
/// compare both sides with what the last one has left. Whatever looks like an accident changes
/// nothing: an empty side, many deletions, a lost or foreign state, another run at the same time.
#[derive(Debug, Clone, Args)]
pub(crate) struct BisyncArgs {
    /// One side: a path or URI
    pub(crate) path1: String,
    /// The other side
    pub(crate) path2: String,
    /// Begin anew, preferring PATH1 where both sides differ
    #[arg(short = '1', long)]
    pub(crate) resync: bool,
    /// Begin anew, preferring this version where both sides differ; the other one is replaced
    #[arg(long, value_enum, value_name = "WHICH")]
    pub(crate) resync_mode: Option<PreferArg>,
    /// Which version wins when both sides have changed a file
    #[arg(long, value_enum, value_name = "HOW", default_value_t = ResolveArg::None)]
    pub(crate) conflict_resolve: ResolveArg,
    /// What becomes of the version that does not win
    #[arg(long, value_enum, value_name = "HOW", default_value_t = LoserArg::Num)]
    pub(crate) conflict_loser: LoserArg,
    /// Suffix of versions that are kept, or one for PATH1 and one for PATH2 with a comma between
    #[arg(long, value_name = "SUFFIX", default_value = "conflict", value_parser = suffixes)]
    pub(crate) conflict_suffix: Suffixes,
    /// Put the suffix before the extension
    #[arg(long)]
    pub(crate) suffix_keep_extension: bool,
    /// Keep what is replaced or deleted on PATH1 here: a path or URI outside of both sides
    #[arg(long, value_name = "DIR")]
    pub(crate) backup_dir1: Option<String>,
    /// Keep what is replaced or deleted on PATH2 here
    #[arg(long, value_name = "DIR")]
    pub(crate) backup_dir2: Option<String>,
    /// Change nothing if one side has lost more than this share of its files, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) max_delete: u8,
    /// Go on even if more is gone, or all of one side
    #[arg(long)]
    pub(crate) force: bool,
    /// Change nothing unless both sides have check files, at the same paths
    #[arg(long)]
    pub(crate) check_access: bool,
    /// Name of the check files
    #[arg(long, value_name = "NAME", default_value = "RCLONE_TEST")]
    pub(crate) check_filename: String,
    /// Where the states of all pairs are kept: a path or URI [default: omni/bisync where the system
    /// keeps the state of programs]
    #[arg(long, value_name = "DIR")]
    pub(crate) workdir: Option<String>,
    /// How long the lock of a run that nobody hears of any more holds others off
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub(crate) max_lock: Duration,
    /// What tells a change: size; size,modtime; or size,checksum
    #[arg(long, value_name = "WHAT", default_value = "size,modtime", value_parser = comparison)]
    pub(crate) compare: Comparison,
    /// The same as --compare size,checksum
    #[arg(short, long, conflicts_with = "compare")]
    pub(crate) checksum: bool,
    /// The same as --compare size
    #[arg(long, conflicts_with_all = ["compare", "checksum"])]
    pub(crate) size_only: bool,
    /// Take modified times that differ by less as equal [default: what each side can hold]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) modify_window: Option<Duration>,
    /// Print what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Delete even if something failed before
    #[arg(long)]
    pub(crate) ignore_errors: bool,
    /// Create and remove directories as on the other side, also empty ones
    #[arg(long)]
    pub(crate) create_empty_src_dirs: bool,
    /// After a run without errors, remove all empty directories on both sides
    #[arg(long, conflicts_with_all = ["create_empty_src_dirs", "dry_run"])]
    pub(crate) remove_empty_dirs: bool,
    /// Files transferred at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) transfers: u16,
    /// Files compared at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) checkers: u16,
    /// How to verify each transfer
    #[arg(long, value_enum, default_value_t = VerifyArg::Hash)]
    pub(crate) verify: VerifyArg,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    /// Tries for each file before it counts as failed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) retries: u32,
    /// Every run recovers from one that broke off: these are for rclone's users
    #[arg(long, hide = true)]
    pub(crate) recover: bool,
    #[arg(long, hide = true)]
    pub(crate) resilient: bool,
    /// The same as --filter-from, as rclone calls it for this command
    #[arg(long, value_name = "FILE", help_heading = "Which files")]
    pub(crate) filters_file: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// A version to prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PreferArg {
    Path1,
    Path2,
    Newer,
    Older,
    Larger,
    Smaller,
}

/// How to resolve conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResolveArg {
    /// None: both are kept under other names
    None,
    Path1,
    Path2,
    Newer,
    Older,
    Larger,
    Smaller,
    /// Leave both as they are, and end with exit code 1
    Skip,
    /// Leave both as they are, as an error
    Error,
}

/// What becomes of a loser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoserArg {
    /// It is kept with the suffix and the first free number
    Num,
    /// It is kept with the suffix and the number of its side
    Pathname,
    /// It is replaced, where there is a winner
    Delete,
}

/// A suffix for each side.
#[derive(Debug, Clone)]
pub(crate) struct Suffixes(pub(crate) [String; 2]);

impl From<PreferArg> for Prefer {
    fn from(prefer: PreferArg) -> Self {
        match prefer {
            PreferArg::Path1 => Self::Path1,
            PreferArg::Path2 => Self::Path2,
            PreferArg::Newer => Self::Newer,
            PreferArg::Older => Self::Older,
            PreferArg::Larger => Self::Larger,
            PreferArg::Smaller => Self::Smaller,
        }
    }
}

fn suffixes(text: &str) -> Result<Suffixes, String> {
    let (first, second) = text.split_once(',').unwrap_or((text, text));
    let good = |suffix: &str| !suffix.is_empty() && !suffix.contains(['/', ',', '\0']);
    if !good(first) || !good(second) {
        return Err("one suffix is needed, or two with a comma between, without `/`".to_owned());
    }
    Ok(Suffixes([first.to_owned(), second.to_owned()]))
}

fn comparison(text: &str) -> Result<Comparison, String> {
    let mut words: Vec<_> = text.split(',').map(str::trim).collect();
    words.sort_unstable();
    match words[..] {
        ["size"] => Ok(Comparison::SizeOnly),
        ["modtime", "size"] => Ok(Comparison::SizeAndTime),
        ["checksum"] | ["checksum", "size"] => Ok(Comparison::Checksum),
        _ => Err("it must be size; size,modtime; or size,checksum".to_owned()),
    }
}
