use std::error::Error as _;

use google_cloud_gax::error::rpc::Code;
use google_cloud_storage::Error as SdkError;
use google_cloud_storage::error::{ReadError, WriteError};
use storage_core::{Error, ErrorKind};

/// Why the service refused or failed, in both of its protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Missing,
    /// A condition on the generation or metageneration does not hold.
    Condition,
    Unchanged,
    /// The range starts behind the content.
    Range,
    Other,
}

/// A failed call: what it is to the caller, and what it is to the retry.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    pub(crate) error: Error,
    /// Whether the service cannot have acted on the request.
    pub(crate) harmless: bool,
}

impl Failure {
    pub(crate) fn timeout(message: &'static str) -> Self {
        Self::other(Error::new(ErrorKind::Timeout, message))
    }

    pub(crate) const fn other(error: Error) -> Self {
        Self {
            reason: Reason::Other,
            error,
            harmless: false,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl From<SdkError> for Failure {
    fn from(error: SdkError) -> Self {
        let (kind, transient, reason) = classify(&error);
        // The library's error is not kept as the source: it may show URLs that allow an upload.
        Self {
            reason,
            error: Error::new(kind, message(&error)).with_transient(transient),
            harmless: !transient || error.is_connect() || kind == ErrorKind::RateLimited,
        }
    }
}

fn classify(error: &SdkError) -> (ErrorKind, bool, Reason) {
    if let Some(status) = error.http_status_code() {
        return of_status(status);
    }
    if let Some(status) = error.status() {
        return of_code(status.code);
    }
    let other = |kind, transient| (kind, transient, Reason::Other);
    if is_mismatch(error) {
        return other(ErrorKind::Corrupt, false);
    }
    if error.is_authentication() {
        return match error.is_transient_and_before_rpc() {
            true => other(ErrorKind::Network, true),
            false => other(ErrorKind::PermissionDenied, false),
        };
    }
    if error.is_timeout() {
        return other(ErrorKind::Timeout, true);
    }
    if error.is_connect() || error.is_io() || error.is_transport() {
        return other(ErrorKind::Network, true);
    }
    other(ErrorKind::Other, false)
}

fn of_status(status: u16) -> (ErrorKind, bool, Reason) {
    let other = |kind, transient| (kind, transient, Reason::Other);
    match status {
        304 => (ErrorKind::NotModified, false, Reason::Unchanged),
        401 | 403 => other(ErrorKind::PermissionDenied, false),
        404 => (ErrorKind::NotFound, false, Reason::Missing),
        408 | 504 => other(ErrorKind::Timeout, true),
        412 => (ErrorKind::PreconditionFailed, false, Reason::Condition),
        416 => (ErrorKind::InvalidRange, false, Reason::Range),
        429 => other(ErrorKind::RateLimited, true),
        500..600 => other(ErrorKind::Network, true),
        _ => other(ErrorKind::Other, false),
    }
}

fn of_code(code: Code) -> (ErrorKind, bool, Reason) {
    let other = |kind, transient| (kind, transient, Reason::Other);
    match code {
        Code::Unauthenticated | Code::PermissionDenied => other(ErrorKind::PermissionDenied, false),
        Code::NotFound => (ErrorKind::NotFound, false, Reason::Missing),
        Code::FailedPrecondition => (ErrorKind::PreconditionFailed, false, Reason::Condition),
        Code::Aborted => (ErrorKind::NotModified, false, Reason::Unchanged),
        Code::OutOfRange => (ErrorKind::InvalidRange, false, Reason::Range),
        Code::ResourceExhausted => other(ErrorKind::RateLimited, true),
        Code::DeadlineExceeded => other(ErrorKind::Timeout, true),
        Code::Unavailable | Code::Internal | Code::Unknown | Code::Cancelled => {
            other(ErrorKind::Network, true)
        }
        _ => other(ErrorKind::Other, false),
    }
}

/// Whether checksums of content sent or received differ.
fn is_mismatch(error: &SdkError) -> bool {
    let Some(source) = error.source() else {
        return false;
    };
    matches!(
        source.downcast_ref::<ReadError>(),
        Some(ReadError::ChecksumMismatch(_))
    ) || matches!(
        source.downcast_ref::<WriteError>(),
        Some(WriteError::ChecksumMismatch { .. })
    )
}

/// What the service said, or the innermost cause.
fn message(error: &SdkError) -> String {
    if let Some(status) = error.status() {
        return status.message.clone();
    }
    if let Some(status) = error.http_status_code() {
        return format!("the service answers with status {status}");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let what = match () {
        () if error.is_authentication() => "the credentials: ",
        () if error.is_connect() => "no connection: ",
        () => "",
    };
    format!("{what}{cause}")
}
