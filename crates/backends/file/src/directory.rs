//! The names of one directory, and what they are.

use std::ffi::OsStr;
use std::io;

use storage_core::Links;

use crate::failure::is_absent;
use crate::link_objects::SUFFIX;
use crate::sys::{Dir, Kind};
use crate::tree::Tree;
use crate::walk::{Id, Scope, id_of};
use crate::{names, temporary};

/// The names of one directory, sorted, in 8 bytes each beside their text.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) text: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    start: u32,
    len: u16,
    pub(crate) found: Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    File,
    Directory,
    LinkToFile,
    LinkToDirectory,
    /// A link that is given as itself.
    Link,
    /// A link that is an object, under the name of that.
    LinkObject,
    /// A FIFO, socket or device.
    Device,
    /// A name that is not UTF-8.
    Unreadable,
}

/// Reads the names of one directory.
pub(crate) struct NamesReader<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) dir: &'a Dir,
    /// The key of the directory.
    pub(crate) base: &'a str,
    pub(crate) scope: &'a Scope,
    /// It, and the directories above it, where links may lead back to them.
    pub(crate) above: Vec<Id>,
}

impl NamesReader<'_> {
    /// Reads, narrows and sorts the names.
    pub(crate) fn read(&self) -> io::Result<Names> {
        let mut names = Names::default();
        let mut abandoned = Vec::new();
        let mut unsure = Vec::new();
        let mut fits = true;
        self.dir.for_each_name(&mut Vec::new(), |name, kind| {
            let bytes = name.as_encoded_bytes();
            if names::is_own(bytes) {
                abandoned.extend(name.to_str().map(str::to_owned));
                return true;
            }
            let Some(text) = name.to_str() else {
                fits &= names.push(names::shown(name).as_bytes(), Found::Unreadable);
                return fits;
            };
            match (kind, self.scope.links) {
                (Some(Kind::File), _) => fits &= names.push(bytes, Found::File),
                (Some(Kind::Directory), _) => {
                    fits &= names.push_directory(bytes, Found::Directory);
                }
                (Some(Kind::Special), Links::Resolve) => {}
                (Some(Kind::Special), _) => fits &= names.push(bytes, Found::Device),
                (Some(Kind::Link), _) if self.tree.links_as_objects => {
                    fits &= names.push(&object_name(bytes), Found::LinkObject);
                }
                (Some(Kind::Link), Links::Show) => fits &= names.push(bytes, Found::Link),
                (Some(Kind::Link) | None, _) => unsure.push(text.to_owned()),
            }
            fits
        })?;
        for name in &unsure {
            fits &= self.add_by_stat(&mut names, name)?;
        }
        if !fits {
            return Err(io::Error::other("a directory has more than 4 GiB of names"));
        }
        if self.tree.abilities.locks {
            let remove = |name: &String| temporary::remove_abandoned(self.dir, name);
            abandoned.iter().for_each(remove);
        }
        names.narrow(self.base, self.scope);
        names.sort();
        Ok(names)
    }

    /// Adds a name of which the directory does not tell what it is; `false` when there is no room.
    fn add_by_stat(&self, names: &mut Names, name: &str) -> io::Result<bool> {
        let own = match self.dir.stat_own(OsStr::new(name)) {
            Err(error) if is_absent(&error) => return Ok(true),
            stat => stat?,
        };
        let shows = self.scope.links != Links::Resolve;
        let found = match own.kind {
            Kind::File => Found::File,
            Kind::Directory => Found::Directory,
            Kind::Special if shows => Found::Device,
            Kind::Special => return Ok(true),
            Kind::Link if self.tree.links_as_objects => {
                return Ok(names.push(&object_name(name.as_bytes()), Found::LinkObject));
            }
            Kind::Link if self.scope.links == Links::Show => Found::Link,
            Kind::Link => match self.behind(name) {
                Some(found) => found,
                // A link that is broken or leads outside names no object.
                None if shows => Found::Link,
                None => return Ok(true),
            },
        };
        Ok(match found {
            Found::Directory | Found::LinkToDirectory => {
                names.push_directory(name.as_bytes(), found)
            }
            _ => names.push(name.as_bytes(), found),
        })
    }

    /// What a link leads to, if that can be read or entered.
    fn behind(&self, name: &str) -> Option<Found> {
        let stat = self.tree.root.stat(&format!("{}{name}", self.base)).ok()?;
        match stat.kind {
            Kind::File => Some(Found::LinkToFile),
            Kind::Directory if self.above.contains(&id_of(stat)) => None,
            Kind::Directory => Some(Found::LinkToDirectory),
            _ => None,
        }
    }
}

/// What a link of this name is called as an object.
fn object_name(name: &[u8]) -> Vec<u8> {
    [name, SUFFIX.as_bytes()].concat()
}

impl Names {
    /// Adds a directory as `name/`, the text it sorts by.
    fn push_directory(&mut self, name: &[u8], found: Found) -> bool {
        let fits = self.push(name, found);
        self.text.push(b'/');
        fits
    }

    /// `false` when there is no room for more.
    fn push(&mut self, name: &[u8], found: Found) -> bool {
        let (Ok(start), Ok(len)) = (u32::try_from(self.text.len()), u16::try_from(name.len()))
        else {
            return false;
        };
        self.text.extend_from_slice(name);
        self.entries.push(Entry { start, len, found });
        true
    }

    pub(crate) fn name(&self, entry: Entry) -> &[u8] {
        let start = entry.start as usize;
        &self.text[start..start + usize::from(entry.len)]
    }

    /// The text an entry sorts by: with the `/` of a directory.
    fn key(&self, entry: Entry) -> &[u8] {
        let is_dir = matches!(entry.found, Found::Directory | Found::LinkToDirectory);
        let start = entry.start as usize;
        &self.text[start..start + usize::from(entry.len) + usize::from(is_dir)]
    }

    /// Drops what the filters exclude with all below it.
    fn narrow(&mut self, base: &str, scope: &Scope) {
        let start = scope.filter.starts_with().strip_prefix(base).unwrap_or("");
        let after = scope
            .filter
            .after()
            .and_then(|after| after.strip_prefix(base));
        if start.is_empty() && after.is_none() {
            return;
        }
        let (start, after) = (start.as_bytes(), after.map(str::as_bytes));
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| {
            let key = self.key(*entry);
            let begins = key.starts_with(start) || start.starts_with(key);
            begins && after.is_none_or(|after| key > after || after.starts_with(key))
        });
        self.entries = entries;
    }

    fn sort(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| self.key(*a).cmp(self.key(*b)));
        // A name that is shown as another one's hides that one, and not the reverse: it is an error.
        entries.dedup_by(|a, b| {
            let same = self.key(*a) == self.key(*b);
            if same && a.found == Found::Unreadable {
                b.found = Found::Unreadable;
            }
            same
        });
        entries.shrink_to_fit();
        self.entries = entries;
        self.text.shrink_to_fit();
    }
}
