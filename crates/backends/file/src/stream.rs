//! Streaming an open file: from memory in pieces, on the worker; from a device in pooled chunks, read
//! ahead off the workers.

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
use crate::pool::{CHUNK, PIECE, Pool};
use crate::sys;
use crate::transfer::cut_short;

/// The bytes of one range of an open file. Begins to read when first polled. From the first byte on
/// that is not in memory, the next chunk is read while one is being used.
pub(crate) struct FileStream {
    file: Arc<File>,
    rest: Range<u64>,
    pool: Pool,
    /// Whether the file lies in memory anyway.
    in_memory: bool,
    /// Whether all that was read so far was in memory.
    cached: bool,
    ahead: Option<JoinHandle<Result<Bytes>>>,
}

impl FileStream {
    /// Reads the next piece if it is in memory: copying it takes less than a hop to another thread.
    fn read_cached(&mut self) -> Option<Bytes> {
        let end = self.rest.end.min(self.rest.start + PIECE as u64);
        if !self.cached || self.rest.is_empty() {
            return None;
        }
        let mut buffer = self.pool.take(PIECE);
        // No more than what an earlier use left to fill is written twice.
        buffer.resize((end - self.rest.start) as usize, 0);
        self.cached = sys::read_cached(&self.file, self.rest.start, &mut buffer, self.in_memory);
        if !self.cached {
            self.pool.give(buffer);
            return None;
        }
        self.rest.start = end;
        Some(self.pool.share(buffer))
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
            let mut buffer = pool.take(CHUNK);
            sys::read_exact(&file, &range, &mut buffer).map_err(failure)?;
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
            // A stream that is always ready must leave its worker to others now and then.
            let turn = ready!(tokio::task::coop::poll_proceed(cx));
            if let Some(chunk) = self.read_cached() {
                turn.made_progress();
                return Poll::Ready(Some(Ok(chunk)));
            }
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
    in_memory: bool,
}

impl FileSource {
    /// `in_memory` is for files that lie nowhere else.
    pub(crate) fn new(file: File, range: Range<u64>, pool: Pool, in_memory: bool) -> Self {
        Self {
            file: Arc::new(file),
            range,
            pool,
            in_memory,
        }
    }
}

impl PayloadSource for FileSource {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn stream(&self) -> ByteStream {
        Box::pin(FileStream {
            file: Arc::clone(&self.file),
            rest: self.range.clone(),
            pool: self.pool.clone(),
            in_memory: self.in_memory,
            cached: true,
            ahead: None,
        })
    }

    fn file(&self) -> Option<(&File, Range<u64>)> {
        Some((&self.file, self.range.clone()))
    }
}
