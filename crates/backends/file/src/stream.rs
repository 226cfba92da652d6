//! Streaming an open file: from memory on the worker and one more thread; from a device in pooled chunks,
//! read ahead off the workers.

use std::collections::VecDeque;
use std::fs::File;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::{ByteStream, PayloadSource, Result};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::call::lost;
use crate::failure::failure;
use crate::pool::{CHUNK, PIECE, Pool};
use crate::sys;
use crate::transfer::cut_short;

/// Bytes that one thread reads at a time: enough that waking it costs little beside them.
const SPAN: u64 = 2 * CHUNK as u64;

/// The bytes of one range of an open file. Begins to read when first polled.
///
/// As long as they are in memory, the polling thread copies one span, piece by piece, while another
/// thread copies the next. From the first byte on that is not, one span is read ahead of its use.
pub(crate) struct FileStream {
    file: Arc<File>,
    /// What nobody reads yet.
    rest: Range<u64>,
    /// What the polling thread reads.
    near: Range<u64>,
    /// What other threads read, after `near`.
    ahead: VecDeque<JoinHandle<Result<Vec<Bytes>>>>,
    /// What other threads have read, before all else.
    read: std::vec::IntoIter<Bytes>,
    pool: Pool,
    /// Whether the file lies in memory anyway.
    in_memory: bool,
    /// Whether all that was read so far was in memory.
    cached: bool,
}

impl FileStream {
    /// Takes up to a span of what nobody reads yet.
    fn take(&mut self) -> Range<u64> {
        let end = self.rest.end.min(self.rest.start + SPAN);
        std::mem::replace(&mut self.rest.start, end)..end
    }

    /// Shares the next spans out.
    fn share_out(&mut self) {
        if self.cached {
            self.near = self.take();
        }
        self.read_ahead();
    }

    /// Starts the read of the next span, if there is one.
    fn read_ahead(&mut self) {
        let range = self.take();
        if !range.is_empty() {
            self.ahead.push_back(self.start(range));
        }
    }

    /// Reads a span on another thread, a chunk at a time.
    fn start(&self, mut span: Range<u64>) -> JoinHandle<Result<Vec<Bytes>>> {
        let (file, pool) = (Arc::clone(&self.file), self.pool.clone());
        spawn_blocking(move || {
            let mut chunks = Vec::new();
            while !span.is_empty() {
                let end = span.end.min(span.start + CHUNK as u64);
                let range = std::mem::replace(&mut span.start, end)..end;
                let mut buffer = pool.take(CHUNK);
                sys::read_exact(&file, &range, &mut buffer).map_err(failure)?;
                let missing = range.end - range.start - buffer.len() as u64;
                if missing > 0 {
                    pool.give(buffer);
                    return Err(cut_short(missing));
                }
                chunks.push(pool.share(buffer));
            }
            Ok(chunks)
        })
    }

    /// Reads the next near piece if it is in memory.
    fn read_near(&mut self) -> Option<Bytes> {
        let end = self.near.end.min(self.near.start + PIECE as u64);
        let mut buffer = self.pool.take(PIECE);
        // No more than what an earlier use left to fill is written twice.
        buffer.resize((end - self.near.start) as usize, 0);
        self.cached = sys::read_cached(&self.file, self.near.start, &mut buffer, self.in_memory);
        if !self.cached {
            self.pool.give(buffer);
            return None;
        }
        self.near.start = end;
        Some(self.pool.share(buffer))
    }

    /// Reads no further.
    fn end(&mut self) {
        self.rest.start = self.rest.end;
        self.ahead.clear();
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(chunk) = self.read.next() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        if self.near.is_empty() && self.ahead.is_empty() {
            self.share_out();
        }
        if !self.near.is_empty() {
            // A stream that is always ready must leave its worker to others now and then.
            let turn = ready!(tokio::task::coop::poll_proceed(cx));
            if let Some(chunk) = self.read_near() {
                turn.made_progress();
                return Poll::Ready(Some(Ok(chunk)));
            }
            let near = std::mem::replace(&mut self.near, 0..0);
            let first = self.start(near);
            self.ahead.push_front(first);
        }
        let Some(ahead) = self.ahead.front_mut() else {
            return Poll::Ready(None);
        };
        let span = ready!(Pin::new(ahead).poll(cx)).map_err(lost).flatten();
        self.ahead.pop_front();
        match span {
            Err(error) => {
                self.end();
                Poll::Ready(Some(Err(error)))
            }
            Ok(chunks) => {
                if !self.cached && self.ahead.is_empty() {
                    self.read_ahead();
                }
                self.read = chunks.into_iter();
                Poll::Ready(self.read.next().map(Ok))
            }
        }
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
            near: 0..0,
            ahead: VecDeque::new(),
            read: Vec::new().into_iter(),
        })
    }

    fn file(&self) -> Option<(&File, Range<u64>)> {
        Some((&self.file, self.range.clone()))
    }
}
