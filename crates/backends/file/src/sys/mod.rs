//! The operating system's part: directories held open, names resolved below them, locks.
//!
//! Two implementations of the same items. `linux` resolves names in the kernel, so that no race can
//! lead outside the root. `portable` uses the standard library alone and checks each component
//! before use; `--cfg storage_file_portable` selects it on Linux, for its tests.

#[cfg(all(target_os = "linux", not(storage_file_portable)))]
mod linux;
#[cfg(all(target_os = "linux", not(storage_file_portable)))]
pub(crate) use linux::*;

#[cfg(not(all(target_os = "linux", not(storage_file_portable))))]
mod portable;
#[cfg(not(all(target_os = "linux", not(storage_file_portable))))]
pub(crate) use portable::*;

use std::time::{Duration, SystemTime};

/// What stands at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    /// A FIFO, socket or device.
    Special,
}

/// A point in time: seconds since 1970, and nanoseconds after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Stamp {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Stamp {
    pub(crate) fn to_time(self) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.seconds.unsigned_abs());
        let whole = if self.seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(seconds)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(seconds)
        };
        whole?.checked_add(Duration::from_nanos(self.nanos.into()))
    }
}

/// What the system knows of a file or directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) links: u64,
    pub(crate) modified: Stamp,
    /// When anything of it last changed; programs cannot set it.
    pub(crate) changed: Stamp,
}

/// What the system keeps of an open file beside its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    /// With the kind of file, as the system has it.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) accessed: Stamp,
    pub(crate) modified: Stamp,
    pub(crate) created: Option<Stamp>,
}

/// How a directory is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Share {
    Shared,
    Exclusive,
}

/// What the file system of the root can do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Abilities {
    /// Extended attributes of users.
    pub(crate) attributes: bool,
    /// Directory locks that other processes respect.
    pub(crate) locks: bool,
    /// Inode numbers, and change and modified times in nanoseconds.
    pub(crate) identities: bool,
    /// Files live in memory: reading them never waits for a device.
    pub(crate) in_memory: bool,
}
