//! Blocking work that its caller may give up on: what was not published by then never is.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;
use tokio::task::{JoinError, spawn_blocking};

thread_local! {
    /// The call that this thread works for.
    static CURRENT: RefCell<Option<Working>> = const { RefCell::new(None) };
}

/// What a thread has of the call that it works for.
struct Working {
    call: Arc<Call>,
    /// Dropped when the caller has the result.
    deferred: Vec<Box<dyn Any>>,
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
    let Some(call) = CURRENT.with_borrow(|working| working.as_ref().map(|it| Arc::clone(&it.call)))
    else {
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
    let (answer, answered) = oneshot::channel();
    let working = spawn_blocking(move || {
        if *call.abandoned() {
            return;
        }
        let working = Turn::start(call);
        let done = work();
        let deferred = working.end();
        // Nobody hears it only when the call was given up.
        let _ = answer.send(done);
        drop(deferred);
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

/// Whether what is deferred now waits for anything.
pub(crate) fn can_defer() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// Drops `rest` when the caller has its result; at once where no other thread waits for one.
pub(crate) fn defer(rest: impl Any) {
    let rest: Box<dyn Any> = Box::new(rest);
    let at_once = CURRENT.with_borrow_mut(|working| match working {
        Some(working) => {
            working.deferred.push(rest);
            None
        }
        None => Some(rest),
    });
    drop(at_once);
}

/// Says that this thread works for a call, until dropped.
struct Turn;

impl Turn {
    fn start(call: Arc<Call>) -> Self {
        let deferred = Vec::new();
        CURRENT.set(Some(Working { call, deferred }));
        Self
    }

    /// What is to be dropped when the caller has its result.
    fn end(self) -> Vec<Box<dyn Any>> {
        CURRENT
            .take()
            .map_or_else(Vec::new, |working| working.deferred)
    }
}

impl Drop for Turn {
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
