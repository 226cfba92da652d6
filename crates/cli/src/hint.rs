//! What to do about an error.

use std::error::Error as StdError;
use std::fmt;

use omnistorage::compression::DecodeError;
use omnistorage::sync::{BisyncError, SyncError};
use omnistorage::{Error, ErrorKind, Operation};

use crate::stdio;

/// Advice on one error alone: its source, for lack of a better place.
#[derive(Debug)]
pub(crate) struct Advice(pub(crate) &'static str);

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Advice {}

/// Advice for the errors that people can do something about.
pub(crate) fn of(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(Advice(text)) = found.downcast_ref() {
            return Some(text);
        }
        cause = found.source();
    }
    if let Some(error) = error.downcast_ref::<SyncError>() {
        return of_sync(error);
    }
    error.downcast_ref::<Error>().and_then(of_storage)
}

fn of_sync(error: &SyncError) -> Option<&'static str> {
    Some(match error {
        SyncError::Storage(error) => return of_storage(error),
        SyncError::Overlap(_) => "choose trees of which neither contains the other",
        SyncError::SourceMissing(_) => "check the spelling; `omni ls` shows what is there",
        SyncError::SourceEmpty(_) => {
            "check that the source is mounted and right; --allow-empty-source deletes all the same"
        }
        SyncError::TooManyDeletions { .. } => {
            "look at what --dry-run lists, then raise --max-delete if it is right"
        }
        SyncError::TooMuchDeleted { .. } => {
            "look at what --dry-run lists, then raise --max-delete-size if it is right"
        }
        SyncError::TransferLimit(_) | SyncError::DurationLimit(_) => {
            "run it again to go on; what has arrived is not sent again"
        }
        SyncError::SourceChanged { .. } => "run again when nothing writes to it",
        SyncError::NotVerified { .. } => "run again; if it stays, check the destination's hardware",
        SyncError::Immutable(_) => "leave out --immutable to replace it",
        SyncError::NotFollowed { .. } if error.to_string().contains("is not followed: ") => {
            "links are followed below SRC alone: copy what it leads to by itself, or leave out -L"
        }
        SyncError::Bisync(error) => return of_bisync(error),
        _ => return None,
    })
}

fn of_bisync(error: &BisyncError) -> Option<&'static str> {
    Some(match error {
        BisyncError::NoState(_) => {
            "if this is the first run, add --resync; --dry-run shows what it would do"
        }
        BisyncError::BadState(..) => {
            "--resync begins anew: it deletes nothing and brings back what one side has deleted"
        }
        BisyncError::TooManyDeletions { .. } => {
            "look at what --dry-run --force lists; if it is right, use --force or raise --max-delete"
        }
        BisyncError::Empty(_) => {
            "check that it is mounted and right; --force empties the other side"
        }
        BisyncError::Access { .. } => "check that both sides are mounted and right",
        _ => return None,
    })
}

fn of_storage(error: &Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => "check the spelling; `omni ls` shows what is there",
        ErrorKind::PermissionDenied if error.message().contains("leads outside") => {
            "links are followed below the directory that is opened alone: name what it leads to"
        }
        ErrorKind::PermissionDenied if is_remote(error) => {
            "check the credentials, and what they allow"
        }
        ErrorKind::PermissionDenied => {
            "run as a user who may do this, or change the owner or mode of the path"
        }
        ErrorKind::Corrupt if DecodeError::of(error).is_some() => {
            "`omni cat --raw` gives the stored bytes, if they are not what their name says"
        }
        ErrorKind::QuotaExceeded if error.operation() == Some(Operation::Read) => {
            "more comes out of it than was allowed; raise --max-output if it is to be trusted"
        }
        ErrorKind::QuotaExceeded if stdio::is_unwritten(error) => "free some space",
        ErrorKind::QuotaExceeded => {
            "free some space or choose another destination; nothing half-written was left"
        }
        ErrorKind::UnknownBackend => "`omni backends` lists what this build has",
        ErrorKind::IsDirectory if error.operation() == Some(Operation::Delete) => {
            "use `omni purge` for a directory and all it holds"
        }
        ErrorKind::IsDirectory => "name a file, or use a verb for directories such as `omni ls`",
        ErrorKind::NotDirectory => "a file is in the way: name another path or remove the file",
        ErrorKind::NotEmpty => "use `omni purge` for a directory and all it holds",
        ErrorKind::AlreadyExists => "choose another name, or allow to replace it",
        ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::Network => {
            "try again; if it stays, check the connection and the service"
        }
        _ => return None,
    })
}

/// Whether the error comes from a store that asks who calls.
fn is_remote(error: &Error) -> bool {
    matches!(error.backend(), Some("s3" | "gcs" | "http" | "redis"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_is_told_what_to_check() {
        let hint = |backend| {
            let error = Error::new(ErrorKind::PermissionDenied, "no").on(Operation::List, backend);
            of(&error).unwrap_or_default()
        };
        assert!(hint("s3").contains("credentials"));
        assert!(hint("file").contains("owner"));
    }
}
