use std::sync::atomic::{AtomicU32, Ordering};

/// Successes that give one retry back.
const SUCCESSES: u32 = 10;

/// How many retries may still be made, in shares of one success each.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU32,
    full: u32,
}

impl Budget {
    pub(super) fn new(retries: u32) -> Self {
        let full = retries.saturating_mul(SUCCESSES);
        Self {
            left: AtomicU32::new(full),
            full,
        }
    }

    /// Takes one retry; false when there is none left.
    pub(super) fn take(&self) -> bool {
        let order = (Ordering::AcqRel, Ordering::Acquire);
        self.left
            .fetch_update(order.0, order.1, |left| left.checked_sub(SUCCESSES))
            .is_ok()
    }

    pub(super) fn give_back(&self) {
        // A full budget, the usual case, is only read.
        if self.left.load(Ordering::Relaxed) < self.full {
            let add = |left| (left < self.full).then_some(left + 1);
            // Where it became full meanwhile there is nothing to add.
            let _ = self
                .left
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        }
    }
}
