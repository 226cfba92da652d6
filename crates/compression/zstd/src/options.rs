use std::sync::Arc;

use storage_compression::{CompressWriter, DecompressReader, Level, Limits};
use storage_core::{Error, Result};
use tokio::io::{AsyncBufRead, AsyncWrite};

use crate::{ZstdDecoder, ZstdEncoder, ZstdReader, ZstdWriter};

/// The number that `Level::Default` stands for.
pub(crate) const DEFAULT_LEVEL: i32 = 3;

/// The most threads that the library takes on a 64-bit machine.
const MAX_THREADS: u32 = 256;

/// Window sizes that the format has, as powers of two. The largest is that of 32-bit machines too.
const WINDOW_LOGS: std::ops::RangeInclusive<u32> = 10..=30;

/// How to compress. A checksum is always written.
///
/// ```
/// use storage_compression::Level;
/// use storage_zstd::EncodeOptions;
///
/// let options = EncodeOptions::default().level(Level::Better).threads(2).long_distance(true);
/// let writer = options.writer(Vec::new())?;
/// assert!(EncodeOptions::default().level(23.into()).writer(Vec::new()).is_err());
/// # drop(writer);
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct EncodeOptions {
    level: Level,
    pub(crate) threads: u32,
    pub(crate) long_distance: bool,
    pub(crate) window_log: Option<u32>,
    pub(crate) dictionary: Option<Arc<[u8]>>,
}

impl EncodeOptions {
    /// How hard to compress: `Fastest` is 1, `Default` 3, `Better` 9, `Best` 19; numbers go from
    /// -131,072 to 22. Levels above 19 take several hundred MiB.
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Threads that compress in the background, at most 256; default 0, which compresses inside the
    /// call. With threads the memory is some ten MiB for each, and a flush or shutdown waits for them
    /// inside the call.
    pub const fn threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// Looks for repetitions up to 128 MiB back, for as much memory on both sides; default off.
    /// Every decompressor with default settings reads the result.
    pub const fn long_distance(mut self, on: bool) -> Self {
        self.long_distance = on;
        self
    }

    /// How far back matches may lie, as a power of two between 10 and 30; the default follows from
    /// level and `long_distance`. Above 27, decompressors must be told to allow it
    /// ([`DecodeOptions::max_window_log`], `zstd --long=30`).
    pub const fn window_log(mut self, log: u32) -> Self {
        self.window_log = Some(log);
        self
    }

    /// What both sides know beforehand: a trained dictionary or any bytes like those to come. Reading
    /// needs the same.
    pub fn dictionary(mut self, dictionary: impl Into<Arc<[u8]>>) -> Self {
        self.dictionary = Some(dictionary.into());
        self
    }

    /// A writer that compresses into `inner`.
    ///
    /// # Errors
    /// `Config` for a level, window or number of threads that Zstandard does not have, and for a
    /// dictionary that is damaged; `Other` when memory runs out.
    pub fn writer<W: AsyncWrite + Unpin>(self, inner: W) -> Result<ZstdWriter<W>> {
        Ok(CompressWriter::new(inner, self.encoder()?))
    }

    /// The codec without I/O.
    ///
    /// # Errors
    /// As [`writer`](Self::writer).
    pub fn encoder(self) -> Result<ZstdEncoder> {
        let named = [1, DEFAULT_LEVEL, 9, 19];
        let allowed = zstd_safe::min_c_level()..=zstd_safe::max_c_level();
        let level = self.level.resolve(named, allowed)?;
        if self.threads > MAX_THREADS {
            return Err(Error::config(format!(
                "zstd: {} threads are over {MAX_THREADS}",
                self.threads
            )));
        }
        self.window_log.map_or(Ok(()), check_window_log)?;
        ZstdEncoder::with_options(level, &self)
    }
}

/// How to decompress.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct DecodeOptions {
    limits: Limits,
    pub(crate) max_window_log: Option<u32>,
    pub(crate) dictionary: Option<Arc<[u8]>>,
}

impl DecodeOptions {
    /// How much may come out; default any amount.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The largest window that a frame may ask for, as a power of two between 10 and 30; default 27,
    /// 128 MiB. It bounds the memory; a frame that asks for more is `Corrupt`.
    pub const fn max_window_log(mut self, log: u32) -> Self {
        self.max_window_log = Some(log);
        self
    }

    /// The dictionary that was compressed with. Frames written without one are read too.
    pub fn dictionary(mut self, dictionary: impl Into<Arc<[u8]>>) -> Self {
        self.dictionary = Some(dictionary.into());
        self
    }

    /// A reader that decompresses `inner`.
    ///
    /// # Errors
    /// `Config` for a window that Zstandard does not have and a dictionary that is damaged; `Other`
    /// when memory runs out.
    pub fn reader<R: AsyncBufRead + Unpin>(self, inner: R) -> Result<ZstdReader<R>> {
        let limits = self.limits;
        Ok(DecompressReader::new(inner, self.decoder()?).with_limits(limits))
    }

    /// The codec without I/O. The limits are the business of the [`reader`](Self::reader).
    ///
    /// # Errors
    /// As [`reader`](Self::reader).
    pub fn decoder(self) -> Result<ZstdDecoder> {
        self.max_window_log.map_or(Ok(()), check_window_log)?;
        ZstdDecoder::with_options(&self)
    }
}

fn check_window_log(log: u32) -> Result<()> {
    if WINDOW_LOGS.contains(&log) {
        return Ok(());
    }
    let (least, most) = (WINDOW_LOGS.start(), WINDOW_LOGS.end());
    Err(Error::config(format!(
        "zstd: a window of 2^{log} bytes is not between 2^{least} and 2^{most}"
    )))
}
