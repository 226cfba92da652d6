//! Directories held open, and names resolved below them in the kernel.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::SystemTime;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    self, AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RawDir, RenameFlags, ResolveFlags,
    Timespec, Timestamps, UTIME_OMIT,
};
use rustix::io::Errno;
use storage_core::ErrorKind;

use crate::sys::{Abilities, Kind, Share, Stamp, Stat};

/// Links inside are followed, whatever leads outside is an error.
const RESOLVE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
/// `NONBLOCK`: opening a FIFO must not wait for its other end.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);
/// How often a resolution is tried again that raced with renames.
const RACES: usize = 64;
const TMPFS_MAGIC: u64 = 0x0102_1994;
const RAMFS_MAGIC: u64 = 0x8584_58f6;
/// File systems whose time stamps are too coarse to tell two writes apart.
const COARSE: [u64; 2] = [0x4d44, 0x2011_bab0];

/// An open directory. Everything is resolved from it and stays below it.
#[derive(Debug)]
pub(crate) struct Dir(OwnedFd, ResolveFlags);

/// Whether links can be made, and what the system keeps of files be told and set.
pub(crate) const KEEPS_ALL: bool = true;

/// A modified time, and the access time left alone.
fn modified_at(modified: Stamp) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: modified.seconds,
            tv_nsec: modified.nanos.into(),
        },
    }
}

/// A file that keeps its storage as long as this is held, whatever happens to its name.
#[derive(Debug)]
pub(crate) struct Held(OwnedFd);

impl Held {
    /// Has the system free the file, if it has no name any more.
    pub(crate) fn release(self) {
        drop(self.0);
    }
}

/// A lock of a directory, released when dropped, by the kernel when the process dies.
#[derive(Debug)]
pub(crate) struct DirLock<'a>(&'a Dir);

impl Drop for DirLock<'_> {
    fn drop(&mut self) {
        // Should this fail, closing the directory releases the lock.
        let _ = fs::flock(&self.0.0, FlockOperation::Unlock);
    }
}

impl Dir {
    /// Opens the directory at `path`, wherever it leads.
    pub(crate) fn open_root(path: &Path) -> io::Result<Self> {
        let fd = fs::openat(CWD, path, DIRECTORY, Mode::empty())?;
        Ok(Self(fd, RESOLVE))
    }

    /// The same directory, from which nothing leads through a link.
    pub(crate) fn without_links(self) -> Self {
        Self(self.0, self.1 | ResolveFlags::NO_SYMLINKS)
    }

    pub(crate) fn abilities(&self) -> io::Result<Abilities> {
        // Fails early, with the kernel's answer, where there is no `openat2`.
        self.open_dir(".")?;
        let mut value = [0u8; 1];
        let attributes = match fs::fgetxattr(&self.0, "user.omnistorage.probe", &mut value) {
            Ok(_) | Err(Errno::NODATA | Errno::RANGE) => true,
            Err(_) => false,
        };
        let locks = match self.reopen().map(|fd| lock(&fd, Share::Exclusive, false)) {
            Ok(Ok(()) | Err(Errno::WOULDBLOCK)) => true,
            Ok(Err(_)) | Err(_) => false,
        };
        let magic = fs::fstatfs(&self.0)?.f_type as u64;
        Ok(Abilities {
            attributes,
            locks,
            identities: !COARSE.contains(&magic),
            in_memory: matches!(magic, TMPFS_MAGIC | RAMFS_MAGIC),
        })
    }

    /// Opens whatever is at `path` for reading, without ever waiting for it.
    pub(crate) fn open_file(&self, path: &str) -> io::Result<File> {
        Ok(self.resolve(path, READ)?.into())
    }

    /// As [`open_file`](Self::open_file) if the kernel has all it needs in memory, else `None`.
    pub(crate) fn open_file_cached(&self, path: &str) -> Option<io::Result<File>> {
        let opened = self.resolve_cached(path, READ)?;
        Some(opened.map(File::from))
    }

