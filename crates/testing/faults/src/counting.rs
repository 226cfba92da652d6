use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use storage_core::{Error, Operation, Result};

use crate::{Call, Intercept, Step};

/// Counts calls, errors and bytes by operation.
///
/// Opening a reader or writer is one call; its chunks add their bytes when they are really passed.
#[derive(Debug, Clone, Default)]
pub struct Counting(Arc<Mutex<HashMap<Operation, Count>>>);

/// What there was of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// Calls and openings, failed ones included.
    pub calls: u64,
    /// Calls, openings and steps of streams that failed.
    pub errors: u64,
    /// Bytes handed in by writes that succeeded, and out by reads.
    pub bytes: u64,
}

impl Counting {
    /// Everything at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The count of one operation.
    #[must_use]
    pub fn of(&self, operation: Operation) -> Count {
        self.counts().get(&operation).copied().unwrap_or_default()
    }

    /// The calls of all operations.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.counts().values().map(|count| count.calls).sum()
    }

    /// All counts as they are now; an operation that was not called is not there.
    #[must_use]
    pub fn snapshot(&self) -> HashMap<Operation, Count> {
        self.counts().clone()
    }

    /// Sets everything to 0.
    pub fn reset(&self) {
        self.counts().clear();
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Operation, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Intercept for Counting {
    async fn after(&self, call: &Call<'_>, outcome: Result<u64, &Error>) -> Result<()> {
        let mut counts = self.counts();
        let count = counts.entry(call.operation()).or_default();
        count.calls += u64::from(matches!(call.step(), Step::Call | Step::Open));
        match outcome {
            Ok(handed_out) => count.bytes += call.bytes() + handed_out,
            Err(_) => count.errors += 1,
        }
        Ok(())
    }

    fn watches_readers(&self) -> bool {
        true
    }
}
