use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use storage_core::{Error, ErrorKind, ObjectPath, Prefix, Result, Version, WriteMode};

use crate::object::Object;

/// The name space of one store: objects and, where the store has them, directories.
///
/// With directories three things always hold: no path is both an object and a directory, the parents
/// of everything are directories, and no parent is an object. Without, `directories` stays empty.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) hierarchical: bool,
    pub(crate) objects: BTreeMap<ObjectPath, Object>,
    /// Every directory but the root, spelt with its final `/`, which is how it sorts in a listing.
    pub(crate) directories: BTreeSet<Prefix>,
}

impl Tree {
    pub(crate) const fn new(hierarchical: bool) -> Self {
        Self {
            hierarchical,
            objects: BTreeMap::new(),
            directories: BTreeSet::new(),
        }
    }

    pub(crate) fn is_directory(&self, path: &str) -> bool {
        !self.directories.is_empty() && with_slash(path, |key| self.directories.contains(key))
    }

    /// The object, or why there is none: `IsDirectory` or `NotFound`.
    pub(crate) fn object(&self, path: &ObjectPath) -> Result<&Object> {
        self.objects.get(path.as_str()).ok_or_else(|| {
            if self.is_directory(path) {
                Error::new(ErrorKind::IsDirectory, "")
            } else {
                Error::not_found("")
            }
        })
    }

    /// Succeeds where an object may be put: there is one, or there is no directory and no parent is
    /// an object.
    pub(crate) fn check_place(&self, path: &ObjectPath) -> Result<()> {
        if !self.hierarchical || self.objects.contains_key(path.as_str()) {
            return Ok(());
        }
        if self.is_directory(path) {
            return Err(Error::new(ErrorKind::IsDirectory, ""));
        }
        self.check_parents(path)
    }

    /// Succeeds where no parent is an object.
    pub(crate) fn check_parents(&self, path: &str) -> Result<()> {
        for (slash, _) in path.rmatch_indices('/') {
            if self.directories.contains(&path[..=slash]) {
                break;
            }
            if self.objects.contains_key(&path[..slash]) {
                let message = format!("{:?} is an object", &path[..slash]);
                return Err(Error::new(ErrorKind::NotDirectory, message));
            }
        }
        Ok(())
    }

    /// Makes every parent a directory; the parents have been checked.
    pub(crate) fn create_parents(&mut self, path: &str) {
        if !self.hierarchical {
            return;
        }
        for (slash, _) in path.rmatch_indices('/') {
            let parent = &path[..=slash];
            if self.directories.contains(parent) {
                break;
            }
            // Cannot fail: the parent of a valid path is a valid prefix.
            if let Ok(parent) = Prefix::new(parent) {
                self.directories.insert(parent);
            }
        }
    }

    /// Judges the mode of a write to `path` against what is there.
    pub(crate) fn check_mode(&self, path: &ObjectPath, mode: &WriteMode) -> Result<()> {
        let actual = self.objects.get(path.as_str());
        check_mode(mode, actual.map(|object| &object.version))
    }

    pub(crate) fn make_directory(&mut self, path: &ObjectPath) -> Result<()> {
        if self.objects.contains_key(path.as_str()) {
            return Err(Error::new(ErrorKind::AlreadyExists, "there is an object"));
        }
        self.check_parents(path)?;
        self.directories.insert(path.as_prefix());
        self.create_parents(path);
        Ok(())
    }

    /// Removes a directory and, if `recursive`, all below it. Gives back the objects, so that the
    /// caller can free them when the lock is gone.
    pub(crate) fn remove_directory(
        &mut self,
        path: &ObjectPath,
        recursive: bool,
    ) -> Result<Vec<Object>> {
        let prefix = path.as_prefix();
        let objects = self.objects_below(&prefix);
        let directories = self.directories_from(&prefix);
        if objects.is_empty() && directories.is_empty() {
            return Err(if self.objects.contains_key(path.as_str()) {
                Error::new(ErrorKind::NotDirectory, "")
            } else {
                Error::not_found("")
            });
        }
        if !recursive && (!objects.is_empty() || directories.len() > 1) {
            return Err(Error::new(ErrorKind::NotEmpty, ""));
        }
        for directory in &directories {
            self.directories.remove(directory);
        }
        Ok(objects
            .iter()
            .filter_map(|path| self.objects.remove(path))
            .collect())
    }

