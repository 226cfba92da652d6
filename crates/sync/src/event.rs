use std::fmt;
use std::sync::Arc;

use storage_core::{Hashes, ObjectPath, Operation};

use crate::{Action, Comparison, Difference, Summary, SyncError};

/// What happens in a run, in the order it happens. Paths are relative to both trees.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The run begins. Always the first.
    Started {
        /// How objects are really compared, given what the destination can keep.
        comparison: Comparison,
        /// Whether nothing will be changed.
        dry_run: bool,
    },
    /// An action is part of the plan. The sum of their bytes is the work known so far.
    Planned(Action),
    /// Bytes of an object larger than 1 MiB were sent.
    Progress {
        /// The object.
        path: ObjectPath,
        /// Bytes of it sent so far; less than before when it is tried again.
        bytes: u64,
        /// Bytes in all, where the source knows.
        size: Option<u64>,
    },
    /// An action was applied.
    Done {
        /// The action.
        action: Action,
        /// Bytes that were sent.
        bytes: u64,
    },
    /// A try failed and another follows.
    Retried {
        /// The object.
        path: ObjectPath,
        /// The tries so far.
        tries: u32,
        /// Why the last one failed.
        error: Arc<SyncError>,
    },
    /// Something was given up.
    Failed(Failure),
    /// In a check: both sides have the object and it is the same.
    Match {
        /// The object.
        path: ObjectPath,
        /// What that is known from.
        evidence: Evidence,
    },
    /// In a check: both sides have the object and it is not the same.
    Differ {
        /// The object.
        path: ObjectPath,
        /// How it differs.
        difference: Difference,
    },
    /// In a check, and in a copy or move with
    /// [`Options::report_unchanged`](crate::Options::report_unchanged): only the destination has it.
    MissingOnSource {
        /// The object.
        path: ObjectPath,
    },
    /// In a check: only the source has it.
    MissingOnDestination {
        /// The object.
        path: ObjectPath,
    },
    /// In a [hash sum](crate::Job::hash_sum): the digest of an object.
    Hashed {
        /// The object.
        path: ObjectPath,
        /// The digest that was asked for, and no other.
        digest: Hashes,
    },
    /// In a [search for duplicates](crate::Dedupe): an object has the content of another one.
    Duplicate {
        /// The object.
        path: ObjectPath,
        /// The one of that content that stays.
        of: ObjectPath,
        /// Bytes of it, where the store knows.
        size: Option<u64>,
    },
    /// The run has ended. Always the last.
    Summary(Summary),
}

/// What a comparison relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Evidence {
    /// The sizes alone.
    Size,
    /// Hashes that a store keeps, against the other store's or against the bytes.
    Hash,
    /// The bytes of both sides.
    Bytes,
}

/// Something that was given up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The object, relative to both trees; `None` when the whole run is concerned.
    pub path: Option<ObjectPath>,
    /// What was being done.
    pub operation: Operation,
    /// Why it failed.
    pub error: Arc<SyncError>,
}

impl Failure {
    pub(crate) fn new(path: Option<ObjectPath>, operation: Operation, error: SyncError) -> Self {
        let error = Arc::new(error);
        Self {
            path,
            operation,
            error,
        }
    }
}

impl Failure {
    /// A failed storage operation on one object.
    pub(crate) fn of(path: ObjectPath, error: storage_core::Error) -> Self {
        let operation = error.operation().unwrap_or(Operation::Read);
        Self::new(Some(path), operation, error.into())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{path}: {}", self.error),
            None => self.error.fmt(f),
        }
    }
}
