use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use storage_core::{Backend, Error, Features, ObjectInfo, Result, Written};

use crate::{Call, Intercepted};

/// Hooks around every step of every call to a backend. All have defaults that do nothing.
///
/// A type that implements it is cheap to clone and its clones share their state, so that a test
/// keeps one to steer or read while another is at work in a backend.
#[async_trait]
pub trait Intercept: fmt::Debug + Send + Sync + 'static {
    /// Called before a step reaches the backend. May change the options. An error is returned to
    /// the caller, and the step does not happen.
    async fn before(&self, call: &mut Call<'_>) -> Result<()> {
        let _ = call;
        Ok(())
    }

    /// Called after a step, with the bytes it handed out or its error. Returning an error replaces a
    /// success: the effect has happened and the reply is lost.
    async fn after(&self, call: &Call<'_>, outcome: Result<u64, &Error>) -> Result<()> {
        let _ = (call, outcome);
        Ok(())
    }

    /// The features to report for a backend that has `inner`.
    fn features(&self, inner: Features) -> Features {
        inner
    }

    /// Whether readers are watched: each chunk is then a step of its own, and a reader no longer
    /// hands its content on as a payload.
    fn watches_readers(&self) -> bool {
        false
    }

    /// Where the reader that this call opens is to break off. A whole-object `read` that is to break
    /// is served by a reader.
    fn breaks(&self, call: &Call<'_>) -> Option<Break> {
        let _ = call;
        None
    }

    /// Changes what callers see of an object.
    fn edit_info(&self, info: &mut ObjectInfo) {
        let _ = info;
    }

    /// Changes what callers see of a finished write.
    fn edit_written(&self, written: &mut Written) {
        let _ = written;
    }

    /// Puts a clone of this over a backend.
    fn over<B: Backend>(&self, inner: B) -> Intercepted<B, Self>
    where
        Self: Clone,
    {
        Intercepted::new(inner, Arc::new(self.clone()))
    }
}

/// Where and how a reader breaks off.
#[derive(Debug)]
pub struct Break {
    /// Bytes that still come through.
    pub after: u64,
    /// The error that follows them; without one the stream just ends.
    pub error: Option<Error>,
}
