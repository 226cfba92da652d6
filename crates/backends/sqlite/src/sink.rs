//! The writer's end of the backend: chunks gathered in memory, then stored without being published.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{Durability, ObjectPath, Result, WriteParts, WriteSink, Written, async_trait};
use storage_hash::WriteHasher;

use crate::database::Database;
use crate::draft::Draft;
use crate::publish::{Content, Publication};

/// Bytes that a writer gathers before it stores them: those of one short transaction.
const PART: usize = 1 << 20;

/// Takes the chunks of one write.
///
/// An object of less than a [`PART`] is written in the one transaction that publishes it; of a longer
/// one each part is stored in a transaction of its own, so that no writer keeps the file locked while
/// its caller is slow.
pub(crate) struct SqliteSink {
    database: Arc<Database>,
    publication: Publication,
    durability: Durability,
    hasher: WriteHasher,
    pieces: Vec<Bytes>,
    size: usize,
    draft: Option<Draft>,
}

impl SqliteSink {
    pub(crate) fn new(database: Arc<Database>, path: ObjectPath, parts: &WriteParts) -> Self {
        Self {
            database,
            hasher: WriteHasher::new(parts),
            publication: Publication::new(path, parts),
            durability: parts.durability,
            pieces: Vec::new(),
            size: 0,
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
        if piece.len() >= PART / 4 {
            tokio::task::yield_now().await;
        }
    }

    async fn store(&mut self) -> Result<()> {
        let (draft, pieces) = (self.draft.take(), mem::take(&mut self.pieces));
        self.size = 0;
        self.draft = Some(Draft::extend(&self.database, draft, pieces).await?);
        Ok(())
    }
}

#[async_trait]
impl WriteSink for SqliteSink {
    async fn write(&mut self, mut chunk: Bytes) -> Result<()> {
        while !chunk.is_empty() {
            let piece = chunk.split_to(chunk.len().min(PART - self.size));
            self.hash(&piece).await;
            self.size += piece.len();
            self.pieces.push(piece);
            if self.size >= PART {
                self.store().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        if !self.pieces.is_empty() {
            self.store().await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        if self.draft.is_some() && !self.pieces.is_empty() {
            self.store().await?;
        }
        let Self {
            database,
            mut publication,
            durability,
            hasher,
            pieces,
            draft,
            ..
        } = *self;
        let hashes = hasher.finish()?;
        for (hash, digest) in hashes.stored.iter() {
            publication.attributes.hashes.insert(hash, digest)?;
        }
        publication.reported = hashes.reported;
        let publish = move |database: &Database, connection: &rusqlite::Connection| {
            let mut draft = draft;
            let content = match &mut draft {
                Some(draft) => Content::Draft(draft),
                None => Content::Pieces(&pieces),
            };
            let written = publication.publish(database, connection, content)?;
            Ok((written, draft))
        };
        let (written, draft) = database.change(durability, publish).await?;
        if let Some(draft) = draft {
            draft.keep();
        }
        Ok(written)
    }
}
