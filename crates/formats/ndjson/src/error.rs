use storage_core::ErrorKind;

/// Why a record could not be read or written.
///
/// Lines and records are counted from 1, offsets from 0. [`kind`](Self::kind) is `Corrupt` for all
/// but the failures of the layers below.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line that is read exceeds `max_record`. The rest of it is skipped: the next call goes on
    /// with the next line.
    #[error("line {line} at byte {offset} has more than {max} bytes")]
    LineTooLong {
        /// The line's number.
        line: u64,
        /// Offset of its first byte in the stream.
        offset: u64,
        /// The limit in bytes.
        max: usize,
    },
    /// A line that is read is not the JSON it should be. The next call goes on with the next line.
    #[error("line {line} at byte {offset}: {source}")]
    InvalidJson {
        /// The line's number.
        line: u64,
        /// Offset of its first byte in the stream.
        offset: u64,
        /// What is wrong; its own line is always 1, its column the byte in the line.
        source: serde_json::Error,
    },
    /// A record to be written exceeds `max_record`.
    #[error("record {record} has {size} bytes, more than {max}")]
    RecordTooLong {
        /// The record's number.
        record: u64,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A record to be written would come back as another one, or as several or none.
    #[error("record {record} {problem}")]
    Unwritable {
        /// The record's number.
        record: u64,
        /// In what it breaks the format.
        problem: &'static str,
    },
    /// A value to be written cannot be JSON, or a record to be written is none.
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

impl Error {
    /// What went wrong, in the terms of the storage contract.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::LineTooLong { .. }
            | Self::InvalidJson { .. }
            | Self::RecordTooLong { .. }
            | Self::Unwritable { .. }
            | Self::NotJson { .. } => ErrorKind::Corrupt,
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
