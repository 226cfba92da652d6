//! Buffers for pieces of files, used again while the processor still has them in its cache.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// The size of a streamed chunk in bytes.
pub(crate) const CHUNK: usize = 1 << 20;
/// The size of a piece that passes through memory, in bytes: it fits the processor's cache, and takes
/// some 20 microseconds to copy.
pub(crate) const PIECE: usize = 256 << 10;
/// Most bytes kept while nobody uses them. Fresh memory costs more page by page than filling it does.
const KEPT: usize = 64 << 20;

/// A bounded set of free buffers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<Free>>);

#[derive(Debug, Default)]
struct Free {
    /// The last one given back comes last.
    buffers: VecDeque<Vec<u8>>,
    /// Their room.
    bytes: usize,
}

impl Pool {
    /// A buffer of any content with room for `len` bytes, and for at most twice as many.
    pub(crate) fn take(&self, len: usize) -> Vec<u8> {
        let mut free = self.free();
        let fits = |buffer: &Vec<u8>| (len..=len.saturating_mul(2)).contains(&buffer.capacity());
        let found = free.buffers.iter().rposition(fits);
        match found.and_then(|at| free.buffers.remove(at)) {
            Some(buffer) => {
                free.bytes -= buffer.capacity();
                buffer
            }
            None => Vec::with_capacity(len),
        }
    }

    /// The buffer's content; the buffer comes back when the last reference is dropped.
    pub(crate) fn share(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Pooled {
            buffer,
            pool: self.clone(),
        })
    }

    /// Takes a buffer back.
    pub(crate) fn give(&self, buffer: Vec<u8>) {
        if !(PIECE..=KEPT).contains(&buffer.capacity()) {
            return;
        }
        // Given back to the system when the lock is released.
        let mut dropped = Vec::new();
        let mut free = self.free();
        free.bytes += buffer.capacity();
        free.buffers.push_back(buffer);
        while free.bytes > KEPT {
            let Some(oldest) = free.buffers.pop_front() else {
                break;
            };
            free.bytes -= oldest.capacity();
            dropped.push(oldest);
        }
        drop(free);
    }

    /// Frees what nobody uses.
    pub(crate) fn clear(&self) {
        let free = std::mem::take(&mut *self.free());
        drop(free);
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Pooled {
    buffer: Vec<u8>,
    pool: Pool,
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.buffer));
    }
}
