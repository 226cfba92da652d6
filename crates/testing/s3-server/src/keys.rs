use s3s::{S3Result, s3_error};
use storage_core::ObjectPath;

/// The folder of what the server keeps for itself. No bucket can have this name.
pub(crate) const HIDDEN: &str = ".omnistorage-s3";

/// Longest key, in bytes.
const MAX_KEY: usize = 1024;

/// Where an object lies that is to be written.
pub(crate) fn writable(bucket: &str, key: &str) -> S3Result<ObjectPath> {
    if key.len() > MAX_KEY {
        return Err(s3_error!(KeyTooLongError));
    }
    located(bucket, key).ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "this server holds no key with an empty, `.` or `..` segment: {key:?}"
        )
    })
}

/// Where an object lies that is to be read: a key that cannot be written is not there.
pub(crate) fn readable(bucket: &str, key: &str) -> S3Result<ObjectPath> {
    located(bucket, key).ok_or_else(|| s3_error!(NoSuchKey))
}

pub(crate) fn located(bucket: &str, key: &str) -> Option<ObjectPath> {
    ObjectPath::new(format!("{bucket}/{key}")).ok()
}

/// A path of the server's own.
pub(crate) fn hidden(rest: &str) -> S3Result<ObjectPath> {
    ObjectPath::new(format!("{HIDDEN}/{rest}"))
        .map_err(|_| s3_error!(InvalidArgument, "{rest:?} is no name"))
}
