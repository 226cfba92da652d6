//! What the record formats of Omnistorage share. A format is a [`Decode`] and an [`Encode`], pure
//! state machines; [`FormatReader`] and [`FormatWriter`] run them over any asynchronous stream, with
//! one rule for errors, cancellation and closing. [`Format`] detects a format by name. The formats themselves are `storage-ndjson`,
//! `storage-length-prefixed` and `storage-csv`.
//!
//! ```
//! use bytes::Bytes;
//! use storage_core::Error;
//! use storage_format::{Decode, Encode, FormatReader, FormatWriter};
//!
//! /// Not much of a format: records of one byte.
//! #[derive(Default)]
//! struct Single { chunk: Bytes, record: Bytes, ended: bool }
//!
//! impl Decode for Single {
//!     type Error = Error;
//!     fn push(&mut self, chunk: Bytes) { self.chunk = chunk; }
//!     fn end(&mut self) -> bool { !std::mem::replace(&mut self.ended, true) }
//!     fn next_slice(&mut self) -> Result<Option<&[u8]>, Error> {
//!         self.record = self.chunk.split_to(self.chunk.len().min(1));
//!         Ok(Some(&self.record[..]).filter(|record| !record.is_empty()))
//!     }
//!     fn clear(&mut self) { self.chunk = Bytes::new(); }
//! }
//!
//! impl Encode for Single {
//!     type Error = Error;
//!     fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
//!         buffer.extend_from_slice(record);
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let mut writer = FormatWriter::new(Vec::new(), Single::default());
//! writer.write(b"a").await?;
//! writer.write(b"b").await?;
//! writer.close().await?; // closes every layer below
//! let stored = writer.into_inner().unwrap_or_default();
//!
//! let mut reader = FormatReader::new(storage_format::chunks(&stored[..]), Single::default());
//! assert_eq!(reader.read().await?.unwrap(), "a");
//! assert_eq!(reader.read().await?.unwrap(), "b");
//! assert_eq!(reader.read().await?, None);
//! # Ok(())
//! # }
//! ```

mod codec;
mod format;
mod input;
mod output;
mod reader;
mod values;
mod writer;

pub use codec::{
    Decode, DecodeJson, DecodeRows, DecodeTyped, Encode, EncodeJson, EncodeRows, EncodeTyped,
};
pub use format::Format;
pub use reader::FormatReader;
pub use values::Values;
pub use writer::FormatWriter;

use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

/// Bytes asked of an [`AsyncRead`] at once.
const READ: usize = 256 << 10;

/// The chunks of any [`AsyncRead`], as [`chunks`] gives them.
pub type Chunks<R> = ReaderStream<R>;

/// The chunks of any [`AsyncRead`], of up to 256 KiB. A stream of [`Bytes`](bytes::Bytes), such as
/// a [`storage_core::Reader`], is one already, without a copy.
pub fn chunks<R: AsyncRead>(reader: R) -> Chunks<R> {
    ReaderStream::with_capacity(reader, READ)
}
