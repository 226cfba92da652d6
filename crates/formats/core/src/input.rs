use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use storage_core::{Error, ErrorKind, Result};

/// The layer below a reader: a stream of chunks that ends once, cleanly or not.
///
/// What comes after an error is never mistaken for the end of the stream, so a reader cannot take
/// the part of a record that arrived before a failure for a record.
#[derive(Debug)]
pub(crate) struct Input<S>(State<S>);

#[derive(Debug)]
enum State<S> {
    Open(S),
    Ended,
    /// Failed or closed.
    Closed,
}

impl<S> Input<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self(State::Open(stream))
    }

    /// The stream, until it has ended, failed or been closed.
    pub(crate) const fn get_ref(&self) -> Option<&S> {
        match &self.0 {
            State::Open(stream) => Some(stream),
            State::Ended | State::Closed => None,
        }
    }

    /// The stream again, until it has ended, failed or been closed.
    pub(crate) fn into_inner(self) -> Option<S> {
        match self.0 {
            State::Open(stream) => Some(stream),
            State::Ended | State::Closed => None,
        }
    }

    /// Drops the stream. Every later call is `ReaderClosed`.
    pub(crate) fn close(&mut self) {
        self.0 = State::Closed;
    }
}

impl<S, E> Input<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Error>,
{
    /// The next chunk, never an empty one; `None` at the end, however often asked. Drops the stream
    /// at its end or failure. Cancel safe.
    ///
    /// # Errors
    /// The stream's own, once; then and after a close `ReaderClosed`.
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        loop {
            let stream = match &mut self.0 {
                State::Open(stream) => stream,
                State::Ended => return Poll::Ready(Ok(None)),
                State::Closed => {
                    let message = "the reader was closed or failed before";
                    return Poll::Ready(Err(Error::new(ErrorKind::ReaderClosed, message)));
                }
            };
            match ready!(Pin::new(stream).poll_next(cx)) {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => return Poll::Ready(Ok(Some(chunk))),
                Some(Err(error)) => {
                    self.0 = State::Closed;
                    return Poll::Ready(Err(error.into()));
                }
                None => self.0 = State::Ended,
            }
        }
    }
}
