use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::{Error, ErrorKind, Operation, Result};

use crate::backend::NAME;
use crate::ends::Receiver;
use crate::lagged::lagged;
use crate::state::Received;

/// The messages of a stream as the chunks of a reader. Lets go of the stream at its end.
#[derive(Debug)]
pub(crate) struct Source(Option<Receiver>);

impl Source {
    pub(crate) const fn new(receiver: Receiver) -> Self {
        Self(Some(receiver))
    }
}

impl Stream for Source {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(receiver) = &self.0 else {
            return Poll::Ready(None);
        };
        let error = match ready!(receiver.poll_receive(cx)) {
            Received::Message(message) => return Poll::Ready(Some(Ok(message))),
            Received::Empty => return Poll::Pending,
            Received::End => None,
            Received::Lagged(messages) => Some(lagged(messages)),
            Received::Broken(writers) => Some(broken(writers)),
            Received::Closed => Some(Error::new(
                ErrorKind::BackendClosed,
                "nobody can write this stream any more",
            )),
        };
        let error = error.map(|error| error.at(Operation::Read, NAME, receiver.path()));
        self.0 = None;
        Poll::Ready(error.map(Err))
    }
}

fn broken(writers: u64) -> Error {
    let message = format!("the stream is incomplete: {writers} of its writers did not finish");
    Error::new(ErrorKind::Corrupt, message)
}
