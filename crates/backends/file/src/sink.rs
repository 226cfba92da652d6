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
    /// Everything given so far is in the temporary file.
    Idle(Box<Draft>),
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

    /// Starts adding a chunk.
    fn add(mut draft: Box<Draft>, chunk: Bytes) -> State {
        State::Drafting(spawn_blocking(move || {
            draft.write(&[chunk])?;
            Ok(draft)
        }))
    }

    /// The draft once its chunk is written.
    async fn drafted(handle: JoinHandle<Result<Box<Draft>>>) -> Result<Box<Draft>> {
        handle.await.map_err(lost)?
    }

    /// The draft with everything given so far, if there is one.
    async fn settled(state: State) -> Result<Box<Draft>> {
        match state {
            State::Drafting(handle) => Self::drafted(handle).await,
            State::Idle(draft) => Ok(draft),
            State::Gathering { .. } | State::Failed => Err(failed()),
        }
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
            State::Drafting(handle) => self.state = Self::add(Self::drafted(handle).await?, chunk),
            State::Idle(draft) => self.state = Self::add(draft, chunk),
            State::Failed => return Err(failed()),
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let state = match mem::replace(&mut self.state, State::Failed) {
            State::Gathering { parts, pieces, .. } => self.spill(*parts, pieces),
            other => other,
        };
        self.state = State::Idle(Self::settled(state).await?);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        let Self { tree, path, state } = *self;
        if let State::Gathering { parts, pieces, .. } = state {
            let payload = Payload::from(pieces);
            return hop(move || draft::write_all(&tree, &path, &payload, *parts)).await;
        }
        let draft = Self::settled(state).await?;
        hop(move || draft.publish(Attributes::default())).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        match Self::settled(self.state).await {
            Ok(draft) => {
                let remove = move || {
                    drop(draft);
                    Ok(())
                };
                hop(remove).await
            }
            // Nothing was begun, or what failed has nothing left to remove.
            Err(_) => Ok(()),
        }
    }
}
