use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use storage_core::Version;

/// Gives versions that no other process, instance or run gives: a random number and a count. A count
/// kept in the file would come again after a backup was restored.
#[derive(Debug)]
pub(crate) struct Versions {
    instance: u64,
    count: AtomicU64,
}

impl Versions {
    pub(crate) fn new() -> Self {
        let random = || RandomState::new().hash_one(std::process::id());
        Self {
            instance: random() ^ random().rotate_left(32),
            count: AtomicU64::new(0),
        }
    }

    pub(crate) const fn instance(&self) -> u64 {
        self.instance
    }

    pub(crate) fn next(&self) -> Version {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        Version::new(format!("{:016x}-{count:x}", self.instance))
    }
}
