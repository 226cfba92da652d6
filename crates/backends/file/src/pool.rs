//! Buffers for streams, used again instead of being given back to the allocator.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The size of a streamed chunk in bytes.
pub(crate) const CHUNK: usize = 1 << 20;
/// Buffers kept while nobody uses them.
const KEPT: usize = 8;

/// A bounded set of free buffers of [`CHUNK`] bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pool {
    /// An empty buffer with room for a chunk.
    pub(crate) fn take(&self) -> Vec<u8> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| Vec::with_capacity(CHUNK))
    }

    /// The buffer's content; the buffer comes back when the last reference is dropped.
    pub(crate) fn share(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Pooled {
            buffer,
            pool: self.clone(),
        })
    }

    /// Takes a buffer back.
    pub(crate) fn give(&self, mut buffer: Vec<u8>) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            buffer.clear();
            free.push(buffer);
        }
    }

    /// Frees what nobody uses.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
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
