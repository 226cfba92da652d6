//! Walking a tree in the order of its keys, a directory at a time.

use std::io;

use storage_core::{Links, ListFilter, ObjectInfo, ObjectPath, Result, Special};

use crate::directory::{Entry, Found, Names, NamesReader};
use crate::failure::{failure, is_absent};
use crate::link_objects::Link;
use crate::read::plain_info;
use crate::sys::{Dir, Kind, Stat};
use crate::tree::Tree;

/// Directories of a walk that are kept open at once.
const OPEN: usize = 16;

/// What a walk visits.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) recursive: bool,
    /// Whether a recursive walk gives directories too.
    pub(crate) directories: bool,
    pub(crate) links: Links,
    pub(crate) filter: ListFilter,
}

/// A walk under way. Each directory's names are read and sorted once, when it is entered.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) scope: Scope,
    /// The key of the innermost directory, empty or ending with `/`.
    base: String,
    /// The directories above the prefix, where links may lead back to them.
    outside: Vec<Id>,
    levels: Vec<Level>,
    /// An entry taken ahead, to know that there is one.
    ahead: Option<ObjectInfo>,
}

#[derive(Debug)]
struct Level {
    /// Open for the innermost few only, and for none while the walk is paused.
    dir: Option<Dir>,
    /// The length of `base` without this directory.
    outer: usize,
    names: Names,
    next: usize,
    /// Which directory it is, where links may lead back to it.
    id: Option<Id>,
}

/// Device and inode of a directory.
pub(crate) type Id = (u64, u64);

impl Walk {
    /// Starts below `prefix`; a missing directory gives an empty walk.
    pub(crate) fn start(tree: &Tree, prefix: &str, scope: Scope) -> Result<Self> {
        let mut walk = Self {
            scope,
            base: prefix.to_owned(),
            outside: Vec::new(),
            levels: Vec::new(),
            ahead: None,
        };
        let path = prefix.strip_suffix('/').unwrap_or(".");
        if walk.scope.links == Links::Follow {
            walk.outside = ids_above(tree, prefix);
        }
        match tree.root.open_dir(path) {
            Ok(dir) => walk.enter(tree, dir, prefix.len())?,
            Err(error) if is_absent(&error) || error.kind() == io::ErrorKind::InvalidFilename => {}
            Err(error) => return Err(failure(error)),
        }
        Ok(walk)
    }

    /// Fills `page` up to `limit` entries; `true` when more follow.
    pub(crate) fn fill(
        &mut self,
        tree: &Tree,
        limit: usize,
        page: &mut Vec<ObjectInfo>,
    ) -> Result<bool> {
        while let Some(info) = match self.ahead.take() {
            Some(info) => Some(info),
            None => self.next(tree)?,
        } {
            if page.len() >= limit {
                self.ahead = Some(info);
                return Ok(true);
            }
            page.push(info);
        }
        Ok(false)
    }

    /// Gives up the open directories, which the next call opens again.
    pub(crate) fn rest(&mut self) {
        self.levels.iter_mut().for_each(|level| level.dir = None);
    }

    /// About how many bytes the walk holds.
    pub(crate) fn weight(&self) -> usize {
        let of_level = |level: &Level| {
            level.names.text.capacity() + level.names.entries.capacity() * size_of::<Entry>()
        };
        self.levels.iter().map(of_level).sum::<usize>() + self.base.capacity()
    }

    fn next(&mut self, tree: &Tree) -> Result<Option<ObjectInfo>> {
        loop {
            let Some(level) = self.levels.last_mut() else {
                return Ok(None);
            };
            let Some(entry) = level.names.entries.get(level.next).copied() else {
                self.leave();
                continue;
            };
            if level.dir.is_none() && !self.open_again(tree)? {
                self.leave();
                continue;
            }
            if let Some(info) = self.visit(tree, entry)? {
                return Ok(Some(info));
            }
        }
    }

