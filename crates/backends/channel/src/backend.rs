use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, ByteRange, Error, ExtendedBackend, Features, Lifecycle, ListOptions, ListPage,
    ObjectInfo, ObjectPath, Operation, Payload, Prefix, ReadOptions, ReadParts, Reader, Result,
    WriteOptions, WriteParts, WriteSink, Writer, Written,
};
use storage_hash::{WriteHasher, WriteHashes};

use crate::namespace::Namespace;
use crate::settings::{Missing, Mode, Rules, Settings};
use crate::sink::{ChannelSink, refused};
use crate::source::Source;
use crate::state::Refusal;
use crate::{ChannelBuilder, StreamStats};

/// The name under which it registers and which its errors carry.
pub(crate) const NAME: &str = "channel";

/// Nothing that goes beyond whole streams.
pub(crate) const FEATURES: Features = Features::NONE;

/// Named streams of messages between tasks.
///
/// Each [`new`](Self::new) or [`build`](ChannelBuilder::build) makes a name space of its own; a clone
/// is another handle on the same one. A path with a writer, with unread messages, or with an end that
/// no reader was told of, is a stream; all else is `NotFound`.
///
/// # Writing
/// Writers that are open at the same time write one stream. What a new writer finds that is unread, it
/// adds to: messages that are for one reader alone are never taken back. A stream of
/// [`Mode::Replay`] that has ended is replaced by the first message of a new writer, as an object is.
/// That is the default write mode `Replace`; every other mode, and every option that a stream cannot
/// keep, is `Unsupported`.
///
/// - Each [`Writer::write_bytes`] is one message, handed on without a copy; empty ones are none. What
///   is written as `AsyncWrite` has no boundaries: it is sent in messages of 64 KiB, and what is left
///   by `flush` or `finish`. Each piece of a [`Payload`] is one message.
/// - A message is with the readers as soon as the call returns. A full stream lets the call wait; a
///   call that is dropped meanwhile has not sent the message, but the [`Writer`] still holds it and
///   sends it first in its next call.
/// - The stream ends when its last writer finishes. A writer that is dropped, aborted or failed makes
///   the end an error for the readers. One that sent nothing, while no reader is open, leaves nothing.
///
/// # Reading
/// [`Reader::chunk`] gives one message at a time, and waits for the next one as long as a writer is
/// open. What comes after the last message is the end, or an error:
///
/// - `Corrupt`: a writer did not finish, or the reader [`Lagged`](crate::Lagged).
/// - `BackendClosed`: nobody writes, and every handle is closed, so nobody can.
///
/// Dropping a pending read takes nothing. A message of a queue that a reader did take is gone with
/// it, so dropping the future of [`read`](Backend::read) loses what it had gathered.
///
/// # Close
/// [`close`](Backend::close) closes one handle. Open readers and writers go on, for as long as
/// somebody is on the other side; when the last handle is closed or dropped, whoever waits for
/// somebody who cannot come any more gets `BackendClosed`.
pub struct ChannelBackend {
    names: Arc<Namespace>,
    lifecycle: Lifecycle,
    missing: Missing,
}

impl ChannelBackend {
    /// Queues of 100 messages.
    #[must_use]
    pub fn new() -> Self {
        let settings = Settings::new();
        Self::with_rules(settings.rules_unchecked(), settings.missing)
    }

    /// Settings for a name space.
    pub const fn builder() -> ChannelBuilder {
        ChannelBuilder::new()
    }

    pub(crate) fn with_rules(rules: Rules, missing: Missing) -> Self {
        Self {
            names: Arc::new(Namespace::new(rules)),
            lifecycle: Lifecycle::new(),
            missing,
        }
    }

    /// What the stream at a path is doing, also when readers alone wait for it; `None` when there is
    /// nobody and nothing. Works on a closed handle too.
    #[must_use]
    pub fn stats(&self, path: &ObjectPath) -> Option<StreamStats> {
        self.names.stats(path)
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<()> {
        self.lifecycle.check(operation, NAME)
    }

    pub(crate) fn is_there(&self, path: &ObjectPath) -> bool {
        self.names.is_there(path)
    }

    fn open_reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        refuse(options.into_parts())?;
        let receiver = self.names.reader(path, self.missing)?;
        let info = ObjectInfo::new(path.clone());
        Ok(Reader::from_unsized_stream(
            info,
            Box::pin(Source::new(receiver)),
        ))
    }

