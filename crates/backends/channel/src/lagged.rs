use std::fmt;

use storage_core::{Error, ErrorKind};

/// The source of the error that a slow reader gets under
/// [`SlowReaders::Skip`](crate::SlowReaders::Skip): how many messages it missed.
///
/// The error is of kind `Corrupt` and ends that [`Reader`](storage_core::Reader): bytes are missing
/// from its middle. A new reader goes on, from the oldest message that is still there when no other
/// reader is open, else from the next one sent.
///
/// ```
/// use storage_channel::Lagged;
///
/// fn missed(error: &storage_core::Error) -> u64 {
///     Lagged::of(error).map_or(0, Lagged::messages)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagged(u64);

impl Lagged {
    /// The lag that an error tells of, if it does.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        std::error::Error::source(error)?.downcast_ref().copied()
    }

    /// The messages that the reader missed, at least 1.
    #[must_use]
    pub const fn messages(self) -> u64 {
        self.0
    }
}

/// The error that ends a reader which missed `messages`.
pub(crate) fn lagged(messages: u64) -> Error {
    let lag = Lagged(messages);
    Error::new(ErrorKind::Corrupt, lag.to_string()).with_source(lag)
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reader was too slow and missed {} messages", self.0)
    }
}

impl std::error::Error for Lagged {}
