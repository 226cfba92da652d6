//! Streams that come in pieces and wait in between.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

/// Gives `data` in pieces of at most `piece` bytes and is pending once before each.
pub(crate) struct Pieces<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) piece: usize,
    ready: bool,
    taken: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(data: &'a [u8], piece: usize) -> Self {
        Self {
            data,
            piece,
            ready: false,
            taken: 0,
        }
    }
}

impl AsyncBufRead for Pieces<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if !this.ready {
            this.ready = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(
            &this.data[..this.data.len().min(this.piece - this.taken)]
        ))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.data = &self.data[amount..];
        self.taken += amount;
        if self.taken == self.piece {
            (self.taken, self.ready) = (0, false);
        }
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        unreachable!("decompressors read through AsyncBufRead")
    }
}

/// Takes at most `piece` bytes at a time and is pending before each; fails after `fails_after` bytes.
pub(crate) struct Trickle {
    pub(crate) data: Vec<u8>,
    pub(crate) piece: usize,
    pub(crate) fails_after: usize,
    pub(crate) shut: bool,
    ready: bool,
}

impl Trickle {
    pub(crate) fn new(piece: usize) -> Self {
        Self {
            data: Vec::new(),
            piece,
            fails_after: usize::MAX,
            shut: false,
            ready: false,
        }
    }

    /// Pending once, then ready once.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ready = !self.ready;
        if self.ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.turn(cx));
        let count = buf.len().min(self.piece);
        if self.data.len() + count > self.fails_after {
            return Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
        }
        self.data.extend_from_slice(&buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.turn(cx).map(Ok)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.turn(cx));
        self.shut = true;
        Poll::Ready(Ok(()))
    }
}
