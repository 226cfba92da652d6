//! What the compression codecs of Omnistorage share. [`Compression`] detects a format by name or
//! first bytes, [`Level`] says how hard to compress, [`Limits`] stops decompression bombs,
//! [`DecodeError`] says where a stream is broken. A codec is an [`Encode`] and a [`Decode`], pure state
//! machines; [`CompressWriter`] and [`DecompressReader`] run one over any asynchronous stream. The
//! codecs themselves are `storage-gzip`, `storage-zstd` and `storage-snappy`.
//!
//! ```
//! use storage_compression::{Compression, Decode, DecompressReader, Fault, Output};
//! use tokio::io::AsyncReadExt;
//!
//! /// Not much of a codec: one byte ends the stream, the others are handed through.
//! struct UntilZero(bool);
//!
//! impl Decode for UntilZero {
//!     fn compression(&self) -> Compression { Compression::Gzip }
//!     fn decode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<(), Fault> {
//!         self.0 = input.last().map_or(self.0, |last| *last == 0);
//!         output.put(input);
//!         Ok(())
//!     }
//!     fn may_end(&self) -> bool { self.0 }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let mut text = String::new();
//! let mut reader = DecompressReader::new(&b"some\0"[..], UntilZero(false));
//! reader.read_to_string(&mut text).await?;
//!
//! let mut cut = DecompressReader::new(&b"some"[..], UntilZero(false));
//! let error: storage_core::Error = cut.read_to_string(&mut text).await.unwrap_err().into();
//! assert!(error.is_corrupt() && error.to_string().contains("compressed byte 4"));
//! # Ok(())
//! # }
//! ```

mod codec;
mod compression;
mod error;
mod level;
mod limits;
mod reader;
mod sink;
mod writer;

pub use codec::{Decode, Encode, Fault, Output};
pub use compression::Compression;
pub use error::DecodeError;
pub use level::Level;
pub use limits::Limits;
pub use reader::DecompressReader;
pub use writer::CompressWriter;
