use storage_core::ErrorKind;

/// Why a row could not be read or written.
///
/// Lines, records and columns are counted from 1, offsets from 0. [`kind`](Self::kind) is `Corrupt`
/// for all but wrong [`Options`](crate::Options) and the failures of the layers below. An error in
/// a record that is written leaves the stream as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row that is read is malformed. The next call goes on behind a ragged row; otherwise what
    /// follows is out of reach, and later calls repeat the error.
    #[error("line {line} at byte {offset}: {defect}")]
    Malformed {
        /// The line that the row begins on.
        line: u64,
        /// Offset in the stream of its first byte.
        offset: u64,
        /// In what it breaks the format.
        defect: Defect,
    },
    /// A row that is read is no value of the type asked for. The next call goes on with the next
    /// row.
    #[error("line {line} at byte {offset}: {source}")]
    Value {
        /// The line that the row begins on.
        line: u64,
        /// Offset in the stream of its first byte.
        offset: u64,
        /// What is wrong.
        source: csv::Error,
    },
    /// A record to be written is not JSON, or a value cannot be.
    #[error("record {record}: {source}")]
    NotJson {
        /// The record's number.
        record: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A record to be written is not a row, or not one of this stream.
    #[error("record {record} {problem}")]
    Unwritable {
        /// The record's number.
        record: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// A value to be written does not fit its column.
    #[error("record {record}, column {column:?}: {problem}")]
    Cell {
        /// The record's number.
        record: u64,
        /// The column's name, or its number where columns have no names.
        column: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A row to be written has another length than the first.
    #[error("record {record} has {found} fields instead of {expected}")]
    RaggedRecord {
        /// The record's number.
        record: u64,
        /// Fields of the first row.
        expected: usize,
        /// Fields of this one.
        found: usize,
    },
    /// A row to be written exceeds `max_record`.
    #[error("record {record} has {size} bytes, more than {max}")]
    RecordTooLong {
        /// The record's number.
        record: u64,
        /// Its size in bytes as it would be written.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The options contradict each other.
    #[error("{0}")]
    Options(&'static str),
    /// A layer below failed.
    #[error(transparent)]
    Storage(#[from] storage_core::Error),
}

/// In what a row that is read breaks the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The stream ends inside quotes.
    #[error("the row ends inside quotes")]
    UnclosedQuote,
    /// The row exceeds `max_record`.
    #[error("the row has more than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// The row has another length than the first, or more cells than there are names.
    #[error("the row has {found} fields instead of {expected}")]
    Ragged {
        /// Fields it should have.
        expected: usize,
        /// Fields it has.
        found: usize,
    },
    /// A field that is to become text is not UTF-8.
    #[error("column {column} is not UTF-8")]
    NotUtf8 {
        /// The column's number.
        column: usize,
    },
    /// The header has one name twice, so that a record would lose a value.
    #[error("the header has the name of column {column} twice")]
    DuplicateColumn {
        /// The number of the second of the two.
        column: usize,
    },
    /// The header is not that of [`Options::columns`](crate::Options::columns).
    #[error("the header does not have the expected columns")]
    OtherColumns,
}

impl Defect {
    /// Whether nothing behind it can be read.
    pub(crate) const fn is_final(self) -> bool {
        match self {
            Self::Ragged { .. } | Self::NotUtf8 { .. } => false,
            Self::UnclosedQuote
            | Self::TooLong { .. }
            | Self::DuplicateColumn { .. }
            | Self::OtherColumns => true,
        }
    }
}

impl Error {
    /// What went wrong, in the terms of the storage contract.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::Options(_) => ErrorKind::Config,
            _ => ErrorKind::Corrupt,
        }
    }

    /// Whether the bytes, and not a layer below or the options, are at fault.
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
