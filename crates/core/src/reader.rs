use std::fmt;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::{Error, ErrorKind, ObjectInfo, Payload, PayloadSource, Result};

/// A boxed stream of chunks, the currency between backends.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Most that [`Reader::bytes`] reserves before the bytes have really arrived.
const MAX_RESERVE: u64 = 64 << 20;

/// One consistent object, or a range of it, being read.
///
/// It is at once an [`AsyncRead`], an [`AsyncBufRead`] and a [`Stream`] of [`Bytes`]; use one of
/// them, or [`bytes`](Self::bytes) for everything at once. Bytes that a backend has in memory are
/// handed over without a copy. A body that ends before its announced length is a transient error of
/// kind `Corrupt`, never a short success. Dropping a reader releases everything it holds.
pub struct Reader {
    info: Box<ObjectInfo>,
    range: Option<Range<u64>>,
    remaining: Option<u64>,
    current: Bytes,
    rest: Option<ByteStream>,
    source: Option<Arc<dyn PayloadSource>>,
}

impl Reader {
    /// A reader of bytes in memory. `range` is where in the object they lie.
    #[must_use]
    pub fn from_bytes(info: ObjectInfo, range: Range<u64>, bytes: Bytes) -> Self {
        let remaining = Some(range.end.saturating_sub(range.start));
        Self {
            info: Box::new(info),
            range: Some(range),
            remaining,
            current: bytes,
            rest: None,
            source: None,
        }
    }

    /// A reader of a stream that must give exactly the bytes of `range`.
    #[must_use]
    pub fn from_stream(info: ObjectInfo, range: Range<u64>, stream: ByteStream) -> Self {
        let mut reader = Self::from_bytes(info, range, Bytes::new());
        reader.rest = Some(stream);
        reader
    }

    /// A reader of a stream whose length is not known beforehand.
    #[must_use]
    pub fn from_unsized_stream(info: ObjectInfo, stream: ByteStream) -> Self {
        let mut reader = Self::from_stream(info, 0..0, stream);
        (reader.range, reader.remaining) = (None, None);
        reader
    }

    /// Adds a source that gives the same bytes any number of times, which
    /// [`into_payload`](Self::into_payload) then hands to a writing backend.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn PayloadSource>) -> Self {
        self.source = Some(source);
        self
    }

    /// Replaces what is said of the object: for wrappers that show it under another name.
    #[must_use]
    pub fn with_info(mut self, info: ObjectInfo) -> Self {
        *self.info = info;
        self
    }

    /// Passes what is still to come through `wrap`, for wrappers: bytes in memory and a
    /// [source](Self::with_source) stay as they are.
    #[must_use]
    pub fn map_stream(mut self, wrap: impl FnOnce(ByteStream) -> ByteStream) -> Self {
        self.rest = self.rest.map(wrap);
        self
    }

    /// What the backend said of the object when it was opened; `size` is that of the whole object.
    #[must_use]
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The bytes of the object that this reader gives; `None` when the length is not known.
    #[must_use]
    pub fn range(&self) -> Option<Range<u64>> {
        self.range.clone()
    }

    /// Bytes still to come; `None` when the length is not known.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        self.remaining
    }

    /// The content as a payload that can be written, and written again, without going through this
    /// reader: bytes in memory, or a file that the operating system can copy.
    ///
    /// # Errors
    /// Gives the reader back when its bytes can be streamed only once, or some were already taken.
    pub fn into_payload(self) -> Result<Payload, Self> {
        let untouched = self.remaining == self.range.as_ref().map(|range| range.end - range.start);
        match (&self.source, &self.rest) {
            (Some(source), _) if untouched => Ok(Payload::from_source(Arc::clone(source))),
            (None, None) if untouched && Some(self.current.len() as u64) == self.remaining => {
                Ok(self.current.into())
            }
            _ => Err(self),
        }
    }

    /// Everything that is left, in one piece; without a copy when it is one piece already.
    ///
    /// # Errors
    /// The first error of the stream; `Corrupt` when it ends early or goes on too long.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let Some(first) = self.chunk().await else {
            return Ok(Bytes::new());
        };
        let first = first?;
        let Some(second) = self.chunk().await else {
            return Ok(first);
        };
        let expected = self.remaining.unwrap_or(0).min(MAX_RESERVE) as usize;
        let mut all = BytesMut::with_capacity(first.len() + expected);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second?);
        while let Some(chunk) = self.chunk().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all.freeze())
    }

    /// The next chunk, `None` at the end. Cancel safe: a dropped call takes nothing.
    pub async fn chunk(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let filled = ready!(self.poll_current(cx));
        let chunk = std::mem::take(&mut self.current);
        Poll::Ready(match filled {
            Err(error) => Some(Err(error)),
            Ok(()) if chunk.is_empty() => None,
            Ok(()) => {
                self.took(chunk.len());
                Some(Ok(chunk))
            }
        })
    }

    /// Makes `current` non-empty unless the stream has ended.
    fn poll_current(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while self.current.is_empty() {
            let next = match &mut self.rest {
                Some(rest) => ready!(rest.as_mut().poll_next(cx)),
                None => None,
            };
            match next {
                Some(Ok(chunk)) => self.current = chunk,
                Some(Err(error)) => {
                    self.end();
                    return Poll::Ready(Err(error.with_path(&self.info.path)));
                }
                None => {
                    let missing = self.remaining.unwrap_or(0);
                    self.end();
                    if missing > 0 {
                        // As a cut connection does: another try may give all of it.
                        let error = self.wrong_length("ended", missing, "early");
                        return Poll::Ready(Err(error.with_transient(true)));
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
        let excess = match self.remaining {
            Some(remaining) => (self.current.len() as u64).saturating_sub(remaining),
            None => 0,
        };
        if excess > 0 {
            self.end();
            return Poll::Ready(Err(self.wrong_length("went on", excess, "too long")));
        }
        Poll::Ready(Ok(()))
    }

    fn took(&mut self, count: usize) {
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.saturating_sub(count as u64);
        }
    }

    fn end(&mut self) {
        (self.rest, self.remaining, self.current) = (None, Some(0), Bytes::new());
    }

    fn wrong_length(&self, did: &str, count: u64, how: &str) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!("the stream {did} {count} bytes {how}"),
        )
        .with_path(&self.info.path)
    }
}

impl Stream for Reader {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_current(cx))?;
        let count = self.current.len().min(buf.remaining());
        buf.put_slice(&self.current[..count]);
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_current(cx))?;
        Poll::Ready(Ok(&this.current))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let amount = amount.min(self.current.len());
        self.current.advance(amount);
        self.took(amount);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("info", &self.info)
            .field("range", &self.range)
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}
