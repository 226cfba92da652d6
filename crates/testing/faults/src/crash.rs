use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use storage_core::{Error, ErrorKind, Result};

use crate::{Call, Intercept};

/// Dies at one step: from then on everything fails, as if the process were gone.
///
/// Every step counts, chunks of readers and writers included. A writer in flight fails at its next
/// step and is then dropped, never aborted; what reached the backend below before stays there. A
/// test first counts the steps of some work over [`never`](Self::never), then lets it die at each of
/// them and looks at the backend below.
///
/// ```
/// use storage_core::BackendExt;
/// use storage_faults::{Crash, Intercept};
/// use storage_memory::MemoryBackend;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> storage_core::Result<()> {
/// let store = MemoryBackend::new();
/// let backend = Crash::before(2).over(store.clone());
/// backend.put("a", "one").await?;
/// assert!(backend.put("b", "two").await.is_err());
/// assert!(backend.get("a").await.is_err());
/// assert!(store.has("a").await? && !store.has("b").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Crash {
    at: u64,
    /// Whether the last step still has its effect.
    effect: bool,
    steps: Arc<AtomicU64>,
}

impl Crash {
    /// Dies before the `n`th step, counted from 1, has any effect.
    #[must_use]
    pub fn before(n: u64) -> Self {
        Self::new(n, false)
    }

    /// Dies after the `n`th step, counted from 1, has had its effect and before anyone learns of it.
    #[must_use]
    pub fn after(n: u64) -> Self {
        Self::new(n, true)
    }

    /// Only counts steps.
    #[must_use]
    pub fn never() -> Self {
        Self::new(u64::MAX, false)
    }

    fn new(at: u64, effect: bool) -> Self {
        Self {
            at,
            effect,
            steps: Arc::default(),
        }
    }

    /// The steps begun so far, those that failed by the crash included.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Acquire)
    }

    /// Whether it has died.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.steps() >= self.at
    }
}

fn dead() -> Error {
    Error::new(ErrorKind::Other, "the process has crashed").with_outcome_unknown()
}

#[async_trait]
impl Intercept for Crash {
    async fn before(&self, _: &mut Call<'_>) -> Result<()> {
        let step = self.steps.fetch_add(1, Ordering::AcqRel) + 1;
        if step > self.at || (step == self.at && !self.effect) {
            return Err(dead());
        }
        Ok(())
    }

    /// What was under way elsewhere when it died has its effect or not, and nobody learns.
    async fn after(&self, _: &Call<'_>, _: Result<u64, &Error>) -> Result<()> {
        if self.has_crashed() {
            return Err(dead());
        }
        Ok(())
    }

    fn watches_readers(&self) -> bool {
        true
    }
}
