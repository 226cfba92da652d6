//! How a command ends, as its exit code.

use std::error::Error as StdError;
use std::process::ExitCode;

use omnistorage::sync::{Summary, SyncError};
use omnistorage::{Error, ErrorKind, Operation};

/// The codes, for the help and the manual page.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  done, no difference found
    1  a difference was found or something failed
    2  wrong usage or configuration
    3  a directory was not found
    4  a file was not found
    5  failures that another run may not meet: a timeout, a broken connection
    7  stopped by a safeguard, such as --max-delete
    8  stopped by --max-transfer
    9  nothing was transferred, with --error-on-no-transfer
   10  stopped by --max-duration
  130  interrupted";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NoDirectory = 3,
    NoFile = 4,
    MayPass = 5,
    Safeguard = 7,
    MaxTransfer = 8,
    NothingTransferred = 9,
    MaxDuration = 10,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The code for an error that ended the command.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        if let Some(error) = error.downcast_ref::<SyncError>() {
            return Self::of_sync(error);
        }
        error
            .downcast_ref::<Error>()
            .map_or(Self::Failed, Self::of_storage)
    }

    /// The code for a run that ended by itself.
    pub(crate) fn of_summary(summary: &Summary) -> Self {
        if summary.is_clean() {
            return Self::Done;
        }
        if summary.cancelled {
            return Self::Interrupted;
        }
        // A limit that was reached is a failure of the run, and counts where there is no other.
        let (limits, failures): (Vec<_>, Vec<_>) = summary
            .failures
            .iter()
            .partition(|failure| is_limit(&failure.error));
        let others = summary.errors.saturating_sub(limits.len() as u64);
        if let (Some(limit), 0) = (limits.first(), others) {
            return Self::of_sync(&limit.error);
        }
        if let Some(failure) = failures.iter().find(|found| found.path.is_none()) {
            return Self::of_sync(&failure.error);
        }
        let passing = failures.iter().all(
            |failure| matches!(&*failure.error, SyncError::Storage(error) if error.is_transient()),
        );
        if passing && others > 0 && others == failures.len() as u64 {
            return Self::MayPass;
        }
        Self::Failed
    }

    fn of_sync(error: &SyncError) -> Self {
        match error {
            SyncError::Option { .. } | SyncError::Overlap(_) => Self::Usage,
            SyncError::SourceMissing(_) => Self::NoDirectory,
            SyncError::SourceEmpty(_)
            | SyncError::TooManyDeletions { .. }
            | SyncError::TooMuchDeleted { .. } => Self::Safeguard,
            SyncError::TransferLimit(_) => Self::MaxTransfer,
            SyncError::DurationLimit(_) => Self::MaxDuration,
            SyncError::Bisync(error) if error.is_refusal() => Self::Safeguard,
            SyncError::Storage(error) => Self::of_storage(error),
            _ => Self::Failed,
        }
    }

    fn of_storage(error: &Error) -> Self {
        let of_directory = matches!(
            error.operation(),
            Some(Operation::Open | Operation::List | Operation::Rmdir)
        );
        match error.kind() {
            ErrorKind::NotFound if of_directory => Self::NoDirectory,
            ErrorKind::NotFound => Self::NoFile,
            ErrorKind::Config | ErrorKind::UnknownBackend => Self::Usage,
            _ if error.is_transient() => Self::MayPass,
            _ => Self::Failed,
        }
    }
}

const fn is_limit(error: &SyncError) -> bool {
    matches!(
        error,
        SyncError::TransferLimit(_) | SyncError::DurationLimit(_)
    )
}
