use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use storage_core::{Error, ErrorKind, Result, Writer, Written};
use tokio::io::AsyncWrite;

use crate::sink::CompressSink;
use crate::{Encode, Output};

/// Compressed bytes gathered before they are passed on.
const BUFFER: usize = 128 * 1024;

/// Most that one call of the codec takes, so that a call ends soon at slow levels too.
const MAX_INPUT: usize = 256 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was taken since the last flush of the codec.
    Clean,
    /// The codec may hold something back.
    Dirty,
    /// The codec has begun a flush and must end it first.
    Flushing,
    /// The codec has begun to end the stream.
    Finishing,
    /// The codec is done; the rest of the buffer and the layer below remain.
    Finished,
    /// Never closes the layer below, which so publishes nothing.
    Failed,
}

/// Compresses what is written to it into `W`.
///
/// A [flush](AsyncWrite::poll_flush) passes on everything written so far, so that whoever reads what
/// lies below can decompress it; each costs a few bytes and some of the ratio.
/// A [shutdown](AsyncWrite::poll_shutdown) ends the stream and shuts `W` down, which over a [`Writer`]
/// publishes the object; a second one is fine. **Dropping it ends nothing**: a `Writer` below is
/// dropped with it and so aborts.
///
/// # Errors
/// Wrapped in [`io::Error`], from which [`Error::from`] brings them back: those of `W`, `Other` when
/// the codec fails. After a failure every call is `WriterClosed` and `W` is never shut down, so that
/// nothing incomplete is published. A write after the shutdown is `WriterClosed`.
///
/// # Cancellation, blocking
/// Cancel safe: a dropped write took nothing, a dropped flush or shutdown goes on with the next call.
/// Compression runs inside the call, at most 256 KiB of input at a time.
pub struct CompressWriter<W, E> {
    inner: W,
    codec: E,
    state: State,
    /// Allocated by the first call that needs it.
    buffer: Vec<u8>,
    /// What of `buffer` is not yet passed on.
    start: usize,
    end: usize,
}

impl<W, E> CompressWriter<W, E> {
    /// Compresses into `inner`.
    pub const fn new(inner: W, codec: E) -> Self {
        Self {
            inner,
            codec,
            state: State::Clean,
            buffer: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    /// The layer below.
    #[must_use]
    pub const fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Gives up compressing. Unless the writer was shut down, what `inner` has got is incomplete.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<E: Encode> CompressWriter<Writer, E> {
    /// Ends the stream and publishes the object. What comes back is of the compressed bytes. A second
    /// call returns the same again.
    ///
    /// # Errors
    /// As those of a shutdown.
    pub async fn finish(&mut self) -> Result<Written> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_shutdown(cx)).await?;
        self.inner.finish().await
    }

    /// As a writer of the contract: its `finish` ends the stream and publishes the object.
    #[must_use]
    pub fn into_writer(self) -> Writer
    where
        E: 'static,
    {
        let (backend, path) = (self.inner.backend(), self.inner.path().clone());
        Writer::new(backend, path, CompressSink(self))
    }

    /// Abandons the write and waits until nothing of it is left.
    ///
    /// # Errors
    /// Those of the backend while cleaning up.
    pub async fn abort(self) -> Result<()> {
        self.inner.abort().await
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> CompressWriter<W, E> {
    /// Passes the buffer on until it is empty.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self
            .buffer
            .get(self.start..self.end)
            .filter(|r| !r.is_empty())
        {
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest)) {
                Ok(0) => return Poll::Ready(Err(self.fail(io::ErrorKind::WriteZero.into()))),
                Ok(count) => self.start += count,
                Err(error) => return Poll::Ready(Err(self.fail(error))),
            }
        }
        (self.start, self.end) = (0, 0);
        Poll::Ready(Ok(()))
    }

    /// Calls the codec with room in the buffer, after passing a full one on.
    fn poll_codec<T>(
        &mut self,
        cx: &mut Context<'_>,
        call: impl FnOnce(&mut E, &mut Output<'_>) -> Result<T>,
    ) -> Poll<io::Result<T>> {
        if self.buffer.is_empty() {
            self.buffer.resize(BUFFER, 0);
        }
        if self.end == self.buffer.len() {
            ready!(self.poll_drain(cx))?;
        }
        let mut output = Output::new(self.buffer.get_mut(self.end..).unwrap_or_default());
        let called = call(&mut self.codec, &mut output);
        self.end += output.filled();
        Poll::Ready(called.map_err(|error| self.fail(error.into())))
    }

    /// Runs a flush of the codec, if one is under way, to its end.
    fn poll_flush_codec(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.state == State::Flushing {
            if ready!(self.poll_codec(cx, |codec, output| codec.flush(output)))? {
                self.state = State::Clean;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn fail(&mut self, error: io::Error) -> io::Error {
        self.state = State::Failed;
        error
    }

    fn closed() -> io::Error {
        let message = "the compressor was shut down or failed before";
        Error::new(ErrorKind::WriterClosed, message).into()
    }
}

impl<W: AsyncWrite + Unpin, E: Encode> AsyncWrite for CompressWriter<W, E> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !matches!(this.state, State::Clean | State::Dirty | State::Flushing) {
            return Poll::Ready(Err(Self::closed()));
        }
        ready!(this.poll_flush_codec(cx))?;
        let (now, _) = buf.split_at(buf.len().min(MAX_INPUT));
        let mut input = now;
        // Until the codec takes something: what it held back may fill the buffer first.
        while !buf.is_empty() && input.len() == now.len() {
            this.state = State::Dirty;
            ready!(this.poll_codec(cx, |codec, output| codec.encode(&mut input, output)))?;
        }
        Poll::Ready(Ok(now.len() - input.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.state {
            State::Failed => return Poll::Ready(Err(Self::closed())),
            State::Dirty => this.state = State::Flushing,
            State::Clean | State::Flushing | State::Finishing | State::Finished => {}
        }
        ready!(this.poll_flush_codec(cx))?;
        ready!(this.poll_drain(cx))?;
        let flushed = ready!(Pin::new(&mut this.inner).poll_flush(cx));
        Poll::Ready(flushed.map_err(|error| this.fail(error)))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_flush_codec(cx))?;
        loop {
            match this.state {
                State::Failed => return Poll::Ready(Err(Self::closed())),
                State::Finished => break,
                State::Clean | State::Dirty | State::Flushing | State::Finishing => {
                    this.state = State::Finishing;
                    if ready!(this.poll_codec(cx, |codec, output| codec.finish(output)))? {
                        this.state = State::Finished;
                    }
                }
            }
        }
        ready!(this.poll_drain(cx))?;
        let shut = ready!(Pin::new(&mut this.inner).poll_shutdown(cx));
        Poll::Ready(shut.map_err(|error| this.fail(error)))
    }
}

impl<W: fmt::Debug, E> fmt::Debug for CompressWriter<W, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompressWriter")
            .field("inner", &self.inner)
            .field("state", &self.state)
            .field("buffered", &(self.end - self.start))
            .finish_non_exhaustive()
    }
}
