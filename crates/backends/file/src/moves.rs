//! Copies, renames, new directories and modified times.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use storage_core::{
    Error, ErrorKind, Hashes, ObjectPath, Result, Version, WriteMode, WriteParts, Written,
};

use crate::attributes::{self, Attributes};
use crate::builder::Fsync;
use crate::call::commit;
use crate::draft::{Draft, written};
use crate::failure::{failure, is_absent, lookup, special};
use crate::link_objects::{self, Link};
use crate::names;
use crate::place::{self, own_version};
use crate::read::Opened;
use crate::sys::{Dir, DirLock, Kind, Share, Stamp, Stat};
use crate::system_metadata;
use crate::tree::{Parent, Tree};

/// Copies an object with all that is kept beside it.
pub(crate) fn copy(
    tree: &Arc<Tree>,
    from: &ObjectPath,
    to: &ObjectPath,
    mut parts: WriteParts,
) -> Result<Written> {
    if let Some(link) = Link::find(tree, from)? {
        return link.copy(tree, to, parts);
    }
    let Opened { file, stat } = Opened::open(tree, from)?;
    let mut kept = match tree.abilities.attributes {
        true => Attributes::load(&file, &stat)?,
        false => Attributes::default(),
    };
    if tree.system_metadata {
        system_metadata::read(&file, &mut kept.metadata)?;
    }
    if from == to {
        return Ok(written(
            tree,
            &stat,
            stat.size,
            kept.nonce.as_deref(),
            Hashes::new(),
        ));
    }
    if parts.mode != WriteMode::Append {
        parts.modified = parts.modified.or(stat.modified.to_time());
    }
    let mut draft = Draft::begin(Arc::clone(tree), to.clone(), parts)?;
    draft.write_file(&file, 0..stat.size)?;
    draft.publish_last(kept)
}

/// Renames an object or a directory.
pub(crate) fn rename(
    tree: &Tree,
    from: &ObjectPath,
    to: &ObjectPath,
    mode: WriteMode,
) -> Result<()> {
    let (link, link_to) = (Link::find(tree, from)?, link_objects::behind(tree, to));
    let (from, to) = match (&link, &link_to) {
        (None, Some(_)) => return Err(Error::unsupported("a rename of a file to a link")),
        (Some(link), to_link) => (&link.path, to_link.as_ref().unwrap_or(to)),
        (None, None) => (from, to),
    };
    let (parent, name) = names::split(from);
    let source = tree.root.open_dir(parent).map_err(lookup)?;
    let stat = source.stat_own(name.as_ref()).map_err(lookup)?;
    if from == to {
        return Ok(());
    }
    if stat.kind == Kind::Special {
        return Err(special());
    }
    if stat.kind == Kind::Directory && to.strip_prefix(&from.as_prefix()).is_some() {
        // Refused before the parents of the new name are made, which would be below the old one.
        return Err(below_itself());
    }
    let moving = Move {
        tree,
        source,
        name,
        stat,
        to,
    };
    let target = tree.in_parent(to, |target| {
        // A mode other than the plain one is decided below, under the same locks.
        Ok(target)
    })?;
    moving.run(&target, mode)?;
    if tree.fsync == Fsync::Full {
        target.sync()?;
        moving.source.sync().map_err(failure)?;
    }
    Ok(())
}

struct Move<'a> {
    tree: &'a Tree,
    source: Dir,
    name: &'a str,
    stat: Stat,
    to: &'a ObjectPath,
}

