use std::future::poll_fn;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{Error, ErrorKind, Result, WriteSink, Written};
use storage_hash::WriteHasher;

use crate::ends::Sender;
use crate::state::Refusal;

/// Sends every chunk as a message. Dropping it leaves a stream that does not end cleanly.
#[derive(Debug)]
pub(crate) struct ChannelSink {
    sender: Sender,
    hasher: WriteHasher,
}

impl ChannelSink {
    pub(crate) const fn new(sender: Sender, hasher: WriteHasher) -> Self {
        Self { sender, hasher }
    }

    /// Sends one message, waiting for room. Dropping the future sends nothing.
    async fn send(&mut self, mut message: Bytes) -> Result<()> {
        let sent = poll_fn(|cx| self.sender.poll_send(&mut message, cx)).await;
        sent.map_err(refused)
    }
}

#[async_trait]
impl WriteSink for ChannelSink {
    /// The size of messages that are made of bytes without boundaries: with the default capacity a
    /// few megabytes in flight.
    fn chunk_size(&self) -> usize {
        64 << 10
    }

    fn keeps_chunks(&self) -> bool {
        true
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.hasher.absorb(&chunk).await;
        self.send(chunk).await
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        let mut written = Written::new(self.hasher.size());
        written.hashes = self.hasher.finish()?.reported;
        self.sender.finish().map_err(refused)?;
        Ok(written)
    }
}

/// The error of a writer that cannot go on.
pub(crate) fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Deleted => Error::not_found("the stream was deleted"),
        Refusal::Closed => Error::new(
            ErrorKind::BackendClosed,
            "nobody can read this stream any more",
        ),
        Refusal::History(bytes) => Error::new(
            ErrorKind::QuotaExceeded,
            format!("the stream's history is limited to {bytes} bytes"),
        ),
    }
}
