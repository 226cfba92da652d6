//! Blocking work that its caller may give up on: what was not committed by then never is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;
use tokio::task::{JoinError, spawn_blocking};

/// One call on its way to another thread and back; `true` once nobody waits for it any more.
#[derive(Debug, Default)]
pub(crate) struct Call(Mutex<bool>);

impl Call {
    fn abandoned(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the one change by which work takes effect, unless its caller has given up. A caller that
    /// gives up meanwhile waits for it.
    pub(crate) fn commit(&self, change: impl FnOnce() -> Result<()>) -> Result<()> {
        let abandoned = self.abandoned();
        if *abandoned {
            return Err(given_up());
        }
        let changed = change();
        drop(abandoned);
        changed
    }
}

/// Gives the call up when dropped, having waited for a change that is just being made.
struct Caller(Arc<Call>);

impl Drop for Caller {
    fn drop(&mut self) {
        *self.0.abandoned() = true;
    }
}

/// Runs `work` where blocking is allowed: here, if the caller has promised so. When the future of this
/// call is dropped, work not begun is left, and work under way commits nothing any more.
pub(crate) async fn hop<T: Send + 'static>(
    work: impl FnOnce(&Call) -> Result<T> + Send + 'static,
) -> Result<T> {
    let call = Arc::new(Call::default());
    if storage_core::blocking_allowed() {
        return work(&call);
    }
    let caller = Caller(Arc::clone(&call));
    let (answer, answered) = oneshot::channel();
    let working = spawn_blocking(move || {
        if *call.abandoned() {
            return;
        }
        // Nobody hears it only when the call was given up.
        let _ = answer.send(work(&call));
    });
    let done = match answered.await {
        Ok(done) => done,
        // Cancelled by the end of the runtime, or panicked.
        Err(_) => Err(working.await.map_or_else(lost, |()| given_up())),
    };
    drop(caller);
    done
}

fn given_up() -> Error {
    Error::new(ErrorKind::Other, "the call was given up")
}

/// The error for blocking work that was cancelled by the end of the runtime, or panicked.
pub(crate) fn lost(error: JoinError) -> Error {
    Error::new(ErrorKind::Other, "the blocking part did not finish")
        .with_outcome_unknown()
        .with_source(error)
}
