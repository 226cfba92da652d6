use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that uploads and parallel reads of one backend may hold together.
///
/// Nobody waits for room, for whoever waits may hold what another one waits for: who finds none
/// makes do with little, see [`LEAST`].
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// What every upload may hold without asking: the smallest part.
pub(crate) const LEAST: usize = 256 << 10;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    pub(crate) const fn lease(self) -> Lease {
        Lease {
            budget: self,
            held: None,
        }
    }
}

/// What one upload or read holds; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Takes more until it holds `bytes`; `false`, taking nothing, when there is no room.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let held = self
            .held
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(more) = bytes.checked_sub(held).filter(|more| *more > 0) else {
            return true;
        };
        let Ok(more) = u32::try_from(more) else {
            return false;
        };
        let Ok(permit) = Arc::clone(&self.budget.0).try_acquire_many_owned(more) else {
            return false;
        };
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        true
    }
}
