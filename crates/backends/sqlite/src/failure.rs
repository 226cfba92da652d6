//! What SQLite reports, in the terms of the contract.

use rusqlite::ErrorCode;
use storage_core::{Error, ErrorKind};

/// An error of SQLite. Its message names no content of the database.
pub(crate) fn failure(error: rusqlite::Error) -> Error {
    let (kind, transient) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (ErrorKind::Timeout, true),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (ErrorKind::Corrupt, false),
        Some(ErrorCode::DiskFull | ErrorCode::TooBig) => (ErrorKind::QuotaExceeded, false),
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied,
        ) => (ErrorKind::PermissionDenied, false),
        Some(ErrorCode::SystemIoFailure) => (ErrorKind::Io, false),
        // A file beside the database that may not be made, or too many open files.
        Some(ErrorCode::CannotOpen) => (ErrorKind::PermissionDenied, false),
        Some(_) => (ErrorKind::Other, false),
        None => (of_a_value(&error), false),
    };
    Error::new(kind, error.to_string())
        .with_transient(transient)
        .with_source(error)
}

/// A value of another type than the backend stores is damage.
fn of_a_value(error: &rusqlite::Error) -> ErrorKind {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => ErrorKind::Corrupt,
        _ => ErrorKind::Other,
    }
}

/// Something in the tables that the backend does not write.
pub(crate) fn damaged(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}
