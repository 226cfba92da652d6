//! What a walk meets and cannot take: names that are not UTF-8, and directories that it may not list.

use storage_core::{Error, ErrorKind, ObjectInfo, ObjectPath, Operation, Prefix, Special};

use crate::plan::Problem;
use crate::walk::Batch;
use crate::{Failure, SyncError};

/// One such entry.
#[derive(Debug)]
pub(crate) struct Refused {
    path: ObjectPath,
    backend: &'static str,
    /// Whether it is a directory of which nobody knows what is in it.
    pub(crate) is_closed: bool,
}

impl Refused {
    /// Takes them out of a listing.
    pub(crate) fn sort_out(entries: &mut Vec<ObjectInfo>, backend: &'static str) -> Vec<Self> {
        let is_refused = |entry: &mut ObjectInfo| {
            matches!(entry.special, Some(Special::Unnamable | Special::Closed))
        };
        if !entries.iter().any(|entry| entry.special.is_some()) {
            return Vec::new();
        }
        let refused = entries.extract_if(.., is_refused);
        let refused = refused.map(|entry| Self {
            is_closed: entry.special == Some(Special::Closed),
            path: entry.path,
            backend,
        });
        refused.collect()
    }

    /// A directory that may not be listed.
    pub(crate) const fn closed(path: ObjectPath, backend: &'static str) -> Self {
        let is_closed = true;
        Self {
            path,
            backend,
            is_closed,
        }
    }

    /// The error that it is, with the path below a prefix.
    pub(crate) fn error(self, base: usize) -> (ObjectPath, SyncError) {
        let relative = self
            .path
            .get(base..)
            .and_then(|path| ObjectPath::new(path).ok());
        let relative = relative.unwrap_or_else(|| self.path.clone());
        let error = match self.is_closed {
            true => {
                let error = Error::new(ErrorKind::PermissionDenied, "what is in it is left out");
                SyncError::from(error.at(Operation::List, self.backend, &self.path))
            }
            false => SyncError::Unnamable(self.path),
        };
        (relative, error)
    }

    /// The failure that it is. Nothing may be deleted by a plan that has not seen everything.
    pub(crate) fn into_problem(self, base: usize) -> Problem {
        let fatal = self.is_closed;
        let (path, error) = self.error(base);
        Problem {
            failure: Failure::new(Some(path), Operation::List, error),
            fatal,
        }
    }
}

impl Batch {
    /// Adds what was sorted out. What the other side has in a closed directory is left out as well.
    pub(crate) fn refuse(&mut self, refused: Vec<Refused>, prefix: &Prefix) {
        let closed = refused.iter().filter(|refused| refused.is_closed);
        let closed = closed.filter_map(|refused| refused.path.strip_prefix(prefix));
        self.marked
            .extend(closed.map(|path| format!("{path}/").into()));
        self.refused.extend(refused);
    }
}
