use std::borrow::Cow;
use std::time::Duration;

use storage_core::{ErrorKind, ObjectPath, Prefix};

use crate::Summary;

/// Why a job, or its part for one object, was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// One tree contains the other, or both are the same.
    #[error("the trees overlap: {0}")]
    Overlap(String),
    /// An option that the command or a backend cannot honour.
    #[error("option {option}: {reason}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// There is neither an object nor a directory at the source.
    #[error("the source {0:?} does not exist")]
    SourceMissing(Prefix),
    /// The source holds no object and the destination does. Nothing was deleted.
    #[error("the source is empty and {0} would be deleted")]
    SourceEmpty(u64),
    /// The plan has more deletions than allowed. Nothing was deleted.
    #[error("{planned} would be deleted, and at most {allowed} may be")]
    TooManyDeletions {
        /// Objects that the source does not have.
        planned: u64,
        /// By [`Options::max_delete`](crate::Options::max_delete) or
        /// [`Options::max_delete_share`](crate::Options::max_delete_share).
        allowed: u64,
    },
    /// The plan deletes more bytes than allowed. Nothing was deleted.
    #[error("{planned} bytes would be deleted, and at most {allowed} may be")]
    TooMuchDeleted {
        /// Bytes that the source does not have.
        planned: u64,
        /// [`Options::max_delete_size`](crate::Options::max_delete_size).
        allowed: u64,
    },
    /// [`Options::max_transfer`](crate::Options::max_transfer) was reached.
    #[error("the limit of {0} bytes to transfer is reached; another run goes on from here")]
    TransferLimit(u64),
    /// [`Options::max_duration`](crate::Options::max_duration) was reached.
    #[error("the limit of {0:?} is reached; another run goes on from here")]
    DurationLimit(Duration),
    /// [`Options::max_errors`](crate::Options::max_errors) was reached.
    #[error("{0} failures are as many as allowed")]
    ErrorLimit(u64),
    /// The source is not what was listed, or changed while it was read. Nothing of it was published.
    #[error("the source {path:?} changed: {what}")]
    SourceChanged {
        /// The object.
        path: ObjectPath,
        /// What is different now.
        what: &'static str,
    },
    /// A name that is not UTF-8, shown with `‛` and two hexadecimal digits for each byte that is not.
    #[error("the name {0:?} is not UTF-8; rename it to have it taken along")]
    Unnamable(ObjectPath),
    /// What arrived is not what was sent.
    #[error("{path:?} did not arrive as it was sent: {what}")]
    NotVerified {
        /// The destination's object.
        path: ObjectPath,
        /// What is different.
        what: Cow<'static, str>,
    },
    /// A symbolic link that was to be followed leads nowhere, outside of the store or in a circle.
    #[error("the link {path:?} to {target:?} {}", not_followed(.path, .target))]
    NotFollowed {
        /// The link.
        path: ObjectPath,
        /// Where it leads, as it is written.
        target: String,
    },
    /// The destination takes the name for that of another object of the source, for which upper and
    /// lower case, or forms of Unicode, are the same. Nothing was sent.
    #[error("the destination takes {0:?} for the name of another object of the source")]
    SameName(ObjectPath),
    /// The objects differ and [`Options::immutable`](crate::Options::immutable) is set.
    #[error("{0:?} differs and is immutable")]
    Immutable(ObjectPath),
    /// A listing breaks the contract, so that comparing it would be wrong.
    #[error("backend {backend} lists {path:?} out of order or outside of its prefix")]
    BadListing {
        /// The backend.
        backend: &'static str,
        /// The entry.
        path: ObjectPath,
    },
    /// What only a bisync refuses.
    #[error(transparent)]
    Bisync(#[from] crate::BisyncError),
    /// A saved plan cannot be read.
    #[error("the plan {path:?}, line {line}: {what}")]
    BadPlan {
        /// The plan.
        path: ObjectPath,
        /// The line, from 1; the last one that was read when it is about the end.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// An object is not what it was when its action was planned. The action was not applied.
    #[error("{path:?} is not as it was planned: at the {side}, {what}")]
    NotAsPlanned {
        /// The object, relative to both trees.
        path: ObjectPath,
        /// `source` or `destination`.
        side: &'static str,
        /// What is different.
        what: &'static str,
    },
    /// A storage operation failed.
    #[error(transparent)]
    Storage(#[from] storage_core::Error),
    /// A task of the engine broke off.
    #[error("a task of the engine failed: {0}")]
    Task(String),
    /// The run ended with failures, or was cancelled. The summary tells what was done and lists them.
    #[error("{}", incomplete(.0))]
    Incomplete(Box<Summary>),
}

impl SyncError {
    /// The kind, in the storage contract's terms.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::Bisync(error) => error.kind(),
            Self::Incomplete(summary) => match summary.failures.first() {
                Some(failure) => failure.error.kind(),
                None => ErrorKind::Other,
            },
            Self::SourceMissing(_) | Self::NotFollowed { .. } => ErrorKind::NotFound,
            Self::Overlap(_) | Self::Option { .. } => ErrorKind::Config,
            Self::SourceChanged { .. } | Self::NotAsPlanned { .. } => ErrorKind::PreconditionFailed,
            Self::Unnamable(_) => ErrorKind::InvalidPath,
            Self::BadPlan { .. } => ErrorKind::Corrupt,
            Self::Immutable(_) | Self::SameName(_) => ErrorKind::AlreadyExists,
            Self::NotVerified { .. } => ErrorKind::Corrupt,
            Self::SourceEmpty(_)
            | Self::TooManyDeletions { .. }
            | Self::TooMuchDeleted { .. }
            | Self::TransferLimit(_)
            | Self::DurationLimit(_)
            | Self::ErrorLimit(_)
            | Self::BadListing { .. }
            | Self::Task(_) => ErrorKind::Other,
        }
    }

    /// Whether trying the same object again may succeed.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_transient(),
            Self::SourceChanged { .. } | Self::NotVerified { .. } => true,
            _ => false,
        }
    }
}

/// Why a link is not followed, as far as its text tells.
fn not_followed(path: &ObjectPath, target: &str) -> &'static str {
    let mut level = path.split('/').count() - 1;
    let mut leads_outside = target.starts_with('/');
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if level == 0 => leads_outside = true,
            ".." => level -= 1,
            _ => level += 1,
        }
    }
    match leads_outside {
        true => "is not followed: it leads outside of the source",
        false => "cannot be followed: it leads nowhere, in a circle or outside of the source",
    }
}

fn incomplete(summary: &Summary) -> String {
    let how = if summary.cancelled {
        "cancelled"
    } else {
        "incomplete"
    };
    match summary.failures.first() {
        Some(first) => format!("{how}, {} failed, first: {}", summary.errors, first.error),
        None => how.to_owned(),
    }
}