impl Move<'_> {
    fn run(&self, target: &Parent, mode: WriteMode) -> Result<()> {
        let share = match mode {
            WriteMode::IfVersion(_) => Share::Exclusive,
            _ => Share::Shared,
        };
        let _locks = self.lock(&target.dir, share)?;
        match mode {
            WriteMode::CreateNew => self.create(target),
            WriteMode::IfVersion(expected) => self.replace_version(target, expected),
            WriteMode::Replace | WriteMode::Append => self.replace(target),
        }
    }

    /// Locks both directories, always in the order of their inodes, so that two moves cannot wait
    /// for each other.
    fn lock<'a>(&'a self, target: &'a Dir, share: Share) -> Result<[Option<DirLock<'a>>; 2]> {
        let identity = |dir: &Dir| -> Result<(u64, u64)> {
            let stat = dir.stat_self().map_err(failure)?;
            Ok((stat.device, stat.inode))
        };
        let (from, to) = (identity(&self.source)?, identity(target)?);
        let (tree, source) = (self.tree, &self.source);
        Ok(match from.cmp(&to) {
            std::cmp::Ordering::Equal => [tree.lock(target, share)?, None],
            std::cmp::Ordering::Less => {
                let first = tree.lock(source, Share::Shared)?;
                [first, tree.lock(target, share)?]
            }
            std::cmp::Ordering::Greater => {
                let first = tree.lock(target, share)?;
                [first, tree.lock(source, Share::Shared)?]
            }
        })
    }

    fn create(&self, target: &Parent) -> Result<()> {
        let (_, to) = names::split(self.to);
        match commit(|| self.source.rename_new(self.name, &target.dir, to)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(place::taken(self.tree, self.to))
            }
            done => done.map_err(|error| self.failure(error)),
        }
    }

    fn replace_version(&self, target: &Parent, expected: Version) -> Result<()> {
        let actual = own_version(self.tree, &target.dir, self.to)?;
        if actual.as_ref() != Some(&expected) {
            return Err(Error::precondition_failed(Some(expected), actual));
        }
        self.replace(target)
    }

    fn replace(&self, target: &Parent) -> Result<()> {
        let (_, to) = names::split(self.to);
        if self.stat.kind != Kind::Directory {
            let old = place::replaceable(self.tree, &target.dir, self.to)?;
            let same = old
                .is_some_and(|old| (old.device, old.inode) == (self.stat.device, self.stat.inode));
            if same {
                // Two names of one file, which a rename would leave both.
                return commit(|| self.source.unlink(self.name.as_ref())).map_err(lookup);
            }
        }
        let renamed = commit(|| self.source.rename(self.name, &target.dir, to));
        renamed.map_err(|error| self.failure(error))
    }

    fn failure(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::CrossesDevices => {
                let message = "a rename between two file systems is not atomic; copy and delete";
                Error::unsupported(message).with_source(error)
            }
            io::ErrorKind::InvalidInput => below_itself().with_source(error),
            io::ErrorKind::NotFound => lookup(error),
            _ => failure(error),
        }
    }
}

fn below_itself() -> Error {
    let message = "a directory cannot be moved below itself";
    Error::new(ErrorKind::InvalidPath, message)
}

/// Creates a directory and its parents.
pub(crate) fn mkdir(tree: &Tree, path: &ObjectPath) -> Result<()> {
    let taken = |kind| match kind {
        Kind::Directory => Ok(()),
        _ => Err(Error::new(ErrorKind::AlreadyExists, "")),
    };
    match tree.root.stat(path) {
        Ok(stat) => return taken(stat.kind),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(failure(error)),
    }
    let made = match tree.make_dirs(path) {
        // An object was put there meanwhile.
        Err(error) if error.is_not_directory() => match tree.root.stat(path) {
            Ok(stat) => return taken(stat.kind),
            Err(_) => return Err(error),
        },
        made => made?,
    };
    if tree.fsync == Fsync::Full {
        made.sync()?;
    }
    Ok(())
}

/// Sets the modified time of an object or directory.
pub(crate) fn set_modified(tree: &Tree, path: &ObjectPath, modified: SystemTime) -> Result<()> {
    if let Some(link) = Link::find(tree, path)? {
        return link.set_modified(modified);
    }
    let Opened { file, stat } = match Opened::open(tree, path) {
        Err(error) if error.is_directory() => return set_directory_modified(tree, path, modified),
        opened => opened?,
    };
    if tree.abilities.attributes {
        attributes::rebind_hashes(&file, &stat, Stamp::from_time(modified))?;
    }
    place::stamp(&file, Some(modified))?;
    if tree.fsync == Fsync::Full {
        file.sync_all().map_err(failure)?;
    }
    Ok(())
}

fn set_directory_modified(tree: &Tree, path: &ObjectPath, modified: SystemTime) -> Result<()> {
    if !tree.features.directory_times {
        return Err(Error::unsupported(
            "this system sets no times of directories",
        ));
    }
    let dir = tree.root.open_dir(path).map_err(failure)?;
    dir.set_modified(modified).map_err(failure)?;
    match tree.fsync {
        Fsync::Full => dir.sync().map_err(failure),
        _ => Ok(()),
    }
}
