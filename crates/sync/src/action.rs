use std::fmt;
use std::time::SystemTime;

use storage_core::ObjectPath;

use crate::Replica;

/// One thing that a job does, or in a dry run would do. Paths are relative to both trees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Sends an object that the destination does not have.
    Create {
        /// Where.
        path: ObjectPath,
        /// Bytes, where the source knows.
        size: Option<u64>,
    },
    /// Sends an object over a different one.
    Update {
        /// Where.
        path: ObjectPath,
        /// Bytes, where the source knows.
        size: Option<u64>,
        /// What is different.
        difference: Difference,
    },
    /// Gives the destination's object the source's modified time; the content is the same.
    SetModified {
        /// Where.
        path: ObjectPath,
        /// The source's time.
        modified: SystemTime,
    },
    /// Moves an object within one backend without sending its bytes.
    Rename {
        /// Where.
        path: ObjectPath,
        /// Bytes, where the source knows.
        size: Option<u64>,
    },
    /// Renames the destination's object to where the source has it now, instead of sending it.
    Relocate {
        /// Where the destination has it.
        from: ObjectPath,
        /// Where.
        path: ObjectPath,
        /// Bytes, where the source knows.
        size: Option<u64>,
    },
    /// Removes the source's object in a move: the destination has the same already.
    RemoveSource {
        /// Where.
        path: ObjectPath,
    },
    /// Deletes an object that the source does not have.
    Delete {
        /// Where.
        path: ObjectPath,
        /// Bytes, where the destination knows.
        size: Option<u64>,
    },
    /// Creates a directory that is empty at the source.
    Mkdir {
        /// Where.
        path: ObjectPath,
    },
    /// Gives a directory of the destination the source's modified time, after all changes in it.
    SetDirModified {
        /// Where.
        path: ObjectPath,
        /// The source's time.
        modified: SystemTime,
    },
    /// Removes a directory that the source does not have, if it is empty by then.
    Rmdir {
        /// Where.
        path: ObjectPath,
    },
    /// Removes a directory of the source after a move, if it is empty by then.
    RmdirSource {
        /// Where.
        path: ObjectPath,
    },
    /// In a bisync: something that is done on one side.
    At {
        /// The side that is changed.
        replica: Replica,
        /// What is done there.
        action: Box<Action>,
    },
    /// In a bisync: both sides have changed an object, each in its way. Both versions are kept.
    Conflict {
        /// Where.
        path: ObjectPath,
        /// Whose version stays under the name; `None`: neither does.
        winner: Option<Replica>,
        /// Whether both are left as they are.
        is_left: bool,
    },
    /// In a bisync: gives one side's version another name, before the other's takes its place.
    KeepAside {
        /// Where it was.
        path: ObjectPath,
        /// Where it is.
        to: ObjectPath,
    },
    /// Leaves an object alone.
    Skip {
        /// Where.
        path: ObjectPath,
        /// Why.
        reason: SkipReason,
    },
}

impl Action {
    /// The path it concerns, relative to both trees.
    #[must_use]
    pub const fn path(&self) -> &ObjectPath {
        match self {
            Self::Create { path, .. }
            | Self::Update { path, .. }
            | Self::SetModified { path, .. }
            | Self::Rename { path, .. }
            | Self::Relocate { path, .. }
            | Self::RemoveSource { path }
            | Self::Delete { path, .. }
            | Self::Mkdir { path }
            | Self::SetDirModified { path, .. }
            | Self::Rmdir { path }
            | Self::RmdirSource { path }
            | Self::Conflict { path, .. }
            | Self::KeepAside { path, .. }
            | Self::Skip { path, .. } => path,
            Self::At { action, .. } => action.path(),
        }
    }

    /// The bytes that it sends; 0 for what sends none or does not know.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        match self {
            Self::Create {
                size: Some(size), ..
            }
            | Self::Update {
                size: Some(size), ..
            } => *size,
            Self::At { action, .. } => action.bytes(),
            _ => 0,
        }
    }

    /// What it does, in one word.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::SetModified { .. } => "set-modified",
            Self::Rename { .. } => "rename",
            Self::Relocate { .. } => "relocate",
            Self::RemoveSource { .. } => "remove-source",
            Self::Delete { .. } => "delete",
            Self::Mkdir { .. } => "mkdir",
            Self::SetDirModified { .. } => "set-dir-modified",
            Self::Rmdir { .. } => "rmdir",
            Self::RmdirSource { .. } => "rmdir-source",
            Self::Conflict { is_left: true, .. } => "leave",
            Self::Conflict { .. } => "resolve",
            Self::KeepAside { .. } => "set-aside",
            Self::At { action, .. } => action.verb(),
            Self::Skip { .. } => "skip",
        }
    }
}

impl fmt::Display for Action {
    /// `update a/b (size)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::At { replica, action } = self {
            return write!(f, "{action} on {replica}");
        }
        write!(f, "{} {}", self.verb(), self.path())?;
        match self {
            Self::Update { difference, .. } => write!(f, " ({difference})"),
            Self::Relocate { from, .. } => write!(f, " (from {from})"),
            Self::Skip { reason, .. } => write!(f, " ({reason})"),
            Self::KeepAside { to, .. } => write!(f, " (as {to})"),
            Self::Conflict { is_left: true, .. } => f.write_str(" (changed on both sides)"),
            Self::Conflict {
                winner: Some(winner),
                ..
            } => write!(f, " ({winner} wins)"),
            Self::Conflict { .. } => f.write_str(" (both are kept)"),
            _ => Ok(()),
        }
    }
}

/// How source and destination differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// The sizes.
    Size,
    /// The bytes.
    Content,
    /// Only the modified time, on a destination that cannot change it without the content.
    Modified,
    /// Nobody looked: [`Comparison::IgnoreTimes`](crate::Comparison::IgnoreTimes).
    NotCompared,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Content => "content",
            Self::Modified => "modified time",
            Self::NotCompared => "not compared",
        })
    }
}

/// Why an object is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// Both sides are the same. Reported only with
    /// [`Options::report_unchanged`](crate::Options::report_unchanged), always counted.
    Unchanged,
    /// The destination's is newer, and [`Options::update`](crate::Options::update) is set.
    NewerAtDestination,
    /// The destination has one, and [`Options::ignore_existing`](crate::Options::ignore_existing)
    /// is set.
    Exists,
    /// [`Options::confirm`](crate::Options::confirm) said no.
    Declined,
    /// It is a symbolic link: [`Options::links`](crate::Options::links).
    Link,
    /// It is a FIFO, socket or device.
    Device,
    /// It is another name of the object that it would be a duplicate of.
    SameObject,
    /// The same is in a tree of [`Options::compare_dest`](crate::Options::compare_dest).
    ElsewhereAlready,
    /// The destination has none, and [`Options::existing`](crate::Options::existing) is set.
    Missing,
}

impl SkipReason {
    /// Whether it is something that no option asked to be left alone, so that people should be told.
    #[must_use]
    pub const fn is_notable(self) -> bool {
        matches!(self, Self::Link | Self::Device)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchanged => "unchanged",
            Self::NewerAtDestination => "newer at the destination",
            Self::Exists => "exists at the destination",
            Self::Link => "symbolic link",
            Self::Device => "FIFO, socket or device",
            Self::ElsewhereAlready => "in the tree to compare with",
            Self::Declined => "declined",
            Self::SameObject => "another name of the same file",
            Self::Missing => "missing at the destination",
        })
    }
}
