use storage_core::{ErrorKind, ObjectPath};

use super::Replica;

/// Why a bisync, or its part for one object, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BisyncError {
    /// The two trees were never brought together, or what was remembered of it is gone.
    #[error(
        "there is no state of an earlier run at {0}: the first one has to be a resync, \
         which brings both sides together and deletes nothing"
    )]
    NoState(String),
    /// The state cannot be trusted.
    #[error("the state {0} cannot be used: {1}; a resync begins anew")]
    BadState(String, String),
    /// Another run works on the same pair.
    #[error(
        "another run holds the lock {place}: {owner}; if it is gone, remove the lock \
         or wait until it expires"
    )]
    Locked {
        /// The lock.
        place: String,
        /// Who holds it, and until when.
        owner: String,
    },
    /// The lock was taken over, because this run did not renew it in time. Nothing was changed since.
    #[error("another run has taken over the lock {0}")]
    LockLost(String),
    /// More was deleted on one side than [`BisyncOptions::max_delete`](super::BisyncOptions) allows.
    #[error(
        "{deleted} of {known} objects are gone on {side}, more than {percent} %; nothing was changed"
    )]
    TooManyDeletions {
        /// The side that lost them.
        side: Replica,
        /// How many.
        deleted: u64,
        /// How many there were.
        known: u64,
        /// The percentage allowed.
        percent: u8,
    },
    /// One side holds no object any more. Nothing was changed.
    #[error("{0} is empty and was not; nothing was changed")]
    Empty(Replica),
    /// The files that prove that both sides are really there do not.
    #[error(
        "access check failed: {found} pairs of {name:?} and {alone} without a twin; \
         nothing was changed"
    )]
    Access {
        /// The name of the files.
        name: String,
        /// Found on both sides at the same path.
        found: u64,
        /// Found on one side.
        alone: u64,
    },
    /// The object changed after it was compared. It is left for the next run.
    #[error("{side} changed {path:?} during the run; the next run takes it up")]
    Changed {
        /// The side.
        side: Replica,
        /// The object.
        path: ObjectPath,
    },
    /// Both sides changed the object, and conflicts are to be errors.
    #[error("{0:?} was changed on both sides")]
    Conflict(ObjectPath),
    /// A directory that holds objects is where the object has to go.
    #[error("{side} has a directory with content at {path:?}")]
    InTheWay {
        /// The side.
        side: Replica,
        /// The directory.
        path: ObjectPath,
    },
}

impl BisyncError {
    /// Whether the run as a whole was refused and nothing changed.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::LockLost(_) | Self::Changed { .. } | Self::Conflict(_) | Self::InTheWay { .. }
        )
    }

    /// The kind, in the storage contract's terms.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NoState(_) => ErrorKind::NotFound,
            Self::BadState(..) => ErrorKind::Corrupt,
            Self::Locked { .. } => ErrorKind::AlreadyExists,
            Self::LockLost(_) | Self::Changed { .. } | Self::Conflict(_) => {
                ErrorKind::PreconditionFailed
            }
            Self::InTheWay { .. } => ErrorKind::IsDirectory,
            Self::TooManyDeletions { .. } | Self::Empty(_) | Self::Access { .. } => {
                ErrorKind::Other
            }
        }
    }
}
