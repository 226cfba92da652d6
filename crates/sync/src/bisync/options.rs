use std::time::Duration;

use storage_filter::Filter;

use super::print::{hex, token};
use crate::{Options, SyncError, Tree};

/// Which version of an object goes to both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefer {
    /// The first tree's.
    #[default]
    Path1,
    /// The second tree's.
    Path2,
    /// The one modified last.
    Newer,
    /// The one modified first.
    Older,
    /// The one with more bytes.
    Larger,
    /// The one with fewer bytes.
    Smaller,
}

/// What to do when both sides have changed an object, and not to the same content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resolve {
    /// Keep both versions under new names, on both sides.
    #[default]
    KeepBoth,
    /// One version wins; [`Loser`] says what becomes of the other. Where the two cannot be told
    /// apart by the preference, as with equal sizes, both are kept.
    Winner(Prefer),
    /// Leave both as they are until somebody makes them equal; count it as a difference.
    Skip,
    /// Leave both as they are; a failure of that object.
    Error,
}

/// What becomes of the version that lost a conflict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loser {
    /// It is kept under the first free name `NAME.conflict1`, `NAME.conflict2`, and so on.
    #[default]
    Number,
    /// It is kept under the number of its side, `NAME.conflict1` for the first, `NAME.conflict2` for
    /// the second; if that name is taken, under the first free one.
    Path,
    /// It is replaced.
    Delete,
}

/// How a [`Bisync`](super::Bisync) goes about it.
///
/// ```
/// use storage_sync::{BisyncOptions, Prefer, Resolve};
///
/// let mut options = BisyncOptions::default();
/// options.resolve = Resolve::Winner(Prefer::Newer);
/// options.max_delete = 10;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BisyncOptions {
    /// What this has in common with the other jobs: `filter`, which goes by paths alone, `transfers`, `checkers`, `comparison`,
    /// `modify_window`, `verify`, `ignore_errors`, `dry_run`, `tries`, `request_tries`, `retry_pause`,
    /// `bandwidth`, `bandwidth_per_file`, `create_empty_dirs` and `page_size`. Any other that is set is
    /// refused.
    pub common: Options,
    /// Begin anew: no state is read, nothing is deleted, and where both sides have different
    /// versions this one goes to both. What it replaces is gone.
    pub resync: Option<Prefer>,
    /// What to do about conflicts.
    pub resolve: Resolve,
    /// What becomes of the loser.
    pub loser: Loser,
    /// What the name of a kept version ends with, before its number, for each side; default
    /// `conflict` for both.
    pub suffixes: [String; 2],
    /// Put the suffix before the extension: `a.conflict1.txt`.
    pub suffix_keep_extension: bool,
    /// Where each side's objects go that are replaced or deleted, under their own paths.
    pub backup_dirs: [Option<Tree>; 2],
    /// Most objects, in percent, that one side may have lost since the last run, 0 to 100; default
    /// 50. With more, nothing is changed.
    pub max_delete: u8,
    /// Go on although more than `max_delete` is gone, or all of one side.
    pub force: bool,
    /// Change nothing unless both sides have objects of this name, at least one and at the same
    /// paths: a guard against a store that is not there, or not the right one.
    pub check_access: Option<String>,
    /// How long the lock is good for without being renewed, at least a second; default two minutes.
    /// It is renewed all the time, so this is how long a machine that died blocks others.
    pub max_lock: Duration,
}

impl Default for BisyncOptions {
    fn default() -> Self {
        let suffix = || "conflict".to_owned();
        Self {
            common: Options::default(),
            resync: None,
            resolve: Resolve::default(),
            loser: Loser::default(),
            suffixes: [suffix(), suffix()],
            suffix_keep_extension: false,
            backup_dirs: [None, None],
            max_delete: 50,
            force: false,
            check_access: None,
            max_lock: Duration::from_secs(120),
        }
    }
}

impl BisyncOptions {
    /// Judges the options by themselves.
    pub(crate) fn check(&self) -> Result<(), SyncError> {
        let refuse = |option, reason: &'static str| {
            let reason = reason.into();
            Err(SyncError::Option { option, reason })
        };
        self.common.check(crate::Command::Copy)?;
        if self.common != self.honoured() {
            return refuse("common", "one of these options is not for bisync");
        }
        let by_more = |filter: &Filter| filter.has_bounds() || !filter.markers().is_empty();
        if self.common.filter.as_ref().is_some_and(by_more) {
            let reason =
                "what leaves the bounds of a size or age, or gets a marker, would look deleted";
            return refuse("filter", reason);
        }
        if self.max_delete > 100 {
            return refuse("max_delete", "it is a percentage, from 0 to 100");
        }
        if self.max_lock < Duration::from_secs(1) {
            return refuse("max_lock", "it is shorter than a second");
        }
        let good = |suffix: &String| !suffix.is_empty() && !suffix.contains(['/', '\0']);
        if !self.suffixes.iter().all(good) {
            return refuse("suffixes", "a suffix is empty or not part of a name");
        }
        let good = |name: &String| !name.is_empty() && !name.contains(['/', '\0']);
        if !self.check_access.iter().all(good) {
            return refuse("check_access", "it is not the name of a file");
        }
        Ok(())
    }

    /// What tells the filter from others: with another one, what is hidden would look deleted.
    pub(crate) fn fingerprint(&self) -> String {
        let filter = self.common.filter.as_ref();
        filter.map_or_else(String::new, |filter| {
            hex(token(filter.fingerprint().as_bytes()))
        })
    }

    /// The common options that a bisync honours, as they are set; all others as by default.
    fn honoured(&self) -> Options {
        let set = &self.common;
        Options::default()
            .transfers(set.transfers)
            .checkers(set.checkers)
            .comparison(set.comparison)
            .modify_window(set.modify_window)
            .verify(set.verify)
            .ignore_errors(set.ignore_errors)
            .dry_run(set.dry_run)
            .tries(set.tries)
            .filter(set.filter.clone())
            .request_tries(set.request_tries)
            .retry_pause(set.retry_pause)
            .bandwidth(set.bandwidth.clone())
            .bandwidth_per_file(set.bandwidth_per_file)
            .create_empty_dirs(set.create_empty_dirs)
            .page_size(set.page_size)
    }
}
