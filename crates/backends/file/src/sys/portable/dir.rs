//! Directories known by their paths, and names resolved below them component by component.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind as Io};
use std::marker::PhantomData;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use storage_core::ErrorKind;

use crate::sys::{Abilities, Kind, Share, Stamp, Stat};

/// Whether links can be made, and what the system keeps of files be told and set.
pub(crate) const KEEPS_ALL: bool = false;

/// Most symbolic links on the way to one name.
const LINKS: usize = 40;

/// A directory below the root, known by its path. Links are resolved and checked before each use: a
/// process that swaps a directory for a link in between can lead outside.
#[derive(Debug)]
pub(crate) struct Dir {
    root: Arc<PathBuf>,
    /// Relative to the root, without links.
    path: PathBuf,
}

/// A file that keeps its storage as long as this is held. None can be: where an open file cannot be
/// replaced, holding it would be in the way.
#[derive(Debug)]
pub(crate) enum Held {}

impl Held {
    pub(crate) const fn release(self) {
        match self {}
    }
}

/// A lock of a directory, released when dropped, by the system when the process dies.
#[derive(Debug)]
pub(crate) struct DirLock<'a> {
    _file: File,
    dir: PhantomData<&'a Dir>,
}

impl Dir {
    /// Opens the directory at `path`, wherever it leads.
    pub(crate) fn open_root(path: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(path)?;
        if !fs::metadata(&root)?.is_dir() {
            return Err(Io::NotADirectory.into());
        }
        fs::read_dir(&root)?;
        Ok(Self {
            root: Arc::new(root),
            path: PathBuf::new(),
        })
    }

    /// Never called: links cannot be made here.
    pub(crate) const fn without_links(self) -> Self {
        self
    }

    pub(crate) fn abilities(&self) -> io::Result<Abilities> {
        let locks = cfg!(unix)
            && File::open(self.full()).is_ok_and(|dir| match dir.try_lock() {
                Ok(()) | Err(fs::TryLockError::WouldBlock) => true,
                Err(fs::TryLockError::Error(_)) => false,
            });
        Ok(Abilities {
            attributes: false,
            locks,
            identities: cfg!(unix),
            in_memory: false,
        })
    }

    /// Opens whatever object is at `path` for reading.
    pub(crate) fn open_file(&self, path: &str) -> io::Result<File> {
        open_object(&self.resolve(path)?, OpenOptions::new().read(true))
    }

    /// Nothing is known here of what the system has in memory.
    pub(crate) fn open_file_cached(&self, _: &str) -> Option<io::Result<File>> {
        None
    }

    /// Nothing is known here of what the system has in memory.
    pub(crate) fn stat_cached(&self, _: &str) -> Option<io::Result<Stat>> {
        None
    }

    /// Opens a single name for reading, not following a link.
    pub(crate) fn open_own_file(&self, name: &str) -> io::Result<File> {
        open_object(&self.full().join(name), OpenOptions::new().read(true))
    }

    /// Opens a single name for adding to its end, not following a link.
    pub(crate) fn open_append(&self, name: &str) -> io::Result<File> {
        open_object(&self.full().join(name), OpenOptions::new().append(true))
    }

    /// Opens a directory below, following links.
    pub(crate) fn open_dir(&self, path: &str) -> io::Result<Self> {
        self.at(&self.resolve(path)?)
    }

    /// Opens a directory by a single name, not following a link.
    pub(crate) fn open_own_dir(&self, name: &OsStr) -> io::Result<Self> {
        self.at(&self.full().join(name))
    }

    /// What is at `path`, following links.
    pub(crate) fn stat(&self, path: &str) -> io::Result<Stat> {
        Ok(stat_of(&fs::symlink_metadata(self.resolve(path)?)?))
    }

    /// What is at a single name, not following a link.
    pub(crate) fn stat_own(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(stat_of(&fs::symlink_metadata(self.full().join(name))?))
    }

    /// Where the link of a single name leads, as it is written.
    pub(crate) fn read_link(&self, name: &str) -> io::Result<OsString> {
        Ok(fs::read_link(self.full().join(name))?.into_os_string())
    }

    /// The standard library does not make links on every system.
    #[expect(clippy::unused_self, reason = "other systems make them here")]
    pub(crate) fn create_link(&self, _: &[u8], _: &str) -> io::Result<()> {
        Err(Io::Unsupported.into())
    }

