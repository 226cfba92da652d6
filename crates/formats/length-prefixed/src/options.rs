use bytes::Bytes;
use futures_core::Stream;
use storage_format::Chunks;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Decoder, Encoder, LengthPrefixedReader, LengthPrefixedWriter, Prefix};

/// How length-prefixed records are read and written. Reader and writer must agree on
/// [`prefix`](Self::prefix) and [`crc32c`](Self::crc32c): the stream does not name them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    pub(crate) prefix: Prefix,
    pub(crate) crc32c: bool,
    pub(crate) overlong: bool,
    pub(crate) max_record: usize,
}

impl Default for Options {
    /// A varint, no checksum, records of up to 64 MiB, overlong lengths refused.
    fn default() -> Self {
        Self {
            prefix: Prefix::Varint,
            crc32c: false,
            overlong: false,
            max_record: 64 << 20,
        }
    }
}

impl Options {
    /// How lengths are written.
    #[must_use]
    pub const fn prefix(mut self, prefix: Prefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// Adds a CRC-32C to every record, and checks it when reading.
    #[must_use]
    pub const fn crc32c(mut self, crc32c: bool) -> Self {
        self.crc32c = crc32c;
        self
    }

    /// Accepts a varint that takes more bytes than it needs, as some writers that fill lengths in
    /// afterwards produce. Such a length is written never.
    #[must_use]
    pub const fn overlong(mut self, accept: bool) -> Self {
        self.overlong = accept;
        self
    }

    /// Refuses payloads of more than this many bytes, before memory is taken for them.
    #[must_use]
    pub const fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// A decoder: push bytes, take records.
    #[must_use]
    pub fn decoder(&self) -> Decoder {
        Decoder::new(self.clone())
    }

    /// An encoder.
    #[must_use]
    pub fn encoder(&self) -> Encoder {
        Encoder::new(self.clone())
    }

    /// Reads from any [`AsyncRead`], up to 256 KiB at a time.
    pub fn reader<R: AsyncRead + Unpin>(&self, reader: R) -> LengthPrefixedReader<Chunks<R>> {
        self.from_chunks(storage_format::chunks(reader))
    }

    /// Reads from a stream of chunks without copying them.
    #[allow(
        clippy::wrong_self_convention,
        reason = "named like the function of the crate"
    )]
    pub fn from_chunks<S, E>(&self, chunks: S) -> LengthPrefixedReader<S>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<storage_core::Error>,
    {
        LengthPrefixedReader::new(chunks, self.decoder())
    }

    /// Writes to any [`AsyncWrite`].
    pub fn writer<W: AsyncWrite + Unpin>(&self, writer: W) -> LengthPrefixedWriter<W> {
        LengthPrefixedWriter::new(writer, self.encoder())
    }
}
