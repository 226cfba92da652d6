//! CSV over any stream: rows, typed rows by serde, and records as JSON objects by header.
//!
//! [`CsvReader`] takes chunks from any stream, [`CsvWriter`] gathers rows for any
//! [`AsyncWrite`] and closes it with itself. [`Decoder`] and [`Encoder`] are
//! the same without input and output. The parser is that of the `csv` crate.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
//! use storage_memory::MemoryBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = MemoryBackend::new();
//! let path = ObjectPath::new("cities.csv")?;
//!
//! let mut writer = storage_csv::writer(backend.writer(&path, WriteOptions::default()).await?);
//! writer.write(br#"{"city":"Paris, France","people":2.1e6}"#).await?;
//! writer.write(br#"{"city":"Oz"}"#).await?;
//! writer.close().await?; // only now is the object visible
//! assert_eq!(backend.get("cities.csv").await?, "city,people\n\"Paris, France\",2.1e6\nOz,\n");
//!
//! let mut reader = storage_csv::from_chunks(backend.open("cities.csv").await?);
//! let first = reader.read().await?.unwrap();
//! assert_eq!(first, r#"{"city":"Paris, France","people":2.1e6}"#);
//! let second: Option<(String, Option<f64>)> = reader.read_typed().await?;
//! assert_eq!(second, Some(("Oz".into(), None)));
//! # Ok(())
//! # }
//! ```
//!
//! # The format
//! - That of RFC 4180, with any ASCII delimiter and quote; see [`Options`]. Rows end with `\n`,
//!   `\r\n` or `\r`; the last one may do without. Empty lines are skipped, and so is a byte order
//!   mark at the beginning.
//! - A quote opens a quoted field only as its first byte; elsewhere it stands for itself.
//! - A stream that ends inside quotes is corrupt. So is a row of another length than the first,
//!   unless [`Ragged::Accept`] is asked for.
//!
//! # Records as JSON
//! A record ([`RecordReader`](storage_core::RecordReader) and
//! [`RecordWriter`](storage_core::RecordWriter)) is one row as a JSON object by the header, or as a
//! JSON array where there are no names, so that CSV converts to and from NDJSON. [`Cells`] says how
//! values become cells. The columns are those of [`Options::columns`] or of the first record; a
//! record with another key, or with one key twice, is refused and never cut.

mod cells;
mod columns;
mod decoder;
mod encoder;
mod error;
mod object;
mod options;
mod quoting;
mod reader;
mod records;
mod row;
mod writer;

pub use cells::Cells;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::{Defect, Error};
pub use options::{Options, Ragged};
pub use reader::{CsvReader, TypedRows};
pub use row::Row;
pub use writer::CsvWriter;

use bytes::Bytes;
use futures_core::Stream;
use storage_format::Chunks;
use tokio::io::{AsyncRead, AsyncWrite};

/// Reads rows from any [`AsyncRead`], with default [`Options`].
///
/// A stream of [`Bytes`], such as a [`storage_core::Reader`], is read by [`from_chunks`] with a copy
/// less.
pub fn reader<R: AsyncRead + Unpin>(reader: R) -> CsvReader<Chunks<R>> {
    from_chunks(storage_format::chunks(reader))
}

/// Reads rows from a stream of chunks, with default [`Options`].
pub fn from_chunks<S, E>(chunks: S) -> CsvReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    CsvReader::new(chunks, Decoder::default())
}

/// Writes rows to any [`AsyncWrite`], with default [`Options`].
pub fn writer<W: AsyncWrite + Unpin>(writer: W) -> CsvWriter<W> {
    CsvWriter::new(writer, Encoder::default())
}
