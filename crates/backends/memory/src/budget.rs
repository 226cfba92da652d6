use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use storage_core::{Error, ErrorKind, Result};

/// The bytes that a store may hold: published content and what unfinished writers have taken.
#[derive(Debug)]
pub(crate) struct Budget {
    max: u64,
    used: AtomicU64,
}

impl Budget {
    pub(crate) fn new(max: Option<u64>) -> Self {
        Self {
            max: max.unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
        }
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    /// Takes `count` bytes, or none.
    pub(crate) fn take(&self, count: u64) -> Result<()> {
        let within = |used: u64| used.checked_add(count).filter(|sum| *sum <= self.max);
        match self
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, within)
        {
            Ok(_) => Ok(()),
            Err(used) => Err(Error::new(
                ErrorKind::QuotaExceeded,
                format!(
                    "{count} bytes more than {used} are over the budget of {}",
                    self.max
                ),
            )),
        }
    }

    pub(crate) fn give_back(&self, count: u64) {
        self.used.fetch_sub(count, Ordering::AcqRel);
    }

    /// Turns `held` bytes of an object's old content and a reservation into `needed` bytes of its new
    /// content: takes or gives back the difference, and nothing on an error.
    pub(crate) fn exchange(&self, held: u64, needed: u64) -> Result<()> {
        if needed > held {
            return self.take(needed - held);
        }
        self.give_back(held - needed);
        Ok(())
    }
}

/// Bytes taken for a write that is not published yet; dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Reservation {
    pub(crate) const fn new(budget: Arc<Budget>) -> Self {
        Self { budget, bytes: 0 }
    }

    pub(crate) fn grow(&mut self, count: u64) -> Result<()> {
        self.budget.take(count)?;
        self.bytes += count;
        Ok(())
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes belong to a published object now.
    pub(crate) fn spend(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}
