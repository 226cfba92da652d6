//! From the system's errors to the contract's.

use std::io;

use storage_core::{Error, ErrorKind, Operation, Result};

use crate::sys;

/// The contract's error for one of the system's.
pub(crate) fn failure(error: io::Error) -> Error {
    match sys::explain(&error) {
        Some((kind, message)) => Error::new(kind, message).with_source(error),
        None => error.into(),
    }
}

/// Whether there is nothing at a path, also because a parent is no directory.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The error of an operation that needs an existing object.
pub(crate) fn lookup(error: io::Error) -> Error {
    if is_absent(&error) {
        return Error::new(ErrorKind::NotFound, "").with_source(error);
    }
    failure(error)
}

pub(crate) fn directory() -> Error {
    Error::new(ErrorKind::IsDirectory, "")
}

pub(crate) fn special() -> Error {
    Error::unsupported("a FIFO, socket or device is not an object")
}

/// The name of this backend in errors and registries.
pub(crate) const NAME: &str = "file";

/// Names operation, backend and path in the error of a result.
pub(crate) trait Place<T> {
    fn at(self, operation: Operation, path: &storage_core::ObjectPath) -> Result<T>;
}

impl<T> Place<T> for Result<T> {
    fn at(self, operation: Operation, path: &storage_core::ObjectPath) -> Result<T> {
        self.map_err(|error| error.at(operation, NAME, path))
    }
}
