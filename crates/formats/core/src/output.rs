use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use storage_core::{Error, ErrorKind, Result};
use tokio::io::AsyncWrite;

/// Bytes gathered before the layer below is given them.
const GATHER: usize = 64 << 10;

/// The layer below a writer, with a buffer that gathers small records for it.
///
/// A record is appended to the buffer whole and without waiting, so that a cancelled call or a
/// failure never leaves half a record in an open stream. The buffer holds up to 64 KiB and one
/// record more. A failure drops the layer below, which then publishes nothing, and a later close
/// cannot mend that.
pub(crate) struct Output<W> {
    /// Gone after a failure.
    inner: Option<W>,
    buffer: Vec<u8>,
    /// How much of `buffer` the layer below has taken.
    taken: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closing,
    Closed,
}

impl<W> Output<W> {
    /// Over the layer below.
    pub(crate) const fn new(inner: W) -> Self {
        Self {
            inner: Some(inner),
            buffer: Vec::new(),
            taken: 0,
            state: State::Open,
        }
    }

    /// The layer below; `None` after a failure.
    pub(crate) const fn get_ref(&self) -> Option<&W> {
        self.inner.as_ref()
    }

    /// The layer below again; `None` after a failure. What was not flushed is discarded: close
    /// first.
    pub(crate) fn into_inner(self) -> Option<W> {
        self.inner
    }

    /// The buffer to append one whole record to, if there is room without waiting. Only append to
    /// it, or cut off what was appended in the same call.
    pub(crate) fn try_ready(&mut self) -> Option<&mut Vec<u8>> {
        self.last().filter(|buffer| buffer.len() < GATHER)
    }

    /// The buffer to append what ends the stream to, whatever room there is; `None` once closing has
    /// begun.
    pub(crate) fn last(&mut self) -> Option<&mut Vec<u8>> {
        let open = self.inner.is_some() && self.state == State::Open;
        open.then_some(&mut self.buffer)
    }

    fn closed() -> Error {
        let message = "the writer was closed or failed before";
        Error::new(ErrorKind::WriterClosed, message)
    }
}

impl<W: AsyncWrite + Unpin> Output<W> {
    /// Waits for room and gives the buffer to append one whole record to, as
    /// [`try_ready`](Self::try_ready). Cancel safe: a dropped call has appended nothing.
    ///
    /// # Errors
    /// Those of the layer below, which close the output; `WriterClosed` then and after a close.
    pub(crate) async fn ready(&mut self) -> Result<&mut Vec<u8>> {
        if self.state != State::Open || self.inner.is_none() {
            return Err(Self::closed());
        }
        if self.buffer.len() >= GATHER {
            std::future::poll_fn(|cx| self.poll_drain(cx)).await?;
        }
        Ok(&mut self.buffer)
    }

    /// Hands everything to the layer below and flushes that. Goes on where a dropped call stopped;
    /// does nothing after a close.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub(crate) async fn flush(&mut self) -> Result<()> {
        if self.state == State::Closed {
            return Ok(());
        }
        std::future::poll_fn(|cx| {
            ready!(self.poll_drain(cx))?;
            self.poll_inner(cx, |inner, cx| inner.poll_flush(cx))
        })
        .await
    }

    /// Hands everything to the layer below and shuts that down, which closes the whole stack. Goes on
    /// where a dropped call stopped; a second call does nothing.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub(crate) async fn close(&mut self) -> Result<()> {
        if self.state == State::Closed {
            return Ok(());
        }
        self.state = State::Closing;
        std::future::poll_fn(|cx| {
            ready!(self.poll_drain(cx))?;
            self.poll_inner(cx, |inner, cx| inner.poll_shutdown(cx))
        })
        .await?;
        self.state = State::Closed;
        self.buffer = Vec::new();
        Ok(())
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while self.taken < self.buffer.len() {
            let inner = self.inner.as_mut().ok_or_else(Self::closed)?;
            match ready!(Pin::new(inner).poll_write(cx, &self.buffer[self.taken..])) {
                Ok(0) => return Poll::Ready(Err(self.fail(io::ErrorKind::WriteZero.into()))),
                Ok(count) => self.taken += count,
                Err(error) => return Poll::Ready(Err(self.fail(error))),
            }
        }
        self.buffer.clear();
        self.buffer.shrink_to(4 * GATHER);
        self.taken = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_inner(
        &mut self,
        cx: &mut Context<'_>,
        call: impl FnOnce(Pin<&mut W>, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<Result<()>> {
        let inner = self.inner.as_mut().ok_or_else(Self::closed)?;
        let done = ready!(call(Pin::new(inner), cx));
        Poll::Ready(done.map_err(|error| self.fail(error)))
    }

    fn fail(&mut self, error: io::Error) -> Error {
        self.inner = None;
        self.buffer = Vec::new();
        self.taken = 0;
        error.into()
    }
}

impl<W> fmt::Debug for Output<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("state", &self.state)
            .field("failed", &self.inner.is_none())
            .field("buffered", &(self.buffer.len() - self.taken))
            .finish()
    }
}
