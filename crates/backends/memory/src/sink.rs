use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{ObjectPath, Result, WriteParts, WriteSink, Written};
use storage_hash::WriteHasher;

use crate::budget::Reservation;
use crate::content::{Content, MERGE_MAX};
use crate::object::Publication;
use crate::store::Store;

/// Collects the chunks of one write. Dropping it frees them and their share of the budget.
#[derive(Debug)]
pub(crate) struct MemorySink {
    store: Arc<Store>,
    path: ObjectPath,
    publication: Publication,
    chunks: Vec<Bytes>,
    hasher: WriteHasher,
    reservation: Reservation,
}

impl MemorySink {
    pub(crate) fn new(store: &Arc<Store>, path: ObjectPath, parts: WriteParts) -> Self {
        Self {
            store: Arc::clone(store),
            path,
            hasher: WriteHasher::new(&parts),
            publication: Publication::new(parts),
            chunks: Vec::new(),
            reservation: Reservation::new(Arc::clone(&store.budget)),
        }
    }
}

#[async_trait]
impl WriteSink for MemorySink {
    /// Chunks of half of this and more come without a copy, and are large enough to be kept so.
    fn chunk_size(&self) -> usize {
        2 * MERGE_MAX
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.reservation.grow(chunk.len() as u64)?;
        self.hasher.absorb(&chunk).await;
        self.chunks.push(chunk);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        let mut publication = self.publication;
        let hashes = self.hasher.finish()?;
        publication.content = Content::of_chunks(&self.chunks);
        publication.attributes.hashes = hashes.stored;
        publication.reported = hashes.reported;
        self.store
            .publish(&self.path, publication, Some(self.reservation))
    }
}
