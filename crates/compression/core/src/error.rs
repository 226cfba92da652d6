use std::borrow::Cow;
use std::error::Error as _;

use storage_core::{Error, ErrorKind};

use crate::Compression;

/// Why decompression stopped, and where.
///
/// It is the source of the [`Error`] that the reader returns:
///
/// ```
/// use storage_compression::{Compression, DecodeError};
/// use storage_core::Error;
///
/// let failure = DecodeError::Truncated { compression: Compression::Gzip, offset: 17 };
/// let error = Error::from(failure.clone());
/// assert!(error.is_corrupt());
/// assert_eq!(DecodeError::of(&error), Some(&failure));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input is not what the format allows, or fails its checksum. Kind `Corrupt`.
    #[error("{compression}: {reason}, near compressed byte {offset}")]
    Corrupt {
        /// The format.
        compression: Compression,
        /// Compressed bytes taken when decoding stopped. The damage may begin before, as some shows only
        /// by the checksum at the end, or up to 128 KiB after.
        offset: u64,
        /// What the codec says of it.
        reason: Cow<'static, str>,
    },
    /// The input ends before the format says it may. Kind `Corrupt`.
    #[error("{compression}: the input ends too early, at compressed byte {offset}")]
    Truncated {
        /// The format.
        compression: Compression,
        /// The length of the input in bytes.
        offset: u64,
    },
    /// The memory that the stream needs cannot be had. Kind `Other`.
    #[error("{compression}: no memory to decompress, at compressed byte {offset}")]
    OutOfMemory {
        /// The format.
        compression: Compression,
        /// Compressed bytes taken so far.
        offset: u64,
    },
    /// More comes out than [`Limits::max_output`](crate::Limits::max_output) allows. Kind
    /// `QuotaExceeded`.
    #[error(
        "{compression}: more than {limit} bytes come out of the first {offset} compressed bytes"
    )]
    OutputLimit {
        /// The format.
        compression: Compression,
        /// Compressed bytes taken so far.
        offset: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// More comes out for what went in than [`Limits::max_ratio`](crate::Limits::max_ratio) allows.
    /// Kind `QuotaExceeded`.
    #[error(
        "{compression}: the first {offset} compressed bytes expand to {output}, over {limit} times"
    )]
    RatioLimit {
        /// The format.
        compression: Compression,
        /// Compressed bytes taken so far.
        offset: u64,
        /// Decompressed bytes so far.
        output: u64,
        /// The limit.
        limit: u32,
    },
}

impl DecodeError {
    /// The one that an error of a reader comes from, if it does.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        error.source()?.downcast_ref()
    }

    /// The offset in the compressed input, in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        match self {
            Self::Corrupt { offset, .. }
            | Self::Truncated { offset, .. }
            | Self::OutOfMemory { offset, .. }
            | Self::OutputLimit { offset, .. }
            | Self::RatioLimit { offset, .. } => *offset,
        }
    }

    /// The kind of the [`Error`] that it becomes: `Corrupt`, `QuotaExceeded` or `Other`.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Corrupt { .. } | Self::Truncated { .. } => ErrorKind::Corrupt,
            Self::OutputLimit { .. } | Self::RatioLimit { .. } => ErrorKind::QuotaExceeded,
            Self::OutOfMemory { .. } => ErrorKind::Other,
        }
    }
}

impl From<DecodeError> for Error {
    fn from(failure: DecodeError) -> Self {
        Error::new(failure.kind(), failure.to_string()).with_source(failure)
    }
}