    /// The standard library has no way to do so.
    #[expect(clippy::unused_self, reason = "other systems set it here")]
    pub(crate) fn set_link_modified(&self, _: &str, _: Stamp) -> io::Result<()> {
        Err(Io::Unsupported.into())
    }

    /// Sets its own modified time.
    pub(crate) fn set_modified(&self, modified: SystemTime) -> io::Result<()> {
        File::open(self.full())?.set_modified(modified)
    }

    /// Holds nothing.
    #[expect(
        clippy::unused_self,
        reason = "other systems hold files below the directory"
    )]
    pub(crate) const fn hold(&self, _: &str) -> Option<Held> {
        None
    }

    pub(crate) fn stat_self(&self) -> io::Result<Stat> {
        Ok(stat_of(&fs::symlink_metadata(self.full())?))
    }

    /// Creates a new file by a single name, open for reading and writing.
    pub(crate) fn create_file(&self, name: &str, mode: Option<u32>) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .open(self.full().join(name))?;
        if let Some(mode) = mode {
            file.set_permissions(permissions(mode, &file.metadata()?))?;
        }
        Ok(file)
    }

    /// Creates a directory by a single name.
    pub(crate) fn create_dir(&self, name: &str, mode: Option<u32>) -> io::Result<()> {
        let at = self.full().join(name);
        fs::create_dir(&at)?;
        if let Some(mode) = mode {
            fs::set_permissions(&at, permissions(mode, &fs::metadata(&at)?))?;
        }
        Ok(())
    }

    /// Renames, replacing what is there.
    pub(crate) fn rename(&self, from: &str, to_dir: &Self, to: &str) -> io::Result<()> {
        fs::rename(self.full().join(from), to_dir.full().join(to))
    }

    /// Renames unless something is there, which is `AlreadyExists`.
    pub(crate) fn rename_new(&self, from: &str, to_dir: &Self, to: &str) -> io::Result<()> {
        let (from, to) = (self.full().join(from), to_dir.full().join(to));
        if fs::symlink_metadata(&from)?.is_dir() {
            // The new name is taken by an empty directory, which a rename may replace.
            fs::create_dir(&to)?;
            return fs::rename(&from, &to).inspect_err(|_| {
                let _ = fs::remove_dir(&to);
            });
        }
        fs::hard_link(&from, &to)?;
        fs::remove_file(&from)
    }

    /// Removes a single name that is not a directory.
    pub(crate) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.full().join(name))
    }

    /// Removes an empty directory by a single name.
    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.full().join(name))
    }

    /// Locks this directory; without `wait` at once or with `WouldBlock`.
    pub(crate) fn lock(&self, share: Share, wait: bool) -> io::Result<DirLock<'_>> {
        let file = File::open(self.full())?;
        match (share, wait) {
            (Share::Shared, true) => file.lock_shared()?,
            (Share::Exclusive, true) => file.lock()?,
            (Share::Shared, false) => file.try_lock_shared()?,
            (Share::Exclusive, false) => file.try_lock()?,
        }
        Ok(DirLock {
            _file: file,
            dir: PhantomData,
        })
    }

    /// Writes the names of this directory to the device, where that can be asked for.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match cfg!(unix) {
            true => File::open(self.full())?.sync_all(),
            false => Ok(()),
        }
    }

    /// Writes everything below to the device, a file at a time.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        let mut directories = vec![self.full()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    directories.push(entry.path());
                } else if kind.is_file() {
                    match File::open(entry.path()).and_then(|file| file.sync_all()) {
                        Err(error) if error.kind() == Io::NotFound => {}
                        done => done?,
                    }
                }
            }
            let synced = self.at(&directory)?.sync();
            synced?;
        }
        Ok(())
    }

    /// Calls `each` with every name and, where the system tells it for nothing, its kind, until it
    /// returns `false`.
    pub(crate) fn for_each_name(
        &self,
        _: &mut Vec<u8>,
        mut each: impl FnMut(&OsStr, Option<Kind>) -> bool,
    ) -> io::Result<()> {
        for entry in fs::read_dir(self.full())? {
            let entry = entry?;
            let kind = entry.file_type().ok().map(kind_of);
            if !each(&entry.file_name(), kind) {
                break;
            }
        }
        Ok(())
    }

    fn full(&self) -> PathBuf {
        self.root.join(&self.path)
    }

    /// The directory at a full path that was checked.
    fn at(&self, full: &Path) -> io::Result<Self> {
        if !fs::symlink_metadata(full)?.is_dir() {
            return Err(Io::NotADirectory.into());
        }
        let path = full.strip_prefix(&*self.root).unwrap_or(full).to_owned();
        Ok(Self {
            root: Arc::clone(&self.root),
            path,
        })
    }

    /// The full path that `path` leads to, every link on the way followed and found to stay below
    /// the root. The last name need not exist.
    fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let mut rest: Vec<OsString> = reversed(Path::new(path))?;
        let mut found = self.path.clone();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == ".." {
                if !found.pop() {
                    return Err(outside());
                }
                continue;
            }
            let next = self.root.join(&found).join(&name);
            let metadata = fs::symlink_metadata(&next)?;
            if metadata.is_symlink() {
                links += 1;
                if links > LINKS {
                    return Err(io::Error::new(
                        Io::PermissionDenied,
                        "too many symbolic links",
                    ));
                }
                rest.extend(reversed(&fs::read_link(&next)?)?);
            } else if !rest.is_empty() && !metadata.is_dir() {
                return Err(Io::NotADirectory.into());
            } else {
                found.push(name);
            }
        }
        Ok(self.root.join(found))
    }
}

