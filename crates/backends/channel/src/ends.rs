use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use storage_core::ObjectPath;

use crate::namespace::Namespace;
use crate::state::{Received, Refusal};
use crate::stream::{Aftermath, Stream};

/// A writer's hold on a stream. Dropping it before it finished is what readers are told of.
#[derive(Debug)]
pub(crate) struct Sender {
    end: End,
    /// Whether the stream is still to take the place of an older one.
    succeeds: bool,
    finished: bool,
}

/// A reader's hold on a stream.
#[derive(Debug)]
pub(crate) struct Receiver {
    end: End,
}

/// What both hold.
#[derive(Debug)]
pub(crate) struct End {
    names: Arc<Namespace>,
    path: ObjectPath,
    stream: Arc<Stream>,
    id: u64,
}

impl End {
    /// The end of the stream's writer or reader `id`.
    pub(crate) const fn new(
        names: Arc<Namespace>,
        path: ObjectPath,
        stream: Arc<Stream>,
        id: u64,
    ) -> Self {
        Self {
            names,
            path,
            stream,
            id,
        }
    }

    fn leave(&self, leave: impl FnOnce(&Stream, u64) -> Aftermath) {
        let leave = |stream: &Stream| leave(stream, self.id);
        self.names.leave(&self.path, &self.stream, leave);
    }
}

impl Sender {
    pub(crate) const fn new(end: End, succeeds: bool) -> Self {
        Self {
            end,
            succeeds,
            finished: false,
        }
    }

    /// Sends the message in `slot`, taking it, or waits for room.
    pub(crate) fn poll_send(
        &mut self,
        slot: &mut Bytes,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        self.begin();
        self.end.stream.poll_send(self.end.id, slot, cx)
    }

    /// Ends this writer's part; the stream ends with the last one's.
    pub(crate) fn finish(mut self) -> Result<(), Refusal> {
        self.begin();
        self.finished = true;
        self.end.stream.finish_writer()
    }

    /// From here on, readers find this stream at the path.
    fn begin(&mut self) {
        if std::mem::take(&mut self.succeeds) {
            self.end.names.succeed(&self.end.path, &self.end.stream);
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !self.finished {
            self.end.leave(Stream::drop_writer);
        }
    }
}

impl Receiver {
    pub(crate) const fn new(end: End) -> Self {
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
        self.end.leave(Stream::close_reader);
    }
}
