use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that requests of one backend may hold, counted in KiB.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    left: Arc<Semaphore>,
    all: u32,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        let all = u32::try_from(bytes >> 10)
            .unwrap_or(u32::MAX >> 4)
            .min(u32::MAX >> 4);
        Self {
            left: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    fn share(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(1024))
            .unwrap_or(self.all)
            .min(self.all)
    }

    /// Room, if there is any now; for more than there is at all, once nothing else is held.
    ///
    /// Nobody waits for room: it may be held by what waits for the one who asks.
    pub(crate) fn try_take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.left)
            .try_acquire_many_owned(self.share(bytes))
            .ok()
    }
}
