//! Streaming an open file in pooled chunks, one read ahead.

use std::fs::File;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::{ByteStream, PayloadSource, Result};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::failure::{failure, lost};
use crate::pool::{CHUNK, Pool};
use crate::sys;
use crate::transfer::cut_short;

/// The bytes of one range of an open file. Begins to read when first polled; while one chunk is
/// being used, the next is read.
pub(crate) struct FileStream {
    file: Arc<File>,
    rest: Range<u64>,
    pool: Pool,
    ahead: Option<JoinHandle<Result<Bytes>>>,
}

impl FileStream {
    pub(crate) fn new(file: Arc<File>, range: Range<u64>, pool: Pool) -> Self {
        Self {
            file,
            rest: range,
            pool,
            ahead: None,
        }
    }

    /// Starts the read of the next chunk, if there is one.
    fn read_ahead(&mut self) {
        if self.rest.is_empty() {
            return;
        }
        let end = self.rest.end.min(self.rest.start + CHUNK as u64);
        let range = std::mem::replace(&mut self.rest.start, end)..end;
        let (file, pool) = (Arc::clone(&self.file), self.pool.clone());
        self.ahead = Some(spawn_blocking(move || {
            let mut buffer = pool.take();
            sys::read_into(&file, &range, &mut buffer).map_err(failure)?;
            let missing = range.end - range.start - buffer.len() as u64;
            if missing > 0 {
                pool.give(buffer);
                return Err(cut_short(missing));
            }
            Ok(pool.share(buffer))
        }));
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ahead.is_none() {
            self.read_ahead();
        }
        let Some(ahead) = &mut self.ahead else {
            return Poll::Ready(None);
        };
        let chunk = ready!(Pin::new(ahead).poll(cx)).map_err(lost).flatten();
        self.ahead = None;
        match chunk {
            Ok(_) => self.read_ahead(),
            Err(_) => self.rest.start = self.rest.end,
        }
        Poll::Ready(Some(chunk))
    }
}

/// A range of an open file, as a payload that can be read again and again, or copied by the system.
pub(crate) struct FileSource {
    file: Arc<File>,
    range: Range<u64>,
    pool: Pool,
}

impl FileSource {
    pub(crate) fn new(file: Arc<File>, range: Range<u64>, pool: Pool) -> Self {
        Self { file, range, pool }
    }
}

impl PayloadSource for FileSource {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn stream(&self) -> ByteStream {
        Box::pin(FileStream::new(
            Arc::clone(&self.file),
            self.range.clone(),
            self.pool.clone(),
        ))
    }

    fn file(&self) -> Option<(&File, Range<u64>)> {
        Some((&self.file, self.range.clone()))
    }
}
