//! Length-prefixed records over any stream: any bytes, cheap to skip, cut exactly.
//!
//! [`LengthPrefixedReader`] takes chunks and gives records that are slices of them;
//! [`LengthPrefixedWriter`] gathers records for any [`AsyncWrite`] and closes
//! it with itself. [`Decoder`] and [`Encoder`] are the same without input and output.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
//! use storage_memory::MemoryBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = MemoryBackend::new();
//! let path = ObjectPath::new("messages.bin")?;
//!
//! let target = backend.writer(&path, WriteOptions::default()).await?;
//! let mut writer = storage_length_prefixed::writer(target);
//! writer.write(b"any\nbytes\0").await?;
//! writer.write(b"").await?;
//! writer.close().await?; // only now is the object visible
//!
//! let source = backend.open("messages.bin").await?;
//! let mut reader = storage_length_prefixed::from_chunks(source);
//! assert_eq!(reader.read().await?.unwrap(), "any\nbytes\0");
//! assert_eq!(reader.read().await?.unwrap(), "");
//! assert_eq!(reader.read().await?, None);
//! # Ok(())
//! # }
//! ```
//!
//! # The layout
//! A stream is any number of records, one behind the other, without header or trailer:
//!
//! | Part | Bytes | Content |
//! |---|---|---|
//! | length | 1 to 10, or 4 | number of bytes of the payload, as [`Prefix`] says |
//! | payload | length | the record |
//! | checksum | 4, or none | with [`Options::crc32c`]: CRC-32C (RFC 3720) of length and payload, least significant byte first |
//!
//! With [`Prefix::Varint`], the default, and no checksum this is what Protocol Buffers call
//! delimited messages. The checksum covers the length so that a run of zero bytes, such as a crash
//! may leave at the end of a file, does not pass for empty records.
//!
//! A stream that ends inside a record is corrupt. Behind a malformed record nothing can be found
//! again, so the decoder then repeats the error.

mod decoder;
mod encoder;
mod error;
mod options;
mod prefix;
mod reader;
mod writer;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::{Defect, Error};
pub use options::Options;
pub use prefix::Prefix;
#[cfg(feature = "json")]
pub use reader::JsonRecords;
pub use reader::LengthPrefixedReader;
pub use writer::LengthPrefixedWriter;

use bytes::Bytes;
use futures_core::Stream;
use storage_format::Chunks;
use tokio::io::{AsyncRead, AsyncWrite};

/// Reads records from any [`AsyncRead`], with default [`Options`].
///
/// A stream of [`Bytes`], such as a [`storage_core::Reader`], is read without a copy by
/// [`from_chunks`].
pub fn reader<R: AsyncRead + Unpin>(reader: R) -> LengthPrefixedReader<Chunks<R>> {
    Options::default().reader(reader)
}

/// Reads records from a stream of chunks, with default [`Options`].
pub fn from_chunks<S, E>(chunks: S) -> LengthPrefixedReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    Options::default().from_chunks(chunks)
}

/// Writes records to any [`AsyncWrite`], with default [`Options`].
pub fn writer<W: AsyncWrite + Unpin>(writer: W) -> LengthPrefixedWriter<W> {
    Options::default().writer(writer)
}
