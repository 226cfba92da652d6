//! The writer's end of the backend: bytes gathered in memory, then sent without being published.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use storage_core::{ObjectPath, Result, WriteParts, WriteSink, Written, async_trait};
use storage_hash::WriteHasher;

use crate::draft::{Draft, PART};
use crate::keys::CHUNK;
use crate::store::{Body, Publication, Store};

/// Takes the chunks of one write. An object of at most one chunk goes in the one request that
/// publishes it; of a longer one each part is sent while the next is gathered.
pub(crate) struct RedisSink {
    store: Arc<Store>,
    publication: Publication,
    hasher: WriteHasher,
    gathered: BytesMut,
    draft: Option<Draft>,
}

impl RedisSink {
    pub(crate) fn new(store: Arc<Store>, path: ObjectPath, parts: &WriteParts) -> Self {
        Self {
            store,
            hasher: WriteHasher::new(parts),
            publication: Publication::new(path, parts),
            gathered: BytesMut::new(),
            draft: None,
        }
    }

    pub(crate) fn publication(&mut self) -> &mut Publication {
        &mut self.publication
    }

    /// Counts and, where digests are asked for, hashes up to a part, and lets other tasks run then.
    async fn hash(&mut self, piece: &[u8]) {
        if self.hasher.is_idle() {
            return self.hasher.skip(piece.len() as u64);
        }
        self.hasher.update(piece);
        if piece.len() as u64 >= PART / 4 {
            tokio::task::yield_now().await;
        }
    }

    async fn send(&mut self) -> Result<()> {
        let part = self.gathered.split().freeze();
        let store = &self.store;
        let draft = self
            .draft
            .get_or_insert_with(|| Draft::new(Arc::clone(store)));
        draft.add(part).await
    }
}

#[async_trait]
impl WriteSink for RedisSink {
    async fn write(&mut self, mut chunk: Bytes) -> Result<()> {
        while !chunk.is_empty() {
            let room = PART as usize - self.gathered.len();
            let piece = chunk.split_to(chunk.len().min(room));
            self.hash(&piece).await;
            self.gathered.extend_from_slice(&piece);
            if self.gathered.len() as u64 >= PART {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// What does not fill a part stays here: every part but the last must be full.
    async fn flush(&mut self) -> Result<()> {
        match &mut self.draft {
            Some(draft) => draft.settle().await,
            None => Ok(()),
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let is_large = self.draft.is_some() || self.gathered.len() as u64 > CHUNK;
        if is_large && !self.gathered.is_empty() {
            self.send().await?;
        }
        let Self {
            store,
            mut publication,
            hasher,
            gathered,
            mut draft,
        } = *self;
        let hashes = hasher.finish()?;
        for (hash, digest) in hashes.stored.iter() {
            publication.attributes.hashes.insert(hash, digest)?;
        }
        publication.reported = hashes.reported;
        let body = match &mut draft {
            None => Body::Inline(gathered.freeze()),
            Some(draft) => {
                draft.settle().await?;
                Body::Staged(draft.blob.clone(), draft.size)
            }
        };
        let written = store.publish(publication, &body).await;
        match (draft, &written) {
            (Some(draft), Ok(_)) => draft.keep(),
            // The failure that led here is the one to tell; what stays expires.
            (Some(draft), Err(error)) if !error.outcome_unknown() => drop(draft.remove().await),
            _ => {}
        }
        written
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        match self.draft {
            Some(draft) => draft.remove().await,
            None => Ok(()),
        }
    }
}
