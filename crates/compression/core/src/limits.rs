use crate::{Compression, DecodeError};

/// How much a compressed stream may turn into. The default sets no limit; memory is bounded either
/// way, since decompression goes through one buffer.
///
/// What goes past a limit is an error of kind `QuotaExceeded`, after the bytes that keep within it.
///
/// ```
/// use storage_compression::Limits;
///
/// let limits = Limits::default().max_output(1 << 30).max_ratio(200);
/// # let _ = limits;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    max_output: Option<u64>,
    max_ratio: Option<u32>,
}

/// Output that no ratio is judged by: short runs of equal bytes compress a thousand times.
const RATIO_FREE: u64 = 1 << 20;

impl Limits {
    /// The most decompressed bytes. A stream of exactly this many is fine.
    pub const fn max_output(mut self, bytes: u64) -> Self {
        self.max_output = Some(bytes);
        self
    }

    /// The most decompressed bytes for each compressed byte, judged once more than 1 MiB has come
    /// out. Gzip can reach 1,032, framed Snappy about 21 and Zstandard above 100,000.
    pub const fn max_ratio(mut self, ratio: u32) -> Self {
        self.max_ratio = Some(ratio);
        self
    }

    /// The limit that `produced` bytes out of the first `offset` pass, if any, and by how many bytes;
    /// where a ratio is passed, by all.
    pub(crate) fn check(
        self,
        compression: Compression,
        offset: u64,
        produced: u64,
    ) -> Option<(DecodeError, u64)> {
        if let Some(limit) = self
            .max_ratio
            .filter(|_| produced > RATIO_FREE)
            .filter(|limit| produced > u64::from(*limit).saturating_mul(offset))
        {
            let failure = DecodeError::RatioLimit {
                compression,
                offset,
                output: produced,
                limit,
            };
            return Some((failure, produced));
        }
        let limit = self.max_output.filter(|limit| produced > *limit)?;
        let failure = DecodeError::OutputLimit {
            compression,
            offset,
            limit,
        };
        Some((failure, produced - limit))
    }
}
