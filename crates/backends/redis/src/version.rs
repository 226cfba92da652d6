use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives names that no other process, instance or run gives: a random number and a count. A count
/// kept in the server would come again after it lost its last writes.
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

    pub(crate) fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{count:x}", self.instance)
    }
}