    /// Goes on to `entry`: gives it if it is to be listed, enters it if it is a directory.
    fn visit(&mut self, tree: &Tree, entry: Entry) -> Result<Option<ObjectInfo>> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(None);
        };
        level.next += 1;
        let name = level.names.name(entry);
        let name = std::str::from_utf8(name).unwrap_or_default();
        let is_dir = matches!(entry.found, Found::Directory | Found::LinkToDirectory);
        let outer = self.base.len();
        self.base.push_str(name);
        let in_scope = match entry.found {
            _ if !self.scope.recursive => true,
            Found::Directory => self.scope.directories,
            // Where it is not followed, it is not given as if it were empty.
            Found::LinkToDirectory => self.scope.enters_links() && self.scope.directories,
            _ => true,
        };
        let listed = in_scope && self.scope.filter.accepts(&self.base, is_dir);
        let mut info = match listed {
            true => describe(tree, level.dir.as_ref(), &self.base, name, entry.found)?,
            false => None,
        };
        let shows = self.scope.links != Links::Resolve;
        if let (true, Found::Unreadable, Some(info)) = (shows, entry.found, &mut info) {
            info.special = Some(Special::Unnamable);
        }
        let through_link = entry.found == Found::LinkToDirectory && self.scope.enters_links();
        if self.scope.recursive && (entry.found == Found::Directory || through_link) {
            let own = match through_link {
                true => Some(tree.root.open_dir(&self.base)),
                false => level
                    .dir
                    .as_ref()
                    .map(|dir| dir.open_own_dir(name.as_ref())),
            };
            self.base.push('/');
            match own {
                Some(Ok(dir)) => match self.enter(tree, dir, outer) {
                    Ok(()) => return Ok(info),
                    Err(error) if shows && error.is_permission_denied() => {
                        info = Some(closed(&self.base)?);
                    }
                    Err(error) => return Err(error),
                },
                Some(Err(error)) if shows && error.kind() == io::ErrorKind::PermissionDenied => {
                    info = Some(closed(&self.base)?);
                }
                Some(Err(error)) if !is_absent(&error) && !is_link(&error) => {
                    return Err(failure(error).with_path(&self.base));
                }
                _ => {}
            }
        }
        self.base.truncate(outer);
        Ok(info)
    }

    /// Reads the names of a directory, whose key `base` is.
    fn enter(&mut self, tree: &Tree, dir: Dir, outer: usize) -> Result<()> {
        let id = match self.scope.links == Links::Follow {
            true => Some(id_of(dir.stat_self().map_err(failure)?)),
            false => None,
        };
        let above = self.levels.iter().filter_map(|level| level.id).chain(id);
        let above = above.chain(self.outside.iter().copied());
        let reader = NamesReader {
            tree,
            dir: &dir,
            base: &self.base,
            scope: &self.scope,
            above: above.collect(),
        };
        let names = reader
            .read()
            .map_err(|error| failure(error).with_path(&self.base))?;
        let depth = self.levels.len();
        if let Some(level) = depth
            .checked_sub(OPEN)
            .and_then(|at| self.levels.get_mut(at))
        {
            level.dir = None;
        }
        self.levels.push(Level {
            dir: Some(dir),
            outer,
            names,
            next: 0,
            id,
        });
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.base.truncate(level.outer);
        }
    }

    /// Opens the innermost directory again; `false` when it is gone.
    fn open_again(&mut self, tree: &Tree) -> Result<bool> {
        let path = self.base.strip_suffix('/').unwrap_or(".");
        match (tree.root.open_dir(path), self.levels.last_mut()) {
            (Ok(dir), Some(level)) => level.dir = Some(dir),
            (Err(error), _) if !is_absent(&error) => {
                return Err(failure(error).with_path(&self.base));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The entry for a directory that may not be listed, by its key.
fn closed(key: &str) -> Result<ObjectInfo> {
    let path = ObjectPath::new(key.strip_suffix('/').unwrap_or(key))?;
    let mut info = ObjectInfo::directory(path);
    info.special = Some(Special::Closed);
    Ok(info)
}

/// Whether a name turned out to be a link where none was expected.
fn is_link(error: &io::Error) -> bool {
    crate::sys::is_link(error)
}

/// The entry for a name as it is now; `None` when it is gone or has become something else.
fn describe(
    tree: &Tree,
    dir: Option<&Dir>,
    key: &str,
    name: &str,
    found: Found,
) -> Result<Option<ObjectInfo>> {
    let path = ObjectPath::new(key)?;
    let Some(dir) = dir else {
        return Ok(None);
    };
    let stat = match found {
        Found::Unreadable => return Ok(Some(ObjectInfo::new(path))),
        Found::LinkObject => {
            let link = Link::find(tree, &path)?;
            return link.map(|link| link.listed(path)).transpose();
        }
        Found::Link | Found::Device => return special(dir, path, name, found),
        Found::File | Found::Directory => dir.stat_own(name.as_ref()),
        Found::LinkToFile | Found::LinkToDirectory => tree.root.stat(key),
    };
    let expected = match found {
        Found::Directory | Found::LinkToDirectory => Kind::Directory,
        _ => Kind::File,
    };
    match stat {
        Ok(stat) => Ok((stat.kind == expected).then(|| plain_info(path, &stat))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(error).with_path(key)),
    }
}

/// A link, FIFO, socket or device as it is now; `None` when it is gone or has become something else.
fn special(dir: &Dir, path: ObjectPath, name: &str, found: Found) -> Result<Option<ObjectInfo>> {
    let looked = || {
        let stat = dir.stat_own(name.as_ref())?;
        let special = match (stat.kind, found) {
            (Kind::Link, Found::Link) => {
                let target = dir.read_link(name)?;
                let target = target.to_str().map(Into::into);
                Special::Link { target }
            }
            (Kind::Special, Found::Device) => Special::Device,
            _ => return Ok(None),
        };
        Ok(Some((special, stat.modified.to_time())))
    };
    match looked() {
        Ok(Some((special, modified))) => {
            let mut info = ObjectInfo::new(path);
            (info.special, info.modified) = (Some(special), modified);
            Ok(Some(info))
        }
        Ok(None) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(error).with_path(&path)),
    }
}

impl Scope {
    const fn enters_links(&self) -> bool {
        self.recursive && matches!(self.links, Links::Follow)
    }
}

/// The directories on the way to a prefix, from the root on.
fn ids_above(tree: &Tree, prefix: &str) -> Vec<Id> {
    let ends = prefix.match_indices('/').map(|(end, _)| end);
    let below = ends.filter_map(|end| prefix.get(..end));
    let all = std::iter::once(".").chain(below);
    all.filter_map(|path| tree.root.stat(path).ok())
        .map(id_of)
        .collect()
}

pub(crate) const fn id_of(stat: Stat) -> Id {
    (stat.device, stat.inode)
}
