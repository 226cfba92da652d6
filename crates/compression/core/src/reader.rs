use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use storage_core::{Error, ErrorKind, Hashes, Reader, Result};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::{Decode, DecodeError, Fault, Limits, Output};

/// Bytes decompressed at a time and handed out as one chunk.
const BUFFER: usize = 128 * 1024;

/// Smaller pieces than this are not worth a call of the codec of their own.
const DIRECT: usize = 32 * 1024;

enum State {
    Reading,
    Ended,
    /// Stays, so that no later call can take the failure for an end.
    Broken(DecodeError),
    /// The layer below failed; the error is handed out once.
    Below(Option<io::Error>),
}

/// Decompresses what it reads from `R`, whole streams to their end: all members or frames.
///
/// At once an [`AsyncBufRead`] (the way without a copy), an [`AsyncRead`] and a [`Stream`] of
/// [`Bytes`]; use one of them. Chunks have up to 128 KiB. What can be decompressed of the input that
/// is there is handed out before more input is waited for.
///
/// # Errors
/// Wrapped in [`io::Error`], from which [`Error::from`] brings them back. Once a reader has failed,
/// every call fails: an error is never followed by an end of stream.
/// - `Corrupt` for input that is malformed, fails its checksum or ends too early. [`DecodeError::of`]
///   gives the offset. Every byte handed out before is right, as far as the format's checksums reach.
/// - `QuotaExceeded` past the [`Limits`].
/// - `Other` when memory runs out. Those of `R`; afterwards `ReaderClosed`.
///
/// # Cancellation, blocking
/// Cancel safe: a dropped call takes nothing. Decompression runs inside the call, at most 128 KiB of
/// output at a time.
pub struct DecompressReader<R, D> {
    inner: R,
    codec: D,
    limits: Limits,
    /// Allocated by the first call that needs it.
    buffer: Vec<u8>,
    /// What of `buffer` is not yet taken.
    start: usize,
    end: usize,
    /// Whether the codec holds nothing back and needs input.
    drained: bool,
    consumed: u64,
    produced: u64,
    state: State,
    /// Recycles the chunks of the [`Stream`] once they are dropped.
    chunks: BytesMut,
}

impl<R, D> DecompressReader<R, D> {
    /// Decompresses `inner` without limits.
    pub fn new(inner: R, codec: D) -> Self {
        Self {
            inner,
            codec,
            limits: Limits::default(),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            drained: true,
            consumed: 0,
            produced: 0,
            state: State::Reading,
            chunks: BytesMut::new(),
        }
    }

    /// Sets limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Compressed bytes taken so far.
    #[must_use]
    pub const fn compressed_bytes(&self) -> u64 {
        self.consumed
    }

    /// The layer below.
    #[must_use]
    pub const fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Gives up decompressing. Input that the codec has taken, and output not yet read, are lost.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<D: Decode + 'static> DecompressReader<Reader, D> {
    /// As a reader of the contract, which keeps what is known of the object except its size, tag and
    /// hashes: those are of the compressed bytes.
    #[must_use]
    pub fn into_reader(self) -> Reader {
        let mut info = self.inner.info().clone();
        (info.size, info.etag, info.hashes) = (None, None, Hashes::new());
        Reader::from_unsized_stream(info, Box::pin(self))
    }
}

impl<R: AsyncBufRead + Unpin, D: Decode> DecompressReader<R, D> {
    /// Fills `output` as far as it goes without waiting; waits only while it is empty. Leaves it
    /// empty at the end and after a failure.
    fn poll_decode(&mut self, cx: &mut Context<'_>, output: &mut Output<'_>) -> Poll<()> {
        while matches!(self.state, State::Reading) && !output.is_full() {
            let before = output.filled();
            let decoded = if !self.drained {
                Some(self.codec.decode(&mut &[][..], output))
            } else if let Poll::Ready(decoded) = self.poll_decode_input(cx, output) {
                decoded
            } else if before == 0 {
                return Poll::Pending;
            } else {
                break;
            };
            if let Some(decoded) = decoded {
                self.drained = !output.is_full();
                self.account(before, output, decoded);
            }
        }
        Poll::Ready(())
    }

