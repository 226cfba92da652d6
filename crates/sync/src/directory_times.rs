//! Modified times of directories: which of them are to be set, known when all else is.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use storage_core::{ObjectInfo, ObjectPath, Result};

use crate::arena::{Arena, Entries, Entry};
use crate::compare::Rules;
use crate::{Action, Command, Comparison, Job};

/// The destination has it, with the source's time.
const SAME: u64 = 0;
/// The destination has it, with another time.
const OTHER: u64 = 1;
/// The destination does not have it.
const NEW: u64 = 2;

/// The directories of the source, packed, and where the plan changes something. Holds about the
/// length of a name and 10 bytes for each directory, and some 20 for each that is changed.
#[derive(Debug)]
pub(crate) struct DirectoryTimes {
    known: Arena,
    changes: Changes,
    /// Whether those that the destination has are set.
    updates: bool,
}

/// Directories in which the plan changes something, and those above them, by hashes of their paths:
/// should two of them collide, one is set that need not be.
#[derive(Debug, Default)]
struct Changes {
    hasher: RandomState,
    /// Whether an entry of the directory itself comes, goes or is replaced, which changes its time.
    found: HashMap<u64, bool>,
}

impl DirectoryTimes {
    /// `None` where they are not kept.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        let options = &job.options;
        // A move that is run again finds the times of its own removals at the source.
        let leaves_alone = options.existing
            || options.ignore_existing
            || options.immutable
            || job.command == Command::Move;
        job.keeps_directory_times().then(|| Self {
            known: Arena::default(),
            changes: Changes::default(),
            updates: !leaves_alone && options.comparison != Comparison::SizeOnly,
        })
    }

    /// Takes up a directory of the source, in the order of the walk.
    pub(crate) fn enter(
        &mut self,
        path: &ObjectPath,
        source: &ObjectInfo,
        destination: Option<&ObjectInfo>,
        rules: &Rules,
    ) {
        let Some(modified) = source.modified else {
            return;
        };
        let state = match destination {
            None => NEW,
            Some(_) if !self.updates => return,
            Some(there) => match there.modified {
                Some(now) if rules.is_same(modified, now) => SAME,
                _ => OTHER,
            },
        };
        self.known.push(path, Some(state), Some(modified));
    }

    /// Takes note of what an action of the plan changes.
    pub(crate) fn note(&mut self, action: &Action) {
        let changes = &mut self.changes;
        match action {
            Action::Create { path, .. }
            | Action::Update { path, .. }
            | Action::Rename { path, .. }
            | Action::Delete { path, .. }
            | Action::Rmdir { path } => changes.within(path),
            Action::Relocate { from, path, .. } => {
                changes.within(from);
                changes.within(path);
            }
            Action::Mkdir { path } => {
                changes.mark(path, false);
                changes.within(path);
            }
            _ => {}
        }
    }

    /// What is to be set, once all actions were noted.
    pub(crate) fn into_due(mut self) -> Due {
        for entry in self.known.entries().flatten() {
            if entry.size == Some(NEW) && self.changes.reach(&entry.path) {
                // It is created in the directory around it.
                self.changes.within(&entry.path);
            }
        }
        let (entries, changes) = (self.known.into_entries(), self.changes);
        Due { entries, changes }
    }
}

impl Changes {
    /// Something is changed under `path`, which is in the directory around it.
    fn within(&mut self, path: &str) {
        let mut is_direct = true;
        let mut path = path;
        while let Some((above, _)) = path.rsplit_once('/') {
            if self.mark(above, is_direct) {
                return;
            }
            (is_direct, path) = (false, above);
        }
    }

    /// Whether the directory was marked before.
    fn mark(&mut self, directory: &str, is_direct: bool) -> bool {
        let hash = self.hasher.hash_one(directory);
        let before = self.found.get(&hash).copied();
        self.found.insert(hash, is_direct || before == Some(true));
        before.is_some()
    }

    /// Whether the directory, or one in it, is changed.
    fn reach(&self, directory: &str) -> bool {
        self.found.contains_key(&self.hasher.hash_one(directory))
    }

    fn touch(&self, directory: &str) -> bool {
        self.found.get(&self.hasher.hash_one(directory)) == Some(&true)
    }
}

/// The directories to set, one after the other.
#[derive(Debug)]
pub(crate) struct Due {
    entries: Entries<Vec<u8>>,
    changes: Changes,
}

impl Due {
    fn is_due(&self, entry: &Entry) -> bool {
        match entry.size {
            Some(NEW) => self.changes.reach(&entry.path),
            Some(SAME) => self.changes.touch(&entry.path),
            _ => true,
        }
    }
}

impl Iterator for Due {
    type Item = Result<Action>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.entries.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            if let (true, Some(modified)) = (self.is_due(&entry), entry.modified) {
                let path = entry.path;
                return Some(Ok(Action::SetDirModified { path, modified }));
            }
        }
    }
}
