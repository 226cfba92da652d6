use hyper::StatusCode;
use s3s::{S3Error, S3ErrorCode, StdError, s3_error};
use storage_core::{Error, ErrorKind};

/// What a client is told of a backend's failure.
pub(crate) fn from_storage(error: Error) -> S3Error {
    let message = error.message().to_owned();
    let code = match error.kind() {
        ErrorKind::NotFound => S3ErrorCode::NoSuchKey,
        ErrorKind::AlreadyExists | ErrorKind::PreconditionFailed => S3ErrorCode::PreconditionFailed,
        ErrorKind::PermissionDenied => S3ErrorCode::AccessDenied,
        ErrorKind::InvalidPath | ErrorKind::Config => S3ErrorCode::InvalidArgument,
        ErrorKind::IsDirectory | ErrorKind::NotDirectory => S3ErrorCode::InvalidRequest,
        ErrorKind::Unsupported => S3ErrorCode::NotImplemented,
        ErrorKind::RateLimited => S3ErrorCode::SlowDown,
        ErrorKind::Timeout | ErrorKind::Network => S3ErrorCode::ServiceUnavailable,
        ErrorKind::QuotaExceeded => return quota_exceeded(message, error),
        _ => S3ErrorCode::InternalError,
    };
    let mut told = S3Error::with_message(code, message);
    told.set_source(Box::new(error));
    told
}

/// AWS has no such error; this is the one of Ceph.
fn quota_exceeded(message: String, error: Error) -> S3Error {
    let code = S3ErrorCode::Custom("QuotaExceeded".into());
    let mut told = S3Error::with_message(code, message);
    told.set_status_code(StatusCode::FORBIDDEN);
    told.set_source(Box::new(error));
    told
}

/// What a client is told of a body that could not be read to its end. The error's type is private to
/// the wire, so its words tell a wrong digest from a cut connection.
pub(crate) fn from_body(error: StdError) -> S3Error {
    let words = error.to_string();
    let mut told = if words.ends_with("Sha256Mismatch") {
        mismatched_sha256()
    } else if words.ends_with("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch, "a chunk has another signature")
    } else {
        s3_error!(IncompleteBody, "the body ended early or is malformed")
    };
    told.set_source(error);
    told
}

fn mismatched_sha256() -> S3Error {
    let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
    let message = "the body is not that of x-amz-content-sha256";
    let mut told = S3Error::with_message(code, message);
    told.set_status_code(StatusCode::BAD_REQUEST);
    told
}
