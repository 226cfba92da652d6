use storage_compression::{CompressWriter, DecompressReader, Level, Limits};
use storage_core::Result;
use tokio::io::{AsyncBufRead, AsyncWrite};

use crate::{GzipDecoder, GzipEncoder, GzipReader, GzipWriter};

/// How to compress.
///
/// ```
/// use storage_compression::Level;
/// use storage_gzip::EncodeOptions;
///
/// let writer = EncodeOptions::default().level(Level::Best).writer(Vec::new())?;
/// assert!(EncodeOptions::default().level(10.into()).writer(Vec::new()).is_err());
/// # drop(writer);
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct EncodeOptions {
    level: Level,
}

impl EncodeOptions {
    /// How hard to compress: `Fastest` is 1, `Default` 6, `Better` 8, `Best` 9; numbers go from 0 (only
    /// wrapped, not compressed) to 9.
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// A writer that compresses into `inner`.
    ///
    /// # Errors
    /// `Config` for a level that gzip does not have.
    pub fn writer<W: AsyncWrite + Unpin>(self, inner: W) -> Result<GzipWriter<W>> {
        Ok(CompressWriter::new(inner, self.encoder()?))
    }

    /// The codec without I/O.
    ///
    /// # Errors
    /// As [`writer`](Self::writer).
    pub fn encoder(self) -> Result<GzipEncoder> {
        Ok(GzipEncoder::with_level(
            self.level.resolve([1, 6, 8, 9], 0..=9)?,
        ))
    }
}

/// How to decompress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct DecodeOptions {
    limits: Limits,
}

impl DecodeOptions {
    /// How much may come out; default any amount.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A reader that decompresses `inner`.
    #[must_use]
    pub fn reader<R: AsyncBufRead + Unpin>(self, inner: R) -> GzipReader<R> {
        DecompressReader::new(inner, self.decoder()).with_limits(self.limits)
    }

    /// The codec without I/O. The limits are the business of the [`reader`](Self::reader).
    #[must_use]
    pub fn decoder(self) -> GzipDecoder {
        GzipDecoder::new()
    }
}
