use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::{Action, Failure};

/// Failures that a summary keeps; the rest are only counted.
const KEPT_FAILURES: usize = 100;

macro_rules! counts {
    ($($(#[$meta:meta])* $name:ident,)+) => {
        /// What a run did. In a dry run: what it would have done.
        #[derive(Debug, Clone, Default)]
        #[non_exhaustive]
        pub struct Summary {
            $($(#[$meta])* pub $name: u64,)+
            /// How long it took.
            pub seconds: f64,
            /// Whether it was ended early.
            pub cancelled: bool,
            /// The first 100 failures.
            pub failures: Vec<Failure>,
        }

        /// The counts while they grow.
        #[derive(Debug)]
        pub(crate) struct Tally {
            $($name: AtomicU64,)+
            started: Instant,
            failures: Mutex<Vec<Failure>>,
        }

        impl Tally {
            pub(crate) fn new() -> Self {
                Self {
                    $($name: AtomicU64::new(0),)+
                    started: Instant::now(),
                    failures: Mutex::default(),
                }
            }

            $(
                pub(crate) fn $name(&self, count: u64) {
                    self.$name.fetch_add(count, Ordering::Relaxed);
                }
            )+

            pub(crate) fn summary(&self, cancelled: bool) -> Summary {
                Summary {
                    $($name: self.$name.load(Ordering::Relaxed),)+
                    seconds: self.started.elapsed().as_secs_f64(),
                    cancelled,
                    failures: self.failures().clone(),
                }
            }
        }
    };
}

counts! {
    /// Objects that the destination did not have.
    created,
    /// Objects replaced, and objects whose modified time was set.
    updated,
    /// Objects deleted at the destination.
    deleted,
    /// Objects moved without sending their bytes.
    renamed,
    /// Objects left alone, unchanged ones included.
    skipped,
    /// Source objects removed after they had arrived, or had been there already.
    removed_from_source,
    /// Empty directories created.
    directories_created,
    /// Directories given the source's modified time.
    directories_updated,
    /// Empty directories removed, on either side.
    directories_removed,
    /// Objects and directories that a sync would have deleted but for the failures.
    deletions_withheld,
    /// In a bisync: objects that both sides had changed, each in its way.
    conflicts,
    /// Of these, those that were left as they are.
    conflicts_left,
    /// Comparisons that had to read an object, for want of hashes that both stores keep.
    read_to_compare,
    /// Failures.
    errors,
    /// Bytes sent.
    bytes,
    /// Digests computed or taken from the store.
    hashed,
    /// In a check: objects that are the same.
    matches,
    /// In a check: objects that are not the same.
    differs,
    /// In a check: objects that only the destination has.
    missing_on_source,
    /// In a check: objects that only the source has.
    missing_on_destination,
    /// Objects found to be duplicates of one that stays.
    duplicates,
    /// Their bytes.
    duplicate_bytes,
}

impl Summary {
    /// Whether everything was done and, in a check, no difference found; in a bisync, no conflict left.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        let missing = self.missing_on_source + self.missing_on_destination;
        let differences = self.differs + missing + self.conflicts_left;
        self.is_complete() && differences == 0
    }

    /// Whether everything was done.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.errors == 0 && !self.cancelled
    }
}

impl Tally {
    /// Counts a failure, and gives how many there are.
    pub(crate) fn fail(&self, failure: &Failure) -> u64 {
        self.errors(1);
        let mut kept = self.failures();
        if kept.len() < KEPT_FAILURES {
            kept.push(failure.clone());
        }
        self.errors.load(Ordering::Relaxed)
    }

    pub(crate) fn has_failures(&self) -> bool {
        self.errors.load(Ordering::Relaxed) > 0
    }

    /// Whether something changed at the destination that a flush would make durable.
    pub(crate) fn has_changes(&self) -> bool {
        let changes = [
            &self.created,
            &self.updated,
            &self.deleted,
            &self.renamed,
            &self.directories_created,
            &self.directories_updated,
            &self.directories_removed,
        ];
        changes
            .iter()
            .any(|count| count.load(Ordering::Relaxed) > 0)
    }

    /// Counts an action as done.
    pub(crate) fn done(&self, action: &Action, bytes: u64) {
        self.bytes(bytes);
        match action {
            Action::Create { .. } => self.created(1),
            Action::Update { .. } | Action::SetModified { .. } => self.updated(1),
            Action::Rename { .. } | Action::Relocate { .. } => self.renamed(1),
            Action::Delete { .. } => self.deleted(1),
            Action::Mkdir { .. } => self.directories_created(1),
            Action::SetDirModified { .. } => self.directories_updated(1),
            Action::Rmdir { .. } | Action::RmdirSource { .. } => self.directories_removed(1),
            Action::Skip { .. } => self.skipped(1),
            Action::RemoveSource { .. } => self.removed_from_source(1),
            Action::At { action, .. } => self.done(action, 0),
            Action::Conflict { is_left, .. } => {
                self.conflicts(1);
                self.conflicts_left(u64::from(*is_left));
            }
            Action::KeepAside { .. } => self.renamed(1),
        }
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Vec<Failure>> {
        // A panic between lock and unlock leaves the list whole: a push is all that happens there.
        self.failures
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
