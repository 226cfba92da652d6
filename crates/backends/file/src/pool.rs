//! Buffers for pieces of files, used again while the processor still has them in its cache.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// The size of a streamed chunk in bytes.
pub(crate) const CHUNK: usize = 1 << 20;
/// The size of a piece that passes through memory, in bytes: it fits the processor's cache, and takes
/// some 20 microseconds to copy.
pub(crate) const PIECE: usize = 256 << 10;
/// Small buffers kept while nobody uses them.
const KEPT: usize = 8;
/// Most bytes of the one large buffer that is kept.
const LARGEST_KEPT: usize = 64 << 20;

/// A bounded set of free buffers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<Free>);

#[derive(Debug, Default)]
struct Free {
    small: Mutex<Vec<Vec<u8>>>,
    /// The buffer of a whole object. Fresh memory costs more page by page than filling it does.
    large: Mutex<Vec<u8>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// An empty buffer with room for `len` bytes, and for at most twice as many.
    pub(crate) fn take_large(&self, len: usize) -> Vec<u8> {
        let mut kept = locked(&self.0.large);
        if !(len..=len.saturating_mul(2)).contains(&kept.capacity()) {
            return Vec::with_capacity(len);
        }
        let mut buffer = std::mem::take(&mut *kept);
        buffer.clear();
        buffer
    }

    /// A buffer of any content with room for `len` bytes, a piece or a chunk.
    pub(crate) fn take(&self, len: usize) -> Vec<u8> {
        let mut free = locked(&self.0.small);
        match free.iter().rposition(|buffer| buffer.capacity() >= len) {
            Some(at) => free.remove(at),
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
        if buffer.capacity() > CHUNK {
            if buffer.capacity() <= LARGEST_KEPT {
                // What was kept is given back to the system once the lock is released.
                let _old = std::mem::replace(&mut *locked(&self.0.large), buffer);
            }
            return;
        }
        let mut free = locked(&self.0.small);
        free.push(buffer);
        if free.len() > KEPT {
            free.remove(0);
        }
    }

    /// Frees what nobody uses.
    pub(crate) fn clear(&self) {
        locked(&self.0.small).clear();
        *locked(&self.0.large) = Vec::new();
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
