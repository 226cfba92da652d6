//! Blocking work that its caller may give up on: what was not published by then never is.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage_core::{Error, ErrorKind, Result};
use tokio::task::{JoinError, spawn_blocking};

thread_local! {
    /// The call that this thread works for.
    static CURRENT: RefCell<Option<Arc<Call>>> = const { RefCell::new(None) };
}

/// One call on its way to another thread and back; `true` once nobody waits for it any more.
#[derive(Debug, Default)]
struct Call(Mutex<bool>);

impl Call {
    fn abandoned(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the call up when dropped, having waited for a change that is just being made.
struct Caller(Arc<Call>);

impl Drop for Caller {
    fn drop(&mut self) {
        *self.0.abandoned() = true;
    }
}

/// Makes the one change by which work takes effect, unless its caller has given up. Must be short: a
/// caller that gives up meanwhile waits for it.
pub(crate) fn commit<T>(change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(call) = CURRENT.with_borrow(Clone::clone) else {
        return change();
    };
    let abandoned = call.abandoned();
    if *abandoned {
        return Err(io::Error::other("the call was given up"));
    }
    change()
}

/// Runs `work` where blocking is allowed: here, if the caller has promised so. When the future of this
/// call is dropped, work not begun is left, and work under way changes nothing any more.
pub(crate) async fn hop<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if storage_core::blocking_allowed() {
        return work();
    }
    let call = Arc::new(Call::default());
    let caller = Caller(Arc::clone(&call));
    let done = spawn_blocking(move || {
        if *call.abandoned() {
            return Err(Error::new(ErrorKind::Other, "the call was given up"));
        }
        let _working = Working::start(call);
        work()
    })
    .await;
    drop(caller);
    done.map_err(lost)?
}

/// Says that this thread works for a call, until dropped.
struct Working;

impl Working {
    fn start(call: Arc<Call>) -> Self {
        CURRENT.set(Some(call));
        Self
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// The error for blocking work that was cancelled by the end of the runtime, or panicked.
pub(crate) fn lost(error: JoinError) -> Error {
    Error::new(ErrorKind::Other, "the blocking part did not finish")
        .with_outcome_unknown()
        .with_source(error)
}
