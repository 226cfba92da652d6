use std::path::PathBuf;
use std::sync::Arc;

use storage_core::{Error, Features, Operation, Result};

use crate::backend::FileBackend;
use crate::call::hop;
use crate::failure::{NAME, failure};
use crate::journal::{self, Journal};
use crate::pause::PausedWalks;
use crate::pool::Pool;
use crate::release::Releases;
use crate::sys::{self, Abilities, Dir};
use crate::tree::Tree;

/// What a finished write has waited for, unless its options say otherwise.
///
/// [`Durability::Deferred`](storage_core::Durability::Deferred) makes a write wait for nothing, and
/// [`Durability::Immediate`](storage_core::Durability::Immediate) at least for what `Data` does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fsync {
    /// Nothing: a crash of the system may lose the write, never tear it apart on a file system that
    /// orders data before names.
    None,
    /// The bytes (`fdatasync`) before the name is given, then the name, and those of directories
    /// created for it (`fsync` of the directories).
    #[default]
    Data,
    /// As `Data`, with times and attributes (`fsync`); and the names of deletions, renames and new
    /// directories.
    Full,
}

/// What symbolic links are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SymbolicLinks {
    /// What they lead to, below the root.
    #[default]
    Followed,
    /// Objects of their own: the link `a` is the object `a.rclonelink`, whose content is where it
    /// leads. Writing such an object makes the link, wherever that leads; nothing else leads through
    /// links. Linux alone.
    Objects,
}

/// How a [`FileBackend`] is opened.
#[derive(Debug, Clone)]
pub struct FileBackendBuilder {
    root: PathBuf,
    create: bool,
    fsync: Fsync,
    dir_mode: Option<u32>,
    file_mode: Option<u32>,
    links: SymbolicLinks,
    system_metadata: bool,
}

impl FileBackendBuilder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            create: true,
            fsync: Fsync::default(),
            dir_mode: None,
            file_mode: None,
            links: SymbolicLinks::default(),
            system_metadata: false,
        }
    }

    /// Whether a missing root is created, with its parents; default true.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// What a finished write has waited for; default [`Fsync::Data`].
    #[must_use]
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.fsync = fsync;
        self
    }

    /// The permission bits of new directories, taken as they are; default 0o777 less the process's
    /// mask. Refused by [`open`](Self::open) on systems without such bits.
    #[must_use]
    pub fn dir_mode(mut self, mode: u32) -> Self {
        self.dir_mode = Some(mode);
        self
    }

    /// The permission bits of new files, taken as they are; default 0o666 less the process's mask.
    /// Refused by [`open`](Self::open) on systems without such bits.
    #[must_use]
    pub fn file_mode(mut self, mode: u32) -> Self {
        self.file_mode = Some(mode);
        self
    }

    /// What symbolic links are; default [`SymbolicLinks::Followed`]. [`open`](Self::open) refuses
    /// links as objects with `Unsupported` where there is no way to make them.
    #[must_use]
    pub fn links(mut self, links: SymbolicLinks) -> Self {
        self.links = links;
        self
    }

    /// Whether what the system keeps of a file is part of its metadata, told and set; default false.
    ///
    /// The keys are rclone's: `mode` (octal), `uid`, `gid`, `atime`, `mtime` and, told alone, `btime`.
    /// Every other key is an extended attribute of the user; one whose name or value metadata cannot
    /// hold has a key that begins with `xattr-` or `xattr16-`. An owner that may not be given is left
    /// out where the write allows that, and with it the bits that run a program as its owner. Listings
    /// tell none of it. Linux alone: [`open`](Self::open) is `Unsupported` elsewhere.
    #[must_use]
    pub fn system_metadata(mut self, system_metadata: bool) -> Self {
        self.system_metadata = system_metadata;
        self
    }

    /// Opens the backend. Removes the temporary files that dead processes left.
    ///
    /// # Errors
    /// `NotFound` for a missing root that is not to be created, `NotDirectory` for one that is a
    /// file, `PermissionDenied`, `Config` for mode bits that do not exist.
    pub async fn open(self) -> Result<FileBackend> {
        let opening = hop(move || self.open_now());
        opening
            .await
            .map_err(|error| error.on(Operation::Open, NAME))
    }

    fn open_now(self) -> Result<FileBackend> {
        let wants = self.links == SymbolicLinks::Objects || self.system_metadata;
        if wants && !sys::KEEPS_ALL {
            let message = "links as objects and the system's metadata on this system";
            return Err(Error::unsupported(message));
        }
        for mode in [self.dir_mode, self.file_mode].into_iter().flatten() {
            if mode > 0o7777 || cfg!(not(unix)) {
                return Err(Error::config(format!("there is no mode {mode:#o} here")));
            }
        }
        let mut root = self.open_root()?;
        if self.links == SymbolicLinks::Objects {
            root = root.without_links();
        }
        let abilities = root.abilities().map_err(failure)?;
        let device = root.stat_self().map_err(failure)?.device;
        if abilities.locks {
            journal::recover(&root);
        }
        Ok(FileBackend::new(Tree {
            root: Arc::new(root),
            identity: self.identity(),
            device,
            features: features(abilities),
            abilities,
            fsync: self.fsync,
            dir_mode: self.dir_mode,
            file_mode: self.file_mode,
            system_metadata: self.system_metadata,
            links_as_objects: self.links == SymbolicLinks::Objects,
            pool: Pool::default(),
            releases: Releases::default(),
            journal: Journal::default(),
            paused: PausedWalks::default(),
        }))
    }

    /// The root's path with its links resolved, ending with `/`.
    fn identity(&self) -> Option<String> {
        let path = std::fs::canonicalize(&self.root).ok()?;
        let path = path.to_str()?.trim_end_matches('/');
        Some(format!("file://{path}/"))
    }

    fn open_root(&self) -> Result<Dir> {
        let describe = |error| failure(error).with_path(self.root.to_string_lossy());
        match Dir::open_root(&self.root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.create => {
                self.create_root().map_err(describe)?;
                Dir::open_root(&self.root).map_err(describe)
            }
            opened => opened.map_err(describe),
        }
    }

    fn create_root(&self) -> std::io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        if let Some(mode) = self.dir_mode {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(mode);
        }
        builder.create(&self.root)
    }
}

fn features(abilities: Abilities) -> Features {
    Features::ALL
        .with_presign(false)
        .with_directory_times(cfg!(unix))
        .with_custom_metadata(abilities.attributes)
        .with_content_type(abilities.attributes)
        .with_hashes(abilities.attributes)
        .with_versions(abilities.identities)
        .with_if_version(abilities.identities && abilities.locks)
        .with_append(abilities.locks)
}

impl FileBackend {
    /// Starts opening the directory `root`.
    #[must_use]
    pub fn builder(root: impl Into<PathBuf>) -> FileBackendBuilder {
        FileBackendBuilder::new(root.into())
    }

    /// Opens the directory `root`, creating it if it is missing.
    ///
    /// # Errors
    /// Those of [`FileBackendBuilder::open`].
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self> {
        Self::builder(root).open().await
    }

    pub(crate) fn new(tree: Tree) -> Self {
        Self::over(Arc::new(tree))
    }
}
