use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use storage_core::ObjectPath;

use crate::namespace::Namespace;
use crate::state::{ReaderId, Received, Refusal};
use crate::stream::Stream;

/// A writer's hold on a stream. Dropping it before it finished is what readers are told of.
#[derive(Debug)]
pub(crate) struct Sender {
    end: End,
    finished: bool,
}

/// A reader's hold on a stream.
#[derive(Debug)]
pub(crate) struct Receiver {
    end: End,
}

/// What both hold.
#[derive(Debug)]
struct End {
    names: Arc<Namespace>,
    path: ObjectPath,
    stream: Arc<Stream>,
    id: u64,
}

impl Sender {
    pub(crate) const fn new(
        names: Arc<Namespace>,
        path: ObjectPath,
        stream: Arc<Stream>,
        id: u64,
    ) -> Self {
        let end = End {
            names,
            path,
            stream,
            id,
        };
        Self {
            end,
            finished: false,
        }
    }

    /// Sends the message in `slot`, taking it, or waits for room.
    pub(crate) fn poll_send(
        &self,
        slot: &mut Bytes,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        self.end.stream.poll_send(self.end.id, slot, cx)
    }

    /// Ends this writer's part; the stream ends with the last one's.
    pub(crate) fn finish(mut self) -> Result<(), Refusal> {
        self.finished = true;
        self.end.stream.finish_writer()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !self.finished {
            let End {
                names,
                path,
                stream,
                id,
            } = &self.end;
            names.leave(path, stream, |stream| stream.drop_writer(*id));
        }
    }
}

impl Receiver {
    pub(crate) const fn new(
        names: Arc<Namespace>,
        path: ObjectPath,
        stream: Arc<Stream>,
        id: ReaderId,
    ) -> Self {
        let end = End {
            names,
            path,
            stream,
            id,
        };
        Self { end }
    }

    pub(crate) const fn path(&self) -> &ObjectPath {
        &self.end.path
    }

    /// The next message, or why there is none.
    pub(crate) fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Received> {
        self.end.stream.poll_receive(self.end.id, cx)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let End {
            names,
            path,
            stream,
            id,
        } = &self.end;
        names.leave(path, stream, |stream| stream.close_reader(*id));
    }
}
