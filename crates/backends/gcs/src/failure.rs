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
    /// The generation that an upload has published with other bytes than were sent.
    pub(crate) spoiled: Option<i64>,
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
            spoiled: None,
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
            harmless: is_harmless(&error),
            spoiled: spoiled(&error),
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
    if error.is_connect() || error.is_io() || error.is_transport() || is_garbled(error) {
        return other(ErrorKind::Network, true);
    }
    other(ErrorKind::Other, false)
}

fn of_status(status: u16) -> (ErrorKind, bool, Reason) {
    let other = |kind, transient| (kind, transient, Reason::Other);
    match status {
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
        Code::OutOfRange => (ErrorKind::InvalidRange, false, Reason::Range),
        Code::ResourceExhausted => other(ErrorKind::RateLimited, true),
        Code::DeadlineExceeded => other(ErrorKind::Timeout, true),
        // Something else got in its way; no request here asks for what was changed alone.
        Code::Aborted => other(ErrorKind::Other, true),
        Code::Unavailable | Code::Internal | Code::Unknown | Code::Cancelled => {
            other(ErrorKind::Network, true)
        }
        _ => other(ErrorKind::Other, false),
    }
}

/// Whether the service cannot have acted: it refused, or was not reached.
fn is_harmless(error: &SdkError) -> bool {
    if let Some(status) = error.http_status_code() {
        let (kind, transient, _) = of_status(status);
        return status >= 400 && (!transient || kind == ErrorKind::RateLimited);
    }
    if let Some(status) = error.status() {
        let (kind, transient, _) = of_code(status.code);
        return !transient || kind == ErrorKind::RateLimited;
    }
    error.is_connect() || error.is_authentication()
}

/// Whether the reply to an upload, which came in part at least, cannot be read.
fn is_garbled(error: &SdkError) -> bool {
    let of_content = error
        .source()
        .is_some_and(|source| source.is::<ReadError>());
    error.is_deserialization() && !of_content
}

fn spoiled(error: &SdkError) -> Option<i64> {
    match error.source()?.downcast_ref()? {
        WriteError::ChecksumMismatch { object, .. } => Some(object.generation),
        _ => None,
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