    /// Decodes some of the input; `None` when there is none and the state says why.
    fn poll_decode_input(
        &mut self,
        cx: &mut Context<'_>,
        output: &mut Output<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        let mut input = match ready!(Pin::new(&mut self.inner).poll_fill_buf(cx)) {
            Ok(input) => input,
            Err(error) => {
                self.state = State::Below(Some(error));
                return Poll::Ready(None);
            }
        };
        if input.is_empty() {
            self.end_of_input();
            return Poll::Ready(None);
        }
        let (available, before) = (input.len(), output.filled());
        let mut decoded = self.codec.decode(&mut input, output);
        let taken = available - input.len();
        Pin::new(&mut self.inner).consume(taken);
        self.consumed += taken as u64;
        if taken == 0 && output.filled() == before {
            // Else the loop would have no end.
            decoded = decoded.and(Err("the codec makes no progress".into()));
        }
        Poll::Ready(Some(decoded))
    }

    fn end_of_input(&mut self) {
        self.state = match self.codec.may_end() {
            true => State::Ended,
            false => State::Broken(DecodeError::Truncated {
                compression: self.codec.compression(),
                offset: self.consumed,
            }),
        };
    }

    /// Counts what came out beyond `before`, and fails where it may not have.
    fn account(&mut self, before: usize, output: &mut Output<'_>, decoded: Result<(), Fault>) {
        let fresh = output.filled() - before;
        self.produced += fresh as u64;
        let (compression, offset) = (self.codec.compression(), self.consumed);
        let broken = decoded.err().map(|fault| match fault {
            Fault::Malformed(reason) => DecodeError::Corrupt {
                compression,
                offset,
                reason,
            },
            Fault::OutOfMemory => DecodeError::OutOfMemory {
                compression,
                offset,
            },
        });
        let excess = self.limits.check(compression, offset, self.produced);
        if let Some((limit, excess)) = excess {
            output.retract(fresh.min(usize::try_from(excess).unwrap_or(fresh)));
            self.state = State::Broken(limit);
        } else if let Some(broken) = broken {
            self.state = State::Broken(broken);
        }
    }

    /// What an empty output means.
    fn outcome(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Reading | State::Ended => Ok(()),
            State::Broken(failure) => Err(Error::from(failure.clone()).into()),
            State::Below(error) => Err(error.take().unwrap_or_else(|| {
                Error::new(ErrorKind::ReaderClosed, "the layer below failed before").into()
            })),
        }
    }

    /// Makes the buffer non-empty unless the stream has ended.
    fn poll_buffer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.start < self.end {
            return Poll::Ready(Ok(()));
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.is_empty() {
            buffer.resize(BUFFER, 0);
        }
        let mut output = Output::new(&mut buffer);
        let polled = self.poll_decode(cx, &mut output);
        (self.start, self.end) = (0, output.filled());
        self.buffer = buffer;
        ready!(polled);
        Poll::Ready(if self.end == 0 {
            self.outcome()
        } else {
            Ok(())
        })
    }

    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }
}

impl<R: AsyncBufRead + Unpin, D: Decode> AsyncBufRead for DecompressReader<R, D> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_buffer(cx))?;
        Poll::Ready(Ok(this.buffered()))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.start = self.start.saturating_add(amount).min(self.end);
    }
}

impl<R: AsyncBufRead + Unpin, D: Decode> AsyncRead for DecompressReader<R, D> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let initialized = buf.initialized().len() == buf.capacity();
        if this.start == this.end && initialized && buf.remaining() >= DIRECT {
            // Straight into the caller's memory. Memory that is not initialized would have to be
            // zeroed first, which costs more than a copy out of the buffer.
            let room = buf.remaining().min(BUFFER);
            let mut output = Output::new(buf.initialize_unfilled_to(room));
            ready!(this.poll_decode(cx, &mut output));
            let count = output.filled();
            buf.advance(count);
            return Poll::Ready(if count == 0 { this.outcome() } else { Ok(()) });
        }
        if buf.remaining() > 0 {
            ready!(this.poll_buffer(cx))?;
            let count = this.buffered().len().min(buf.remaining());
            buf.put_slice(&this.buffered()[..count]);
            this.start += count;
        }
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncBufRead + Unpin, D: Decode> Stream for DecompressReader<R, D> {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        ready!(this.poll_buffer(cx))?;
        if this.start == this.end {
            return Poll::Ready(None);
        }
        let mut chunks = std::mem::take(&mut this.chunks);
        chunks.extend_from_slice(this.buffered());
        this.start = this.end;
        let chunk = chunks.split().freeze();
        this.chunks = chunks;
        Poll::Ready(Some(Ok(chunk)))
    }
}

impl<R: fmt::Debug, D> fmt::Debug for DecompressReader<R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecompressReader")
            .field("inner", &self.inner)
            .field("limits", &self.limits)
            .field("consumed", &self.consumed)
            .field("produced", &self.produced)
            .finish_non_exhaustive()
    }
}