    /// Moves an object or a directory; gives back the object that it replaced.
    pub(crate) fn rename(
        &mut self,
        from: &ObjectPath,
        to: &ObjectPath,
        mode: &WriteMode,
    ) -> Result<Option<Object>> {
        if self.hierarchical && self.is_directory(from) {
            return self.rename_directory(from, to, mode).map(|()| None);
        }
        let object = self.object(from)?.clone();
        if from == to {
            return Ok(None);
        }
        self.check_place(to)?;
        self.check_mode(to, mode)?;
        self.create_parents(to);
        self.objects.remove(from);
        Ok(self.objects.insert(to.clone(), object))
    }

    fn rename_directory(
        &mut self,
        from: &ObjectPath,
        to: &ObjectPath,
        mode: &WriteMode,
    ) -> Result<()> {
        if from == to {
            return Ok(());
        }
        let (old, new) = (from.as_prefix(), to.as_prefix());
        self.check_directory_place(&old, &new, to, mode)?;
        self.create_parents(to);
        self.directories.insert(new.clone());
        for path in self.objects_below(&old) {
            let moved = path.strip_prefix(&old).map(|rest| new.join(rest));
            if let (Some(Ok(moved)), Some(object)) = (moved, self.objects.remove(&path)) {
                self.objects.insert(moved, object);
            }
        }
        for directory in self.directories_from(&old) {
            self.directories.remove(&directory);
            // Cannot fail: below a valid prefix a valid one stays valid below another.
            if let Ok(moved) = Prefix::new(format!("{new}{}", &directory[old.len()..])) {
                self.directories.insert(moved);
            }
        }
        Ok(())
    }

    /// As on a file system: a directory may take the place of an empty directory only.
    fn check_directory_place(
        &self,
        old: &Prefix,
        new: &Prefix,
        to: &ObjectPath,
        mode: &WriteMode,
    ) -> Result<()> {
        if new.starts_with(old.as_str()) {
            let message = "a directory cannot be moved into itself";
            return Err(Error::new(ErrorKind::InvalidPath, message));
        }
        let (object, directory) = (
            self.objects.get(to.as_str()),
            self.directories.contains(new),
        );
        match mode {
            WriteMode::CreateNew if object.is_some() || directory => {
                return Err(Error::new(ErrorKind::AlreadyExists, ""));
            }
            WriteMode::IfVersion(expected) => {
                return Err(mismatch(expected, object.map(|object| &object.version)));
            }
            WriteMode::CreateNew | WriteMode::Replace | WriteMode::Append => {}
        }
        if object.is_some() {
            return Err(Error::new(ErrorKind::NotDirectory, "there is an object"));
        }
        if directory
            && (!self.objects_below(new).is_empty() || self.directories_from(new).len() > 1)
        {
            return Err(Error::new(ErrorKind::NotEmpty, ""));
        }
        self.check_parents(to)
    }

    fn objects_below(&self, prefix: &Prefix) -> Vec<ObjectPath> {
        self.objects
            .range::<str, _>((Bound::Excluded(prefix.as_str()), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(prefix.as_str()))
            .cloned()
            .collect()
    }

    /// The directory itself and all below it.
    fn directories_from(&self, prefix: &Prefix) -> Vec<Prefix> {
        self.directories
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .take_while(|path| path.starts_with(prefix.as_str()))
            .cloned()
            .collect()
    }
}

/// Judges the mode of a write against the version that is there.
pub(crate) fn check_mode(mode: &WriteMode, actual: Option<&Version>) -> Result<()> {
    match mode {
        WriteMode::Replace | WriteMode::Append => Ok(()),
        WriteMode::CreateNew if actual.is_some() => Err(Error::new(ErrorKind::AlreadyExists, "")),
        WriteMode::CreateNew => Ok(()),
        WriteMode::IfVersion(expected) if actual == Some(expected) => Ok(()),
        WriteMode::IfVersion(expected) => Err(mismatch(expected, actual)),
    }
}

fn mismatch(expected: &Version, actual: Option<&Version>) -> Error {
    Error::precondition_failed(Some(expected.clone()), actual.cloned())
}

/// Calls `look` with `path/`, which it spells on the stack where that is possible: every write of a
/// new object asks for it.
fn with_slash<T>(path: &str, look: impl FnOnce(&str) -> T) -> T {
    let mut buffer = [b'/'; 128];
    let (text, _) = buffer.split_at_mut((path.len() + 1).min(128));
    if let Some((_, name)) = text.split_last_mut().filter(|(_, n)| n.len() == path.len()) {
        name.copy_from_slice(path.as_bytes());
        if let Ok(key) = std::str::from_utf8(text) {
            return look(key);
        }
    }
    look(&format!("{path}/"))
}
