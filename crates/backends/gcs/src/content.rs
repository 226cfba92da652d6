//! What is uploaded, as the library takes it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;

use bytes::{Buf, Bytes};
use google_cloud_storage::streaming_source::{Seek, SizeHint, StreamingSource};
use tokio::sync::mpsc;

/// Content that is there.
pub(crate) struct Chunks {
    all: Vec<Bytes>,
    rest: VecDeque<Bytes>,
}

impl Chunks {
    pub(crate) fn new(chunks: &[Bytes]) -> Self {
        Self {
            all: chunks.to_vec(),
            rest: chunks.iter().cloned().collect(),
        }
    }
}

impl StreamingSource for Chunks {
    type Error = Infallible;

    async fn next(&mut self) -> Option<Result<Bytes, Infallible>> {
        self.rest.pop_front().map(Ok)
    }

    async fn size_hint(&self) -> Result<SizeHint, Infallible> {
        let size = self.all.iter().map(|chunk| chunk.len() as u64).sum();
        Ok(SizeHint::with_exact(size))
    }
}

impl Seek for Chunks {
    type Error = Infallible;

    async fn seek(&mut self, offset: u64) -> Result<(), Infallible> {
        let mut skip = offset;
        self.rest.clear();
        for chunk in &self.all {
            let mut chunk = chunk.clone();
            let skipped = skip.min(chunk.len() as u64);
            chunk.advance(usize::try_from(skipped).unwrap_or(chunk.len()));
            skip -= skipped;
            if !chunk.is_empty() {
                self.rest.push_back(chunk);
            }
        }
        Ok(())
    }
}

/// The next of content that comes piece by piece.
pub(crate) enum Piece {
    Bytes(Bytes),
    End,
}

/// Content that comes piece by piece.
pub(crate) struct Pieces(mpsc::Receiver<Piece>);

impl Pieces {
    pub(crate) const fn new(pieces: mpsc::Receiver<Piece>) -> Self {
        Self(pieces)
    }
}

/// The writer was dropped before the content was complete.
#[derive(Debug)]
pub(crate) struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the writer was dropped")
    }
}

impl std::error::Error for Abandoned {}

impl StreamingSource for Pieces {
    type Error = Abandoned;

    async fn next(&mut self) -> Option<Result<Bytes, Abandoned>> {
        match self.0.recv().await {
            Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Piece::End) => None,
            None => Some(Err(Abandoned)),
        }
    }
}
