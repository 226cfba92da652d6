use storage_compression::{DecompressReader, Limits};
use tokio::io::AsyncBufRead;

use crate::{SnappyDecoder, SnappyReader};

/// How to decompress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct DecodeOptions {
    limits: Limits,
    skip_unknown: bool,
}

impl DecodeOptions {
    /// How much may come out; default any amount.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Skips chunks of the types 0x80 to 0xfd, which the format keeps for things that may be skipped
    /// and has never used; default off, which refuses them as `Corrupt`: one flipped bit turns a chunk
    /// of data into such a one.
    pub const fn skip_unknown(mut self, on: bool) -> Self {
        self.skip_unknown = on;
        self
    }

    /// A reader that decompresses `inner`.
    #[must_use]
    pub fn reader<R: AsyncBufRead + Unpin>(self, inner: R) -> SnappyReader<R> {
        DecompressReader::new(inner, self.decoder()).with_limits(self.limits)
    }

    /// The codec without I/O. The limits are the business of the [`reader`](Self::reader).
    #[must_use]
    pub fn decoder(self) -> SnappyDecoder {
        SnappyDecoder::skipping_unknown(self.skip_unknown)
    }
}
