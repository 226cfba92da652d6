//! Buffers used again instead of being given back to the allocator: fresh pages for every large read
//! cost several times what copying into them does.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The size of a streamed chunk in bytes.
pub(crate) const CHUNK: usize = 1 << 20;
/// Bytes kept while nobody uses them.
const KEPT: usize = 64 << 20;
/// Buffers kept while nobody uses them.
const COUNT: usize = 16;

/// A bounded set of free buffers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pool {
    /// A buffer of any content with room for `len` bytes, and not much more.
    pub(crate) fn take(&self, len: usize) -> Vec<u8> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |buffer: &Vec<u8>| {
            (len..=len.max(CHUNK).saturating_mul(2)).contains(&buffer.capacity())
        };
        match free.iter().rposition(fits) {
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
        let mut dropped = Vec::new();
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.capacity() > KEPT {
            return;
        }
        free.push(buffer);
        while free.len() > COUNT || free.iter().map(Vec::capacity).sum::<usize>() > KEPT {
            dropped.push(free.remove(0));
        }
        // Large buffers are given back to the system without holding up others.
        drop(free);
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