    /// Opens a single name for reading, not following a link.
    pub(crate) fn open_own_file(&self, name: &str) -> io::Result<File> {
        let flags = READ | OFlags::NOFOLLOW;
        Ok(fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Opens a single name for adding to its end, not following a link.
    pub(crate) fn open_append(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        Ok(fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Opens a directory below, following links.
    pub(crate) fn open_dir(&self, path: &str) -> io::Result<Self> {
        Ok(Self(self.resolve(path, DIRECTORY)?, self.1))
    }

    /// Opens a directory by a single name, not following a link.
    pub(crate) fn open_own_dir(&self, name: &OsStr) -> io::Result<Self> {
        let flags = DIRECTORY | OFlags::NOFOLLOW;
        let fd = fs::openat(&self.0, name, flags, Mode::empty())?;
        Ok(Self(fd, self.1))
    }

    /// What is at `path`, following links.
    pub(crate) fn stat(&self, path: &str) -> io::Result<Stat> {
        let fd = self.resolve(path, OFlags::PATH | OFlags::CLOEXEC)?;
        Ok(Stat::from_system(&fs::fstat(&fd)?))
    }

    /// As [`stat`](Self::stat) if the kernel has all it needs in memory, else `None`.
    pub(crate) fn stat_cached(&self, path: &str) -> Option<io::Result<Stat>> {
        let opened = self.resolve_cached(path, OFlags::PATH | OFlags::CLOEXEC)?;
        Some(opened.and_then(|fd| Ok(Stat::from_system(&fs::fstat(&fd)?))))
    }

    /// What is at a single name, not following a link.
    pub(crate) fn stat_own(&self, name: &OsStr) -> io::Result<Stat> {
        let stat = fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Stat::from_system(&stat))
    }

    /// Where the link of a single name leads, as it is written.
    pub(crate) fn read_link(&self, name: &str) -> io::Result<OsString> {
        let target = fs::readlinkat(&self.0, name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    /// Makes a link by a single name.
    pub(crate) fn create_link(&self, target: &[u8], name: &str) -> io::Result<()> {
        Ok(fs::symlinkat(target, &self.0, name)?)
    }

    /// Sets its own modified time.
    pub(crate) fn set_modified(&self, modified: SystemTime) -> io::Result<()> {
        Ok(fs::futimens(
            &self.0,
            &modified_at(Stamp::from_time(modified)),
        )?)
    }

    /// Sets the modified time of a link by a single name.
    pub(crate) fn set_link_modified(&self, name: &str, modified: Stamp) -> io::Result<()> {
        Ok(fs::utimensat(
            &self.0,
            name,
            &modified_at(modified),
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }

    /// Holds what is at a single name, not following a link, without opening it.
    pub(crate) fn hold(&self, name: &str) -> Option<Held> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = fs::openat(&self.0, name, flags, Mode::empty());
        held.ok().map(Held)
    }

    pub(crate) fn stat_self(&self) -> io::Result<Stat> {
        Ok(Stat::from_system(&fs::fstat(&self.0)?))
    }

    /// Creates a new file by a single name, open for reading and writing.
    pub(crate) fn create_file(&self, name: &str, mode: Option<u32>) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode_bits = Mode::from_raw_mode(mode.unwrap_or(0o666));
        let fd = fs::openat(&self.0, name, flags, mode_bits)?;
        if mode.is_some() {
            // The process's mask must not take bits from a mode that was configured.
            fs::fchmod(&fd, mode_bits)?;
        }
        Ok(fd.into())
    }

    /// Creates a directory by a single name.
    pub(crate) fn create_dir(&self, name: &str, mode: Option<u32>) -> io::Result<()> {
        let mode_bits = Mode::from_raw_mode(mode.unwrap_or(0o777));
        fs::mkdirat(&self.0, name, mode_bits)?;
        if mode.is_some() {
            let dir = self.open_own_dir(OsStr::new(name))?;
            fs::fchmod(&dir.0, mode_bits)?;
        }
        Ok(())
    }

    /// Renames, replacing what is there.
    pub(crate) fn rename(&self, from: &str, to_dir: &Self, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &to_dir.0, to)?)
    }

    /// Renames unless something is there, which is `AlreadyExists`.
    pub(crate) fn rename_new(&self, from: &str, to_dir: &Self, to: &str) -> io::Result<()> {
        match fs::renameat_with(&self.0, from, &to_dir.0, to, RenameFlags::NOREPLACE) {
            // File systems without that flag: a hard link refuses to replace just as atomically.
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::linkat(&self.0, from, &to_dir.0, to, AtFlags::empty())?;
                Ok(fs::unlinkat(&self.0, from, AtFlags::empty())?)
            }
            renamed => Ok(renamed?),
        }
    }

    /// Removes a single name that is not a directory.
    pub(crate) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty directory by a single name.
    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Locks this directory; without `wait` at once or with `WouldBlock`. The lock is the handle's:
    /// each operation opens one of its own, and takes one lock of it at a time.
    pub(crate) fn lock(&self, share: Share, wait: bool) -> io::Result<DirLock<'_>> {
        lock(&self.0, share, wait)?;
        Ok(DirLock(self))
    }

    /// Writes the names of this directory to the device.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match fs::fsync(&self.0) {
            // File systems that have nothing to write say so.
            Err(Errno::INVAL) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Writes everything of the file system to the device.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        Ok(fs::syncfs(&self.0)?)
    }

