use storage_compression::{DecompressReader, Limits};
use tokio::io::AsyncBufRead;

use crate::{SnappyDecoder, SnappyReader};

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
    pub fn reader<R: AsyncBufRead + Unpin>(self, inner: R) -> SnappyReader<R> {
        DecompressReader::new(inner, SnappyDecoder::default()).with_limits(self.limits)
    }
}