/// The names of a relative path, the first one last.
fn reversed(path: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for component in path.components().rev() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => names.push("..".into()),
            Component::Normal(name) => names.push(name.to_owned()),
            Component::RootDir | Component::Prefix(_) => return Err(outside()),
        }
    }
    Ok(names)
}

fn outside() -> io::Error {
    let message = "a symbolic link leads outside the root";
    io::Error::new(Io::PermissionDenied, message)
}

/// Opens a name that is a file. Looks first, because opening a FIFO would wait for its other end.
fn open_object(at: &Path, options: &OpenOptions) -> io::Result<File> {
    match stat_of(&fs::symlink_metadata(at)?).kind {
        Kind::File => options.open(at),
        Kind::Directory => Err(Io::IsADirectory.into()),
        Kind::Link | Kind::Special => {
            let message = "a FIFO, socket, device or link is not an object";
            Err(io::Error::new(Io::Unsupported, message))
        }
    }
}

#[cfg(unix)]
fn permissions(mode: u32, _: &Metadata) -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(mode)
}

/// Elsewhere modes are refused when the backend is opened.
#[cfg(not(unix))]
fn permissions(_: u32, metadata: &Metadata) -> fs::Permissions {
    metadata.permissions()
}

fn kind_of(file_type: fs::FileType) -> Kind {
    if file_type.is_file() {
        Kind::File
    } else if file_type.is_dir() {
        Kind::Directory
    } else if file_type.is_symlink() {
        Kind::Link
    } else {
        Kind::Special
    }
}

#[cfg(unix)]
pub(super) fn stat_of(metadata: &Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt;
    let stamp = |seconds, nanos| Stamp {
        seconds,
        nanos: u32::try_from(nanos).unwrap_or(0),
    };
    Stat {
        kind: kind_of(metadata.file_type()),
        size: metadata.size(),
        device: metadata.dev(),
        inode: metadata.ino(),
        links: metadata.nlink(),
        modified: stamp(metadata.mtime(), metadata.mtime_nsec()),
        changed: stamp(metadata.ctime(), metadata.ctime_nsec()),
    }
}

#[cfg(not(unix))]
pub(super) fn stat_of(metadata: &Metadata) -> Stat {
    let modified = metadata
        .modified()
        .map(Stamp::from_time)
        .unwrap_or_default();
    Stat {
        kind: kind_of(metadata.file_type()),
        size: metadata.len(),
        device: 0,
        inode: 0,
        links: 1,
        modified,
        changed: modified,
    }
}

/// What an error of this module means where the standard library's kind does not say it.
pub(crate) fn explain(_: &io::Error) -> Option<(ErrorKind, &'static str)> {
    None
}

/// Whether an open that follows no links met one.
pub(crate) fn is_link(error: &io::Error) -> bool {
    error.kind() == Io::NotADirectory
}
