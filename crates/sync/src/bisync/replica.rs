use std::fmt;

/// One of the two trees of a bisync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Replica {
    /// The first.
    Path1,
    /// The second.
    Path2,
}

impl Replica {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::Path1, Self::Path2];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Path1 => Self::Path2,
            Self::Path2 => Self::Path1,
        }
    }

    /// What belongs to this one of a pair.
    pub(crate) const fn of<T>(self, pair: &[T; 2]) -> &T {
        let [first, second] = pair;
        match self {
            Self::Path1 => first,
            Self::Path2 => second,
        }
    }

    pub(crate) const fn of_mut<T>(self, pair: &mut [T; 2]) -> &mut T {
        let [first, second] = pair;
        match self {
            Self::Path1 => first,
            Self::Path2 => second,
        }
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path1 => "path1",
            Self::Path2 => "path2",
        })
    }
}
