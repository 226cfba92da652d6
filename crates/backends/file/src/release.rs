//! Freeing the storage of what a write replaced, after its caller has its answer.
//!
//! A rename over an object of 64 MiB takes 7 ms on tmpfs and 13 ms on ext4, nearly all of it to free the
//! old one; over a small one on ext4 it waits until the old one's bytes, if they were still on their
//! way, have reached the device. As long as a handle of the old one is held, the system does neither,
//! and what closes the handle does both.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::sys::Held;

/// Most bytes that wait for their release at a time.
const MOST: u64 = 256 << 20;

/// The releases of one tree that are under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Releases(Arc<State>);

#[derive(Debug, Default)]
struct State {
    bytes: Mutex<u64>,
    done: Condvar,
}

/// A replaced file, freed when this is dropped.
#[derive(Debug)]
pub(crate) struct Release {
    held: Option<Held>,
    size: u64,
    state: Arc<State>,
}

impl Releases {
    /// Takes charge of a replaced file of `size` bytes; frees it at once if too much is waiting.
    pub(crate) fn start(&self, held: Held, size: u64) -> Option<Release> {
        let mut bytes = self.0.bytes();
        if bytes.saturating_add(size) > MOST {
            return None;
        }
        *bytes += size;
        Some(Release {
            held: Some(held),
            size,
            state: Arc::clone(&self.0),
        })
    }

    /// Waits for the releases under way; `false` when there are none. Blocks.
    pub(crate) fn wait(&self) -> bool {
        let mut bytes = self.0.bytes();
        let waits = *bytes > 0;
        while *bytes > 0 {
            let woken = self.0.done.wait(bytes);
            bytes = woken.unwrap_or_else(PoisonError::into_inner);
        }
        waits
    }
}

impl State {
    fn bytes(&self) -> MutexGuard<'_, u64> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            held.release();
        }
        *self.state.bytes() -= self.size;
        self.state.done.notify_all();
    }
}
