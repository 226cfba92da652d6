use storage_core::ErrorKind;

/// Why a record could not be read or written.
///
/// Records are counted from 1, offsets from 0. [`kind`](Self::kind) is `Corrupt` for all but the
/// failures of the layers below.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A record that is read is malformed. What follows it is out of reach: later calls repeat the
    /// error.
    #[error("record {record} at byte {offset} {defect}")]
    Malformed {
        /// The record's number.
        record: u64,
        /// Offset in the stream of the first byte of its length.
        offset: u64,
        /// In what it breaks the format.
        defect: Defect,
    },
    /// A record to be written exceeds `max_record` or what the length can express.
    #[error("record {record} has {size} bytes, more than {max}")]
    RecordTooLong {
        /// The record's number.
        record: u64,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        max: u64,
    },
    /// A record that is read is not the JSON it should be. The next call goes on with the next
    /// record.
    #[cfg(feature = "json")]
    #[error("record {record} at byte {offset}: {source}")]
    InvalidJson {
        /// The record's number.
        record: u64,
        /// Offset in the stream of the first byte of its length.
        offset: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A value to be written cannot be JSON.
    #[cfg(feature = "json")]
    #[error("record {record}: {source}")]
    NotJson {
        /// The record's number.
        record: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A layer below failed.
    #[error(transparent)]
    Storage(#[from] storage_core::Error),
}

/// In what a record that is read breaks the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The stream ends inside the record.
    #[error("is cut off after {have} bytes{}", Of(*.need))]
    Truncated {
        /// Bytes of it that are there, length and checksum included.
        have: u64,
        /// Bytes it should have; `None` where the length itself is cut off.
        need: Option<u64>,
    },
    /// The record exceeds `max_record`.
    #[error("has {size} bytes, more than {max}")]
    TooLong {
        /// What the length says, in bytes.
        size: u64,
        /// The limit in bytes.
        max: u64,
    },
    /// The length is no number of 64 bits.
    #[error("has a length of more than 64 bits")]
    LengthOverflow,
    /// The length takes more bytes than it needs.
    #[error("has an overlong length")]
    OverlongLength,
    /// The checksum is not that of the length and payload.
    #[error("has the checksum {found:08x} instead of {stored:08x}")]
    Checksum {
        /// What is stored with the record.
        stored: u32,
        /// What the bytes give.
        found: u32,
    },
}

struct Of(Option<u64>);

impl std::fmt::Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(need) => write!(f, " of {need}"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// What went wrong, in the terms of the storage contract.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(error) => error.kind(),
            _ => ErrorKind::Corrupt,
        }
    }

    /// Whether the bytes, and not a layer below, are at fault.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        self.kind() == ErrorKind::Corrupt
    }
}

impl From<Error> for storage_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Storage(error) => error,
            error => Self::new(error.kind(), error.to_string()).with_source(error),
        }
    }
}