    /// Calls `each` with every name and, where the system tells it for nothing, its kind, until it
    /// returns `false`.
    pub(crate) fn for_each_name(
        &self,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(&OsStr, Option<Kind>) -> bool,
    ) -> io::Result<()> {
        // A directory of its own, so that reading starts at the beginning.
        let fd = self.reopen()?;
        buffer.clear();
        buffer.reserve(64 << 10);
        let mut names = RawDir::new(fd.as_fd(), buffer.spare_capacity_mut());
        while let Some(entry) = names.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            let dots = name == b"." || name == b"..";
            if !dots && !each(OsStr::from_bytes(name), kind_of(entry.file_type())) {
                break;
            }
        }
        Ok(())
    }

    fn resolve_cached(&self, path: &str, flags: OFlags) -> Option<io::Result<OwnedFd>> {
        let resolve = self.1 | ResolveFlags::CACHED;
        match fs::openat2(&self.0, path, flags, Mode::empty(), resolve) {
            Ok(fd) => Some(Ok(fd)),
            // Not in memory, or, before Linux 5.12, not to be asked so.
            Err(Errno::AGAIN | Errno::INVAL | Errno::OPNOTSUPP) => None,
            Err(errno) => Some(Err(self.failure(errno, flags))),
        }
    }

    /// A link where none is followed is no directory to enter, and no object by that name.
    fn failure(&self, errno: Errno, flags: OFlags) -> io::Error {
        match errno {
            Errno::LOOP if self.1.contains(ResolveFlags::NO_SYMLINKS) => {
                match flags.contains(OFlags::DIRECTORY) {
                    true => io::ErrorKind::NotADirectory.into(),
                    false => io::ErrorKind::NotFound.into(),
                }
            }
            errno => errno.into(),
        }
    }

    fn reopen(&self) -> rustix::io::Result<OwnedFd> {
        fs::openat(&self.0, ".", DIRECTORY, Mode::empty())
    }

    fn resolve(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let mut races = 0;
        loop {
            match fs::openat2(&self.0, path, flags, Mode::empty(), self.1) {
                Err(Errno::AGAIN | Errno::INTR) if races < RACES => races += 1,
                Err(errno) => return Err(self.failure(errno, flags)),
                Ok(fd) => return Ok(fd),
            }
        }
    }
}

fn lock(fd: &OwnedFd, share: Share, wait: bool) -> rustix::io::Result<()> {
    let operation = match (share, wait) {
        (Share::Shared, true) => FlockOperation::LockShared,
        (Share::Exclusive, true) => FlockOperation::LockExclusive,
        (Share::Shared, false) => FlockOperation::NonBlockingLockShared,
        (Share::Exclusive, false) => FlockOperation::NonBlockingLockExclusive,
    };
    rustix::io::retry_on_intr(|| fs::flock(fd, operation))
}

fn kind_of(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Directory),
        FileType::Symlink => Some(Kind::Link),
        FileType::Unknown => None,
        _ => Some(Kind::Special),
    }
}

impl Stat {
    pub(super) fn from_system(stat: &fs::Stat) -> Self {
        let kind = kind_of(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Special);
        Self {
            kind,
            size: stat.st_size as u64,
            device: stat.st_dev,
            inode: stat.st_ino,
            links: u64::from(stat.st_nlink as u32),
            modified: Stamp {
                seconds: stat.st_mtime,
                nanos: stat.st_mtime_nsec as u32,
            },
            changed: Stamp {
                seconds: stat.st_ctime,
                nanos: stat.st_ctime_nsec as u32,
            },
        }
    }
}

/// What an error of this module means where the standard library's kind does not say it.
pub(crate) fn explain(error: &io::Error) -> Option<(ErrorKind, &'static str)> {
    Some(match Errno::from_io_error(error)? {
        Errno::XDEV => (
            ErrorKind::PermissionDenied,
            "a symbolic link leads outside the root",
        ),
        Errno::LOOP => (
            ErrorKind::PermissionDenied,
            "too many symbolic links, or one that may not be followed",
        ),
        Errno::NXIO | Errno::NODEV => (
            ErrorKind::Unsupported,
            "a FIFO, socket or device is not an object",
        ),
        _ => return None,
    })
}

/// Whether an open that follows no links met one.
pub(crate) fn is_link(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::LOOP | Errno::NOTDIR)
    )
}
