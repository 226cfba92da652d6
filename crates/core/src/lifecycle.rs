use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, ErrorKind, Operation, Result};

/// Whether a backend is open: what a backend asks first in every call, and sets in `close`.
#[derive(Debug, Default)]
pub struct Lifecycle {
    closed: AtomicBool,
}

impl Lifecycle {
    /// Open.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            closed: AtomicBool::new(false),
        }
    }

    /// Succeeds while open.
    ///
    /// # Errors
    /// [`ErrorKind::BackendClosed`] after [`close`](Self::close).
    pub fn check(&self, operation: Operation, backend: &'static str) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::BackendClosed, "").on(operation, backend));
        }
        Ok(())
    }

    /// Closes; `true` for the first call.
    pub fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }
}
