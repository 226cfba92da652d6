//! Limiting how much goes on at once.

use std::future::Future;
use std::sync::Arc;

use storage_core::{Error, ErrorKind, Payload, Result};
use tokio::sync::Semaphore;

use crate::call::{Call, Reply};
use crate::policy::Policy;

/// Lets at most so many steps go on at once; all clones share the limit. The others wait, in the
/// order in which they came.
///
/// A permit is held for a call, or for one chunk of a reader or writer, never between two chunks: a
/// task that holds a reader and asks for a writer cannot block itself. For the same reason a payload
/// that is neither in memory nor a file, and so may read from the same store, is written through
/// [`Backend::writer`](storage_core::Backend::writer), whose every chunk is a step. Put a limit over
/// one backend of a stack only: a step that needs two permits of one limit can wait for itself.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit(Arc<Semaphore>);

impl ConcurrencyLimit {
    /// At most `steps` at once; 0 counts as 1.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        let permits = steps.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(permits)))
    }
}

impl Policy for ConcurrencyLimit {
    async fn step<T: Reply>(
        &self,
        _: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        // The semaphore is never closed.
        let permit = self.0.acquire().await;
        let _permit = permit.map_err(|error| {
            Error::new(ErrorKind::Other, "the limit is gone").with_source(error)
        })?;
        action.await
    }

    fn writes_by_chunks(&self, payload: &Payload) -> bool {
        payload.as_slices().is_none() && payload.as_file().is_none()
    }
}
