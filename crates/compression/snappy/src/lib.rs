//! Framed Snappy over any asynchronous stream: [`writer`] compresses into whatever takes bytes,
//! [`reader`] decompresses whatever gives them, streams that follow each other to the end.
//! [`SnappyEncoder`] and [`SnappyDecoder`] are the codecs without I/O. The format is Snappy's framing
//! format of 2013-10-25: chunks of at most 64 KiB, each with a masked CRC-32C of what it holds. The
//! blocks inside are the work of the `snap` crate.
//!
//! The format has no end mark: input cut off exactly between two chunks reads as a shorter stream, and
//! only something outside it, such as a size or a hash, can tell. Cut off anywhere else it is `Corrupt`,
//! and so is input of no bytes at all, which some tools write for no data.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
//! use storage_memory::MemoryBackend;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = MemoryBackend::new();
//! let path = ObjectPath::new("greeting.sz")?;
//! let mut writer = storage_snappy::writer(backend.writer(&path, WriteOptions::default()).await?);
//! writer.write_all(b"hello, hello, hello").await?;
//! writer.shutdown().await?; // Publishes the object. Dropping the writer would leave none.
//!
//! let mut text = String::new();
//! storage_snappy::reader(backend.open("greeting.sz").await?).read_to_string(&mut text).await?;
//! assert_eq!(text, "hello, hello, hello");
//! # Ok(())
//! # }
//! ```

mod chunk;
mod decoder;
mod encoder;
mod options;

pub use decoder::SnappyDecoder;
pub use encoder::SnappyEncoder;
pub use options::DecodeOptions;

use storage_compression::{CompressWriter, DecompressReader};
use tokio::io::{AsyncBufRead, AsyncWrite};

/// Compresses framed Snappy into `W`; how it behaves is said at [`CompressWriter`].
pub type SnappyWriter<W> = CompressWriter<W, SnappyEncoder>;

/// Decompresses framed Snappy from `R`; how it behaves is said at [`DecompressReader`].
pub type SnappyReader<R> = DecompressReader<R, SnappyDecoder>;

/// Compresses into `inner`. Snappy has no levels.
#[must_use]
pub fn writer<W: AsyncWrite + Unpin>(inner: W) -> SnappyWriter<W> {
    CompressWriter::new(inner, SnappyEncoder::default())
}

/// Decompresses `inner` without limits; [`DecodeOptions`] sets them.
#[must_use]
pub fn reader<R: AsyncBufRead + Unpin>(inner: R) -> SnappyReader<R> {
    DecompressReader::new(inner, SnappyDecoder::default())
}
