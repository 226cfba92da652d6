//! Gzip (RFC 1952) over any asynchronous stream: [`writer`] compresses into whatever takes bytes,
//! [`reader`] decompresses whatever gives them, all members to the end. [`EncodeOptions`] and
//! [`DecodeOptions`] set level and limits; [`GzipEncoder`] and [`GzipDecoder`] are the codecs without
//! I/O. Underneath is zlib-rs.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
//! use storage_memory::MemoryBackend;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = MemoryBackend::new();
//! let path = ObjectPath::new("greeting.gz")?;
//! let mut writer = storage_gzip::writer(backend.writer(&path, WriteOptions::default()).await?);
//! writer.write_all(b"hello, hello, hello").await?;
//! writer.shutdown().await?; // Publishes the object. Dropping the writer would leave none.
//!
//! let mut text = String::new();
//! storage_gzip::reader(backend.open("greeting.gz").await?).read_to_string(&mut text).await?;
//! assert_eq!(text, "hello, hello, hello");
//! # Ok(())
//! # }
//! ```

mod decoder;
mod encoder;
mod options;

pub use decoder::GzipDecoder;
pub use encoder::GzipEncoder;
pub use options::{DecodeOptions, EncodeOptions};

use storage_compression::{CompressWriter, DecompressReader};
use tokio::io::{AsyncBufRead, AsyncWrite};

/// Compresses gzip into `W`; how it behaves is said at [`CompressWriter`].
pub type GzipWriter<W> = CompressWriter<W, GzipEncoder>;

/// Decompresses gzip from `R`; how it behaves is said at [`DecompressReader`].
pub type GzipReader<R> = DecompressReader<R, GzipDecoder>;

/// Compresses into `inner` at the default level; [`EncodeOptions`] sets another.
#[must_use]
pub fn writer<W: AsyncWrite + Unpin>(inner: W) -> GzipWriter<W> {
    CompressWriter::new(inner, GzipEncoder::default())
}

/// Decompresses `inner` without limits; [`DecodeOptions`] sets them.
#[must_use]
pub fn reader<R: AsyncBufRead + Unpin>(inner: R) -> GzipReader<R> {
    DecompressReader::new(inner, GzipDecoder::new())
}