    fn open_sink(&self, path: &ObjectPath, options: WriteOptions) -> Result<ChannelSink> {
        let parts = self.admit(options.into_parts())?;
        let sender = self.names.writer(path)?;
        Ok(ChannelSink::new(sender, WriteHasher::new(&parts)))
    }

    /// Refuses what a stream cannot keep, and a size that is known to be too much before anything is
    /// replaced by it.
    fn admit(&self, mut parts: WriteParts) -> Result<WriteParts> {
        parts.restrict_to(FEATURES)?;
        let rules = self.names.rules();
        let too_much = parts.size.is_some_and(|size| size > rules.history);
        match rules.mode == Mode::Replay && too_much {
            true => Err(refused(Refusal::History(rules.history))),
            false => Ok(parts),
        }
    }

    async fn send(
        &self,
        path: &ObjectPath,
        payload: &Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let mut parts = options.into_parts();
        parts.size.get_or_insert(payload.len());
        let mut parts = self.admit(parts)?;
        // What is in memory is checked before anything is sent: nobody could take it back.
        let checked = match payload.as_slices() {
            Some(slices) => Some(hash(slices, &std::mem::take(&mut parts)).await?),
            None => None,
        };
        let sender = self.names.writer(path)?;
        let mut sink = Box::new(ChannelSink::new(sender, WriteHasher::new(&parts)));
        let mut chunks = payload.stream();
        while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_next(cx)).await {
            sink.write(chunk?).await?;
        }
        let mut written = sink.finish().await?;
        if let Some(checked) = checked {
            written.hashes = checked.reported;
        }
        Ok(written)
    }
}

/// Checks the pieces of a payload against the options of its write.
async fn hash(pieces: &[Bytes], parts: &WriteParts) -> Result<WriteHashes> {
    let mut hasher = WriteHasher::new(parts);
    for piece in pieces {
        hasher.absorb(piece).await;
    }
    hasher.finish()
}

/// Refuses everything but a plain read of the whole.
fn refuse(parts: ReadParts) -> Result<()> {
    let ReadParts {
        range,
        if_version,
        if_changed_from,
        verify,
    } = parts;
    let refused = [
        (range != ByteRange::Full, "reading a part of a stream"),
        (
            if_version.is_some() || if_changed_from.is_some(),
            "reading by version",
        ),
        (verify, "verifying, for a stream keeps no digests"),
    ];
    match refused.into_iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(Error::unsupported(what)),
        None => Ok(()),
    }
}

#[async_trait]
impl Backend for ChannelBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.check(Operation::Read)?;
        self.open_reader(path, options)
            .map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.check(Operation::Write)?;
        let sink = self
            .open_sink(path, options)
            .map_err(|error| error.at(Operation::Write, NAME, path))?;
        Ok(Writer::new(NAME, path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Delete)?;
        Ok(self.names.delete(path))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.check(Operation::List)?;
        Ok(self.names.page(prefix, options))
    }

    async fn close(&self) -> Result<()> {
        if self.lifecycle.close() {
            self.names.close_handle();
        }
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Exists)?;
        Ok(self.is_there(path))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Write)?;
        self.send(path, &payload, options)
            .await
            .map_err(|error| error.at(Operation::Write, NAME, path))
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

impl Clone for ChannelBackend {
    /// Another handle on the same streams, open whether this one is or not.
    fn clone(&self) -> Self {
        self.names.open_handle();
        Self {
            names: Arc::clone(&self.names),
            lifecycle: Lifecycle::new(),
            missing: self.missing,
        }
    }
}

impl Drop for ChannelBackend {
    fn drop(&mut self) {
        if self.lifecycle.close() {
            self.names.close_handle();
        }
    }
}

impl Default for ChannelBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ChannelBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelBackend")
            .field("mode", &self.names.rules().mode)
            .field("capacity", &self.names.rules().capacity)
            .field("missing", &self.missing)
            .field("streams", &self.names.len())
            .finish_non_exhaustive()
    }
}
