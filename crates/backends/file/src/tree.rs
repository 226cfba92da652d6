//! The directory tree that a backend serves, and what every operation on it shares.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use storage_core::{Durability, Error, ErrorKind, Features, ObjectPath, Result};

use crate::builder::Fsync;
use crate::failure::failure;
use crate::journal::Journal;
use crate::names;
use crate::pause::PausedWalks;
use crate::pool::Pool;
use crate::release::Releases;
use crate::sys::{Abilities, Dir, DirLock, Kind, Share, Stamp};

/// How often an operation starts again whose directory was removed under it.
const RACES: usize = 16;

/// One open root with its settings. All methods block.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: Arc<Dir>,
    /// Names the root to other backends; unknown where its path is not UTF-8.
    pub(crate) identity: Option<String>,
    /// The file system that the root is on; others may be mounted below it.
    pub(crate) device: u64,
    pub(crate) abilities: Abilities,
    pub(crate) features: Features,
    pub(crate) fsync: Fsync,
    pub(crate) dir_mode: Option<u32>,
    pub(crate) file_mode: Option<u32>,
    /// Whether what the system keeps of a file is part of its metadata.
    pub(crate) system_metadata: bool,
    /// Whether symbolic links are objects of their own, and nothing leads through one.
    pub(crate) links_as_objects: bool,
    pub(crate) pool: Pool,
    pub(crate) releases: Releases,
    pub(crate) journal: Journal,
    pub(crate) paused: PausedWalks,
}

/// The directory that an object lies in.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) dir: Arc<Dir>,
    /// The directories that got a new directory on the way.
    changed: Vec<Dir>,
}

impl Tree {
    /// Opens the directory that `path` lies in, creating it where it is missing, and does `work` in
    /// it; again when another process removed the directory meanwhile.
    pub(crate) fn in_parent<T>(
        &self,
        path: &ObjectPath,
        mut work: impl FnMut(Parent) -> io::Result<T>,
    ) -> Result<T> {
        let mut races = 0;
        loop {
            let parent = self.parent(path)?;
            match work(parent) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && races < RACES => {
                    races += 1;
                }
                done => return done.map_err(failure),
            }
        }
    }

    fn parent(&self, path: &ObjectPath) -> Result<Parent> {
        let (parent, _) = names::split(path);
        match self.root.open_dir(parent) {
            Ok(dir) => Ok(Parent::existing(dir)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound => self.make_dirs(parent),
                io::ErrorKind::NotADirectory => Err(not_directory(error)),
                _ => Err(failure(error)),
            },
        }
    }

    /// Opens the directory at `path`, creating it and its parents where they are missing.
    pub(crate) fn make_dirs(&self, path: &str) -> Result<Parent> {
        let mut races = 0;
        loop {
            match self.try_make_dirs(path) {
                Ok(parent) => return Ok(parent),
                // Another process removed what was there a moment ago.
                Err(error) if error.kind() == io::ErrorKind::NotFound && races < RACES => {
                    races += 1;
                }
                Err(error) => {
                    return Err(match error.kind() {
                        io::ErrorKind::NotADirectory | io::ErrorKind::NotFound => {
                            not_directory(error)
                        }
                        _ => failure(error),
                    });
                }
            }
        }
    }

    fn try_make_dirs(&self, path: &str) -> io::Result<Parent> {
        let (mut dir, mut known) = self.deepest_existing(path)?;
        let mut changed = Vec::new();
        while known < path.len() {
            let start = known + usize::from(known > 0);
            let end = path[start..].find('/').map_or(path.len(), |at| start + at);
            match dir.create_dir(&path[start..end], self.dir_mode) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            let next = self.root.open_dir(&path[..end])?;
            changed.push(std::mem::replace(&mut dir, next));
            known = end;
        }
        Ok(Parent {
            dir: Arc::new(dir),
            changed,
        })
    }

    /// The deepest directory on the way to `path` that is there, and how much of the path it covers.
    fn deepest_existing(&self, path: &str) -> io::Result<(Dir, usize)> {
        let mut end = path.len();
        loop {
            match self
                .root
                .open_dir(if end == 0 { "." } else { &path[..end] })
            {
                Ok(dir) => return Ok((dir, end)),
                Err(error) if error.kind() == io::ErrorKind::NotFound && end > 0 => {
                    end = path[..end].rfind('/').unwrap_or(0);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Locks a directory against the other mutations of its entries, where the file system can.
    pub(crate) fn lock<'a>(&self, dir: &'a Dir, share: Share) -> Result<Option<DirLock<'a>>> {
        if !self.abilities.locks {
            return Ok(None);
        }
        dir.lock(share, true).map(Some).map_err(failure)
    }

    /// Whether a path leads to a directory, following links.
    pub(crate) fn is_directory(&self, path: &ObjectPath) -> bool {
        self.root
            .stat(path)
            .is_ok_and(|stat| stat.kind == Kind::Directory)
    }

    /// What a write with this durability has to wait for.
    pub(crate) fn sync_level(&self, durability: Durability) -> Fsync {
        match durability {
            Durability::Deferred => Fsync::None,
            Durability::Immediate => self.fsync.max(Fsync::Data),
            _ => self.fsync,
        }
    }
}

impl Parent {
    /// A directory that was there already.
    pub(crate) fn existing(dir: Dir) -> Self {
        Self {
            dir: Arc::new(dir),
            changed: Vec::new(),
        }
    }

    /// Makes the entries of this directory durable, and those of the directories created for it.
    pub(crate) fn sync(&self) -> Result<()> {
        let dirs = self.changed.iter().rev();
        std::iter::once(&*self.dir)
            .chain(dirs)
            .try_for_each(Dir::sync)
            .map_err(|error| failure(error).with_outcome_unknown())
    }
}

fn not_directory(error: io::Error) -> Error {
    let message = "a parent of the path is not a directory";
    Error::new(ErrorKind::NotDirectory, message).with_source(error)
}

impl Stamp {
    /// The time now, to the nanosecond. The kernel's own stamps are only as fine as its timer.
    pub(crate) fn now() -> Self {
        Self::from_time(SystemTime::now())
    }

    pub(crate) fn from_time(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self {
                seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                nanos: since.subsec_nanos(),
            },
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                match before.subsec_nanos() {
                    0 => Self {
                        seconds: -seconds,
                        nanos: 0,
                    },
                    nanos => Self {
                        seconds: -seconds - 1,
                        nanos: 1_000_000_000 - nanos,
                    },
                }
            }
        }
    }

    /// Nanoseconds from `earlier` to this, negative when it is the later one.
    pub(crate) fn since(self, earlier: Self) -> i128 {
        i128::from(self.seconds - earlier.seconds) * 1_000_000_000 + i128::from(self.nanos)
            - i128::from(earlier.nanos)
    }
}
