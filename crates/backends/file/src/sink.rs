//! The writer's end of the backend: chunks gathered in memory, then in a temporary file.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    Error, ErrorKind, ObjectPath, Payload, Result, WriteParts, WriteSink, Written, async_trait,
};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::attributes::Attributes;
use crate::call::{hop, lost};
use crate::draft::{self, Draft};
use crate::pool::CHUNK;
use crate::tree::Tree;

/// Bytes written to the temporary file in one hop. A writer holds at most two parts.
const PART: usize = 2 * CHUNK;

/// Takes the chunks of one write.
///
/// They are gathered without a copy. An object of up to a [`CHUNK`] is written in one blocking hop by
/// `finish`; a longer one goes to its temporary file a [`PART`] at a time, each written while the next
/// is being made.
pub(crate) struct FileSink {
    tree: Arc<Tree>,
    path: ObjectPath,
    /// What the temporary file does not have yet, and its bytes.
    pieces: Vec<Bytes>,
    size: usize,
    state: State,
}

enum State {
    /// There is no temporary file.
    Gathering(Box<WriteParts>),
    /// A part is being written. Dropping the handle drops the draft when that is done.
    Drafting(JoinHandle<Result<Box<Draft>>>),
    /// The temporary file has every part so far.
    Idle(Box<Draft>),
    Failed,
}

impl FileSink {
    pub(crate) fn new(tree: Arc<Tree>, path: ObjectPath, parts: WriteParts) -> Self {
        let state = State::Gathering(Box::new(parts));
        Self {
            tree,
            path,
            pieces: Vec::new(),
            size: 0,
            state,
        }
    }

    /// Starts writing what was gathered, once the part before it is written.
    async fn write_out(&mut self) -> Result<()> {
        let state = mem::replace(&mut self.state, State::Failed);
        let pieces = mem::take(&mut self.pieces);
        self.size = 0;
        self.state = State::Drafting(match state {
            State::Gathering(parts) => {
                let (tree, path) = (Arc::clone(&self.tree), self.path.clone());
                spawn_blocking(move || {
                    let mut draft = Draft::begin(tree, path, *parts)?;
                    draft.write(&pieces)?;
                    Ok(Box::new(draft))
                })
            }
            state => {
                let mut draft = Self::settled(state).await?;
                spawn_blocking(move || {
                    draft.write(&pieces)?;
                    Ok(draft)
                })
            }
        });
        Ok(())
    }

    /// The draft with every part so far, if there is one.
    async fn settled(state: State) -> Result<Box<Draft>> {
        match state {
            State::Drafting(handle) => handle.await.map_err(lost)?,
            State::Idle(draft) => Ok(draft),
            State::Gathering(_) | State::Failed => Err(failed()),
        }
    }
}

fn failed() -> Error {
    Error::new(ErrorKind::WriterClosed, "an earlier chunk failed")
}

#[async_trait]
impl WriteSink for FileSink {
    /// Smaller than what is written at a time: larger chunks come without a copy.
    fn chunk_size(&self) -> usize {
        CHUNK / 8
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        if matches!(self.state, State::Failed) {
            return Err(failed());
        }
        self.size += chunk.len();
        self.pieces.push(chunk);
        let most = match self.state {
            State::Gathering(_) => CHUNK + 1,
            _ => PART,
        };
        if self.size >= most {
            self.write_out().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        if !self.pieces.is_empty() || matches!(self.state, State::Gathering(_)) {
            self.write_out().await?;
        }
        let state = mem::replace(&mut self.state, State::Failed);
        self.state = State::Idle(Self::settled(state).await?);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        let Self {
            tree,
            path,
            pieces,
            state,
            ..
        } = *self;
        if let State::Gathering(parts) = state {
            let payload = Payload::from(pieces);
            if let Some(written) = draft::write_inline(&tree, &path, &payload, &parts) {
                return written;
            }
            return hop(move || draft::write_all(&tree, &path, &payload, *parts)).await;
        }
        let mut draft = Self::settled(state).await?;
        hop(move || {
            draft.write(&pieces)?;
            draft.publish_last(Attributes::default())
        })
        .await
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
