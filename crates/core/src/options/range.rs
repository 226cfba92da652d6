use std::ops::{Range, RangeFrom, RangeFull, RangeTo};

use crate::{Error, ErrorKind, Result};

/// Which bytes of an object to read. Ends are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ByteRange {
    /// All of it.
    #[default]
    Full,
    /// From the start to before the end. An equal start and end is a read of no bytes.
    Bounded(u64, u64),
    /// From the offset to the end of the object.
    From(u64),
    /// The last bytes, at most this many.
    Suffix(u64),
}

impl ByteRange {
    /// At most `limit` bytes from `offset`; `None` is without a limit, `Some(0)` reads nothing.
    #[must_use]
    pub const fn at(offset: u64, limit: Option<u64>) -> Self {
        match limit {
            Some(limit) => Self::Bounded(offset, offset.saturating_add(limit)),
            None => Self::From(offset),
        }
    }

    /// The bytes meant of an object of `size` bytes: ends past the size are clamped, a start at or
    /// past it gives an empty range.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRange`] when the end lies before the start.
    pub fn resolve(self, size: u64) -> Result<Range<u64>> {
        Ok(match self {
            Self::Full => 0..size,
            Self::Bounded(start, end) if end < start => {
                return Err(Error::new(
                    ErrorKind::InvalidRange,
                    format!("the end {end} lies before the start {start}"),
                ));
            }
            Self::Bounded(start, end) => start.min(size)..end.min(size),
            Self::From(start) => start.min(size)..size,
            Self::Suffix(count) => size.saturating_sub(count)..size,
        })
    }
}

impl From<Range<u64>> for ByteRange {
    fn from(range: Range<u64>) -> Self {
        Self::Bounded(range.start, range.end)
    }
}

impl From<RangeFrom<u64>> for ByteRange {
    fn from(range: RangeFrom<u64>) -> Self {
        Self::From(range.start)
    }
}

impl From<RangeTo<u64>> for ByteRange {
    fn from(range: RangeTo<u64>) -> Self {
        Self::Bounded(0, range.end)
    }
}

impl From<RangeFull> for ByteRange {
    fn from(_: RangeFull) -> Self {
        Self::Full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_resolve_as_the_contract_says() {
        assert_eq!(ByteRange::Full.resolve(10).unwrap(), 0..10);
        assert_eq!(ByteRange::from(2..50).resolve(10).unwrap(), 2..10);
        assert_eq!(ByteRange::from(10..12).resolve(10).unwrap(), 10..10);
        assert_eq!(ByteRange::from(99..).resolve(10).unwrap(), 10..10);
        assert_eq!(ByteRange::Suffix(3).resolve(10).unwrap(), 7..10);
        assert_eq!(ByteRange::Suffix(30).resolve(10).unwrap(), 0..10);
        assert_eq!(ByteRange::at(4, Some(0)).resolve(10).unwrap(), 4..4);
        assert!(
            ByteRange::Bounded(5, 4)
                .resolve(10)
                .unwrap_err()
                .is_invalid_range()
        );
    }
}
