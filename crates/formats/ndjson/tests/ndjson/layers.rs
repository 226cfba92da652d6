//! Layers to stack formats on: chunk streams, and writers that wait, fail and log.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::stream;
use storage_core::{Bytes, Error, ErrorKind, Result};
use tokio::io::AsyncWrite;

/// A stream of these chunks, with an error in place of each `None`.
pub(crate) fn chunks(
    chunks: &[Option<&'static str>],
) -> stream::Iter<std::vec::IntoIter<Result<Bytes>>> {
    let failure = || Error::new(ErrorKind::Network, "the line went dead");
    let chunks = chunks
        .iter()
        .map(|chunk| chunk.map(Bytes::from).ok_or_else(failure));
    stream::iter(chunks.collect::<Vec<_>>())
}

/// What became of a [`Below`].
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    events: Vec<&'static str>,
}

impl Log {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().events.clone()
    }
}

/// A writer that waits before every call, takes at most 1,000 bytes at once and fails after a number
/// of bytes.
#[derive(Debug)]
pub(crate) struct Below {
    log: Log,
    fail_after: usize,
    waited: bool,
}

impl Below {
    pub(crate) fn new(log: &Log, fail_after: usize) -> Self {
        Self {
            log: log.clone(),
            fail_after,
            waited: false,
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl AsyncWrite for Below {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.wait(cx));
        let mut state = self.log.0.lock().unwrap();
        let count = buf.len().min(1000).min(self.fail_after - state.bytes.len());
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
        }
        state.bytes.extend_from_slice(&buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.wait(cx));
        self.log.0.lock().unwrap().events.push("flush");
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.wait(cx));
        self.log.0.lock().unwrap().events.push("shutdown");
        Poll::Ready(Ok(()))
    }
}

impl Drop for Below {
    fn drop(&mut self) {
        self.log.0.lock().unwrap().events.push("drop");
    }
}
