//! Zstandard (RFC 8878) over any asynchronous stream: [`writer`] compresses into whatever takes
//! bytes, [`reader`] decompresses whatever gives them, all frames to the end. [`EncodeOptions`] sets
//! level, threads, long-distance matching and dictionary, [`DecodeOptions`] limits and dictionary;
//! [`ZstdEncoder`] and [`ZstdDecoder`] are the codecs without I/O. Every frame written carries a
//! checksum. Underneath is Zstandard's own C library.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
//! use storage_memory::MemoryBackend;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = MemoryBackend::new();
//! let path = ObjectPath::new("greeting.zst")?;
//! let mut writer = storage_zstd::writer(backend.writer(&path, WriteOptions::default()).await?);
//! writer.write_all(b"hello, hello, hello").await?;
//! writer.shutdown().await?; // Publishes the object. Dropping the writer would leave none.
//!
//! let mut text = String::new();
//! storage_zstd::reader(backend.open("greeting.zst").await?).read_to_string(&mut text).await?;
//! assert_eq!(text, "hello, hello, hello");
//! # Ok(())
//! # }
//! ```

mod decoder;
mod encoder;
mod options;

pub use decoder::ZstdDecoder;
pub use encoder::ZstdEncoder;
pub use options::{DecodeOptions, EncodeOptions};

use storage_compression::{CompressWriter, DecompressReader};
use tokio::io::{AsyncBufRead, AsyncWrite};

/// Compresses Zstandard into `W`; how it behaves is said at [`CompressWriter`].
pub type ZstdWriter<W> = CompressWriter<W, ZstdEncoder>;

/// Decompresses Zstandard from `R`; how it behaves is said at [`DecompressReader`].
pub type ZstdReader<R> = DecompressReader<R, ZstdDecoder>;

/// Compresses into `inner` with the default options; [`EncodeOptions`] sets others.
#[must_use]
pub fn writer<W: AsyncWrite + Unpin>(inner: W) -> ZstdWriter<W> {
    CompressWriter::new(inner, ZstdEncoder::default())
}

/// Decompresses `inner` with the default options; [`DecodeOptions`] sets others.
#[must_use]
pub fn reader<R: AsyncBufRead + Unpin>(inner: R) -> ZstdReader<R> {
    DecompressReader::new(inner, ZstdDecoder::default())
}
