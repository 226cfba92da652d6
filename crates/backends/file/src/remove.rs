//! Removing objects and directories.

use std::ffi::{OsStr, OsString};
use std::io;

use storage_core::{Error, ErrorKind, ObjectPath, Result};

use crate::builder::Fsync;
use crate::call::commit;
use crate::failure::{self, failure, is_absent, lookup};
use crate::link_objects::Link;
use crate::place::replaceable;
use crate::sys::{Dir, Kind, Share};
use crate::tree::Tree;
use crate::{names, temporary};

/// How often a directory is emptied again that others fill meanwhile.
const RACES: usize = 8;
/// Directories of a purge that are kept open at once.
const OPEN: usize = 16;

/// Removes an object; `false` when there is none.
pub(crate) fn object(tree: &Tree, path: &ObjectPath) -> Result<bool> {
    if let Some(link) = Link::find(tree, path)? {
        return link.remove(tree);
    }
    let (parent, name) = names::split(path);
    let dir = match tree.root.open_dir(parent) {
        Err(error) if is_absent(&error) => return Ok(false),
        opened => opened.map_err(failure)?,
    };
    if replaceable(tree, &dir, path)?.is_none() {
        return Ok(false);
    }
    let _lock = tree.lock(&dir, Share::Shared)?;
    match commit(|| dir.unlink(name.as_ref())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        done => done.map_err(failure)?,
    }
    if tree.fsync == Fsync::Full {
        dir.sync().map_err(failure)?;
    }
    Ok(true)
}

/// Removes a directory.
pub(crate) fn directory(tree: &Tree, path: &ObjectPath, recursive: bool) -> Result<()> {
    let (parent, name) = names::split(path);
    let parent = tree.root.open_dir(parent).map_err(lookup)?;
    let stat = parent.stat_own(name.as_ref()).map_err(lookup)?;
    if stat.kind != Kind::Directory {
        return Err(Error::new(ErrorKind::NotDirectory, ""));
    }
    if recursive {
        Purge::new(tree, &parent).run(name.as_ref())?;
    } else {
        remove_empty(&parent, name)?;
    }
    if tree.fsync == Fsync::Full {
        parent.sync().map_err(failure)?;
    }
    Ok(())
}

/// Removes an empty directory, and with it what dead processes left in it.
fn remove_empty(parent: &Dir, name: &str) -> Result<()> {
    match parent.remove_dir(name.as_ref()) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            if let Ok(dir) = parent.open_own_dir(name.as_ref()) {
                temporary::sweep(&dir).map_err(failure)?;
            }
            parent.remove_dir(name.as_ref()).map_err(lookup)
        }
        done => done.map_err(lookup),
    }
}

/// Removes everything below a directory, following no link.
struct Purge<'a> {
    tree: &'a Tree,
    base: &'a Dir,
    /// From the outermost directory down to the one being emptied.
    levels: Vec<Level>,
}

struct Level {
    name: OsString,
    /// Open for the innermost few only.
    dir: Option<Dir>,
    /// Directories in it that are still to be removed.
    rest: Vec<OsString>,
    races: usize,
}

impl<'a> Purge<'a> {
    fn new(tree: &'a Tree, base: &'a Dir) -> Self {
        Self {
            tree,
            base,
            levels: Vec::new(),
        }
    }

    fn run(mut self, name: &OsStr) -> Result<()> {
        self.enter(name.to_owned())?;
        while let Some(level) = self.levels.last_mut() {
            match level.rest.pop() {
                Some(name) => self.enter(name)?,
                None => self.leave()?,
            }
        }
        Ok(())
    }

    /// Opens a directory of the innermost level and removes all in it that is no directory.
    fn enter(&mut self, name: OsString) -> Result<()> {
        let depth = self.levels.len();
        let dir = match self.dir(depth)?.open_own_dir(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(failure)?,
        };
        let rest = self.empty(&dir)?;
        if let Some(outer) = depth
            .checked_sub(OPEN)
            .and_then(|at| self.levels.get_mut(at))
        {
            outer.dir = None;
        }
        self.levels.push(Level {
            name,
            dir: Some(dir),
            rest,
            races: 0,
        });
        Ok(())
    }

    /// Removes the innermost directory, which should be empty.
    fn leave(&mut self) -> Result<()> {
        let Some(mut level) = self.levels.pop() else {
            return Ok(());
        };
        let depth = self.levels.len();
        let removed = self.dir(depth)?.remove_dir(&level.name);
        match removed {
            Err(error) if is_absent(&error) => Ok(()),
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty && level.races < RACES =>
            {
                // Someone created something in it meanwhile.
                let dir = self
                    .dir(depth)?
                    .open_own_dir(&level.name)
                    .map_err(failure)?;
                level.rest = self.empty(&dir)?;
                level.dir = Some(dir);
                level.races += 1;
                self.levels.push(level);
                Ok(())
            }
            done => done.map_err(failure),
        }
    }

    /// The directory that the level at `depth` lies in, opened again if it was closed.
    fn dir(&mut self, depth: usize) -> Result<&Dir> {
        let Some(at) = depth.checked_sub(1) else {
            return Ok(self.base);
        };
        if self.levels[at].dir.is_none() {
            let mut dir = None;
            for level in &self.levels[..=at] {
                let outer = dir.as_ref().unwrap_or(self.base);
                dir = Some(outer.open_own_dir(&level.name).map_err(failure)?);
            }
            self.levels[at].dir = dir;
        }
        Ok(self.levels[at].dir.as_ref().unwrap_or(self.base))
    }

    /// Removes what is in a directory and is no directory itself; returns the directories.
    fn empty(&self, dir: &Dir) -> Result<Vec<OsString>> {
        let (mut directories, mut others) = (Vec::new(), Vec::new());
        dir.for_each_name(&mut Vec::new(), |name, kind| {
            let group = match kind {
                Some(Kind::Directory) => &mut directories,
                _ => &mut others,
            };
            group.push(name.to_owned());
            true
        })
        .map_err(failure)?;
        let _lock = self.tree.lock(dir, Share::Shared)?;
        for name in others {
            match dir.unlink(&name) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let stat = dir.stat_own(&name).map_err(failure)?;
                    if stat.kind != Kind::Directory {
                        return Err(failure::failure(error).with_path(name.to_string_lossy()));
                    }
                    directories.push(name);
                }
            }
        }
        Ok(directories)
    }
}
