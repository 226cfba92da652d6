use std::ops::Bound;

use storage_core::{Cursor, ListFilter, ListPage, ListParts, ObjectInfo, ObjectPath, Prefix};

use crate::object::Object;
use crate::tree::Tree;

const DEFAULT_LIMIT: usize = 1000;

/// Entries that a page makes room for before it knows how many there will be.
const ROOM: usize = 64;

/// Most keys looked at for one page, so that no listing holds the lock for long. A page that ends
/// for it is short and says where to go on.
const MAX_STEPS: usize = 10_000;

/// One page of what lies strictly below `prefix`.
pub(crate) fn page(tree: &Tree, prefix: &Prefix, parts: &ListParts) -> ListPage {
    let filter = ListFilter::new(prefix, parts);
    let ListParts {
        cursor: _,
        limit,
        start_after: _,
        recursive,
        directories,
        name_starts_with: _,
        glob: _,
        links: _,
    } = *parts;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let mut walk = Walk::new(tree, prefix, &filter, !recursive);
    let mut entries = Vec::with_capacity(limit.min(ROOM));
    for _ in 0..MAX_STEPS {
        let Some(entry) = walk.next() else {
            return ListPage {
                entries,
                next: None,
            };
        };
        let wanted = !entry.is_directory() || !recursive || directories;
        if !wanted || !filter.accepts(entry.path(), entry.is_directory()) {
            continue;
        }
        if entries.len() >= limit {
            let next = entries.last().map(|last| Cursor::new(last.listing_key()));
            return ListPage { entries, next };
        }
        entries.extend(entry.info());
    }
    let next = walk.last.map(|last| Cursor::new(last.listing_key()));
    ListPage { entries, next }
}

/// What a walk meets, still in the tree.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Object(&'a ObjectPath, &'a Object),
    /// Spelt without the final `/`.
    Directory(&'a str),
}

impl<'a> Entry<'a> {
    const fn is_directory(&self) -> bool {
        matches!(self, Self::Directory(_))
    }

    fn path(&self) -> &'a str {
        match self {
            Self::Object(path, _) => path,
            Self::Directory(path) => path,
        }
    }

    fn listing_key(&self) -> String {
        match self {
            Self::Object(path, _) => path.as_str().to_owned(),
            Self::Directory(path) => format!("{path}/"),
        }
    }

    fn info(&self) -> Option<ObjectInfo> {
        match self {
            Self::Object(path, object) => Some(object.info(path)),
            // Always there: the parent of a valid path is one.
            Self::Directory(path) => ObjectPath::new(path).ok().map(ObjectInfo::directory),
        }
    }
}

/// Steps through objects and directories in the order of listings. On one level it jumps over what
/// lies below a directory instead of stepping through it.
struct Walk<'a> {
    tree: &'a Tree,
    prefix: &'a str,
    starts_with: &'a str,
    one_level: bool,
    next: Peeked<'a>,
    /// The entry given last: what the next one sorts after.
    last: Option<Entry<'a>>,
}

/// The next object and the next directory; the smaller of them comes first.
struct Peeked<'a> {
    objects: std::collections::btree_map::Range<'a, ObjectPath, Object>,
    directories: std::collections::btree_set::Range<'a, Prefix>,
    object: Option<(&'a ObjectPath, &'a Object)>,
    directory: Option<&'a Prefix>,
}

impl<'a> Peeked<'a> {
    fn seek(tree: &'a Tree, from: Bound<&str>) -> Self {
        let mut objects = tree.objects.range::<str, _>((from, Bound::Unbounded));
        let mut directories = tree.directories.range::<str, _>((from, Bound::Unbounded));
        let (object, directory) = (objects.next(), directories.next());
        Self {
            objects,
            directories,
            object,
            directory,
        }
    }

    fn take(&mut self) -> Option<Entry<'a>> {
        match (self.object, self.directory) {
            (Some((path, _)), Some(directory)) if directory.as_str() < path.as_str() => {
                self.take_directory(directory)
            }
            (Some((path, object)), _) => {
                self.object = self.objects.next();
                Some(Entry::Object(path, object))
            }
            (None, Some(directory)) => self.take_directory(directory),
            (None, None) => None,
        }
    }

    fn take_directory(&mut self, directory: &'a Prefix) -> Option<Entry<'a>> {
        self.directory = self.directories.next();
        directory.strip_suffix('/').map(Entry::Directory)
    }
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, prefix: &'a Prefix, filter: &'a ListFilter, one_level: bool) -> Self {
        let starts_with = filter.starts_with();
        let from = match filter.after().filter(|after| *after >= starts_with) {
            Some(after) => Bound::Excluded(after),
            None if starts_with == prefix.as_str() => Bound::Excluded(starts_with),
            None => Bound::Included(starts_with),
        };
        Self {
            tree,
            prefix,
            starts_with,
            one_level,
            next: Peeked::seek(tree, from),
            last: None,
        }
    }

    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = self.next.take()?;
        let path = entry.path();
        let in_scope = match &entry {
            Entry::Object(..) => path.starts_with(self.starts_with),
            // `data/` is in the scope of `data`, and of `data/`, which it is not below.
            Entry::Directory(path) => starts_with_slash(path, self.starts_with),
        };
        if !in_scope {
            return None;
        }
        let rest = path.get(self.prefix.len()..).unwrap_or_default();
        let entry = match rest.find('/') {
            Some(slash) if self.one_level => Entry::Directory(&path[..self.prefix.len() + slash]),
            _ => entry,
        };
        if let Entry::Directory(path) = entry
            && self.one_level
        {
            // Goes on after everything below it: `0` is the character after `/`.
            self.next = Peeked::seek(self.tree, Bound::Included(&format!("{path}0")));
        }
        self.last = Some(entry);
        self.last
    }
}

/// Whether `path/` starts with `start`.
fn starts_with_slash(path: &str, start: &str) -> bool {
    path.starts_with(start) || start.strip_suffix('/') == Some(path)
}
