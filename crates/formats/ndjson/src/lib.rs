//! Newline-delimited JSON over any stream, as fast as newlines can be found.
//!
//! A record is one line. [`NdjsonReader`] takes chunks and gives records that are slices of them;
//! [`NdjsonWriter`] gathers records for any [`AsyncWrite`], such as a
//! backend's writer or a compressor on top of one, and closes it with itself. [`Decoder`] and
//! [`Encoder`] are the same without input and output.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
//! use storage_memory::MemoryBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = MemoryBackend::new();
//! let path = ObjectPath::new("points.ndjson")?;
//!
//! let mut writer = storage_ndjson::writer(backend.writer(&path, WriteOptions::default()).await?);
//! writer.write_json(&(1, 2)).await?;
//! writer.write(br#"{"x":3}"#).await?;
//! writer.close().await?; // only now is the object visible
//!
//! let mut reader = storage_ndjson::from_chunks(backend.open("points.ndjson").await?);
//! assert_eq!(reader.read_json::<(u32, u32)>().await?, Some((1, 2)));
//! assert_eq!(reader.read().await?.as_deref(), Some(&br#"{"x":3}"#[..]));
//! assert_eq!(reader.read().await?, None);
//! # Ok(())
//! # }
//! ```
//!
//! # The format
//! - A record is written verbatim, followed by `\n`. It must not hold a raw newline.
//! - A line ends with `\n` or `\r\n`; the last one may do without.
//! - Lines of nothing but spaces, tabs and carriage returns are blank, and skipped.
//! - Whether a record is JSON is checked where it is parsed, or for every record with
//!   [`Options::validate`].

mod decoder;
mod encoder;
mod error;
mod newlines;
mod options;
mod reader;
mod writer;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::Error;
pub use options::Options;
pub use reader::{JsonRecords, NdjsonReader};
pub use writer::NdjsonWriter;

use bytes::Bytes;
use futures_core::Stream;
use storage_format::Chunks;
use tokio::io::{AsyncRead, AsyncWrite};

/// Reads records from any [`AsyncRead`], with default [`Options`].
///
/// A stream of [`Bytes`], such as a [`storage_core::Reader`], is read without a copy by
/// [`from_chunks`].
pub fn reader<R: AsyncRead + Unpin>(reader: R) -> NdjsonReader<Chunks<R>> {
    Options::default().reader(reader)
}

/// Reads records from a stream of chunks, with default [`Options`].
pub fn from_chunks<S, E>(chunks: S) -> NdjsonReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    Options::default().from_chunks(chunks)
}

/// Writes records to any [`AsyncWrite`], with default [`Options`].
pub fn writer<W: AsyncWrite + Unpin>(writer: W) -> NdjsonWriter<W> {
    Options::default().writer(writer)
}
