use bytes::Bytes;
use futures_core::Stream;
use storage_format::Chunks;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Decoder, Encoder, NdjsonReader, NdjsonWriter};

/// How NDJSON is read and written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    pub(crate) max_record: usize,
    pub(crate) validate: bool,
}

impl Default for Options {
    /// Records of up to 64 MiB, not validated.
    fn default() -> Self {
        Self {
            max_record: 64 << 20,
            validate: false,
        }
    }
}

impl Options {
    /// Refuses records of more than this many bytes, line ending not counted. It bounds the memory
    /// that a reader takes beside the chunk that arrived.
    #[must_use]
    pub const fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Checks that every record is one JSON text (RFC 8259) in UTF-8, when reading and writing.
    #[must_use]
    pub const fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// A decoder: push bytes, take records.
    #[must_use]
    pub fn decoder(&self) -> Decoder {
        Decoder::new(self.max_record, self.validate)
    }

    /// An encoder.
    #[must_use]
    pub const fn encoder(&self) -> Encoder {
        Encoder::new(self.max_record, self.validate)
    }

    /// Reads from any [`AsyncRead`], up to 256 KiB at a time.
    pub fn reader<R: AsyncRead + Unpin>(&self, reader: R) -> NdjsonReader<Chunks<R>> {
        self.from_chunks(storage_format::chunks(reader))
    }

    /// Reads from a stream of chunks without copying them.
    #[allow(
        clippy::wrong_self_convention,
        reason = "named like the function of the crate"
    )]
    pub fn from_chunks<S, E>(&self, chunks: S) -> NdjsonReader<S>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<storage_core::Error>,
    {
        NdjsonReader::new(chunks, self.decoder())
    }

    /// Writes to any [`AsyncWrite`].
    pub fn writer<W: AsyncWrite + Unpin>(&self, writer: W) -> NdjsonWriter<W> {
        NdjsonWriter::new(writer, self.encoder())
    }
}
