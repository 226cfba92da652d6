//! The writer's end of the backend: chunks gathered in memory, then in a temporary file.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    Error, ErrorKind, ObjectPath, Payload, Result, WriteParts, WriteSink, Written, async_trait,
};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::attributes::Attributes;
use crate::draft::{self, Draft};
use crate::failure::{hop, lost};
use crate::pool::CHUNK;
use crate::tree::Tree;

/// Takes the chunks of one write.
///
/// An object of up to a chunk is written in one blocking hop by `finish`. A longer one goes to its
/// temporary file a chunk at a time, each written while the next is being made.
pub(crate) struct FileSink {
    tree: Arc<Tree>,
    path: ObjectPath,
    state: State,
}

enum State {
    Gathering {
        parts: Box<WriteParts>,
        pieces: Vec<Bytes>,
        size: usize,
    },
    /// At most one chunk is being written. Dropping the handle drops the draft when that is done.
    Drafting(JoinHandle<Result<Box<Draft>>>),
    Failed,
}

impl FileSink {
    pub(crate) fn new(tree: Arc<Tree>, path: ObjectPath, parts: WriteParts) -> Self {
        let state = State::Gathering {
            parts: Box::new(parts),
            pieces: Vec::new(),
            size: 0,
        };
        Self { tree, path, state }
    }

    /// Starts the temporary file with what was gathered.
    fn spill(&self, parts: WriteParts, pieces: Vec<Bytes>) -> State {
        let (tree, path) = (Arc::clone(&self.tree), self.path.clone());
        State::Drafting(spawn_blocking(move || {
            let mut draft = Draft::begin(tree, path, parts)?;
            draft.write(&pieces)?;
            Ok(Box::new(draft))
        }))
    }

    /// The draft once its chunk is written.
    async fn drafted(handle: &mut JoinHandle<Result<Box<Draft>>>) -> Result<Box<Draft>> {
        handle.await.map_err(lost)?
    }
}

fn failed() -> Error {
    Error::new(ErrorKind::WriterClosed, "an earlier chunk failed")
}

#[async_trait]
impl WriteSink for FileSink {
    fn chunk_size(&self) -> usize {
        CHUNK
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        match mem::replace(&mut self.state, State::Failed) {
            State::Gathering {
                parts,
                mut pieces,
                size,
            } => {
                let size = size + chunk.len();
                pieces.push(chunk);
                self.state = if size > CHUNK {
                    self.spill(*parts, pieces)
                } else {
                    State::Gathering {
                        parts,
                        pieces,
                        size,
                    }
                };
            }
            State::Drafting(mut handle) => {
                let mut draft = Self::drafted(&mut handle).await?;
                self.state = State::Drafting(spawn_blocking(move || {
                    draft.write(&[chunk])?;
                    Ok(draft)
                }));
            }
            State::Failed => return Err(failed()),
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        match mem::replace(&mut self.state, State::Failed) {
            State::Gathering { parts, pieces, .. } => self.state = self.spill(*parts, pieces),
            other => self.state = other,
        }
        let State::Drafting(handle) = &mut self.state else {
            return Err(failed());
        };
        let draft = Self::drafted(handle).await;
        self.state = State::Failed;
        let draft = draft?;
        self.state = State::Drafting(spawn_blocking(move || Ok(draft)));
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        let Self { tree, path, state } = *self;
        match state {
            State::Gathering { parts, pieces, .. } => {
                let payload = Payload::from(pieces);
                hop(move || draft::write_all(&tree, &path, &payload, *parts)).await
            }
            State::Drafting(mut handle) => {
                let draft = Self::drafted(&mut handle).await?;
                hop(move || draft.publish(Attributes::default())).await
            }
            State::Failed => Err(failed()),
        }
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        if let State::Drafting(mut handle) = self.state {
            // A failed write has nothing left to remove.
            if let Ok(draft) = Self::drafted(&mut handle).await {
                return hop(move || {
                    drop(draft);
                    Ok(())
                })
                .await;
            }
        }
        Ok(())
    }
}
