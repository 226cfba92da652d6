//! Temporary files, and the removal of those that a dead process left.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::call::commit;
use crate::journal::{self, Volume};
use crate::names;
use crate::sys::{self, Dir, Kind, Stamp, Stat};
use crate::tree::Tree;

/// How many names are tried.
const TRIES: usize = 32;

/// A file that is removed when this is dropped, unless it was published.
///
/// It is locked as long as it is open, which tells it from one that a dead process left.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub(crate) dir: Arc<Dir>,
    pub(crate) file: File,
    name: String,
    published: bool,
    /// Says where this is, should the process die.
    _noted: Option<Arc<Volume>>,
}

impl Temporary {
    /// Creates one in `dir`, which is at `path`; on an error gives nothing back and leaves nothing.
    pub(crate) fn create(tree: &Tree, path: &str, dir: &Arc<Dir>) -> io::Result<Self> {
        let lock = tree.abilities.locks;
        let noted = match lock {
            true => tree.journal.note(&tree.root, path),
            false => None,
        };
        for _ in 0..TRIES {
            let name = names::temporary();
            let file = match dir.create_file(&name, tree.file_mode) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                created => created?,
            };
            // From here on dropping it removes the file.
            let created = Self {
                dir: Arc::clone(dir),
                file,
                name,
                published: false,
                _noted: noted.clone(),
            };
            if !lock || claim(&created.file)? {
                return Ok(created);
            }
        }
        Err(io::Error::other("no free name for a temporary file"))
    }

    /// Gives the file its name, replacing what is there.
    pub(crate) fn rename(&mut self, name: &str) -> io::Result<()> {
        commit(|| self.dir.rename(&self.name, &self.dir, name))?;
        self.published = true;
        Ok(())
    }

    /// Gives the file its name unless something is there, which is `AlreadyExists`.
    pub(crate) fn rename_new(&mut self, name: &str) -> io::Result<()> {
        commit(|| self.dir.rename_new(&self.name, &self.dir, name))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.published {
            // Whatever cannot be removed now is never listed, and swept later.
            let _ = self.dir.unlink(self.name.as_ref());
        }
    }
}

/// Locks a file just created; `false` when a sweep came first and took it for an abandoned one.
pub(crate) fn claim(file: &File) -> io::Result<bool> {
    match sys::try_lock_file(file) {
        Ok(()) => Ok(sys::stat_file(file)?.links > 0),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        // A file system mounted below the root that has no locks: no sweep can lock it either.
        Err(_) => Ok(true),
    }
}

/// Removes one of the backend's own files that nobody holds any more.
pub(crate) fn remove_abandoned(dir: &Dir, name: &str) {
    if name == names::JOURNAL {
        return journal::recover(dir);
    }
    let Ok(file) = dir.open_own_file(name) else {
        return remove_old_link(dir, name);
    };
    if sys::try_lock_file(&file).is_ok() {
        // Its maker, if it lives, has not locked it yet, and finds it gone when it has.
        let _ = dir.unlink(name.as_ref());
    }
}

/// Removes a link on its way to its name, which cannot be locked, if it has been for very long.
fn remove_old_link(dir: &Dir, name: &str) {
    const LONG: i128 = 3_600_000_000_000;
    let is_old = |stat: Stat| stat.kind == Kind::Link && Stamp::now().since(stat.changed) > LONG;
    if dir.stat_own(name.as_ref()).is_ok_and(is_old) {
        let _ = dir.unlink(name.as_ref());
    }
}

/// Removes the temporary files that dead processes left directly in `dir`.
pub(crate) fn sweep(dir: &Dir) -> io::Result<()> {
    let mut found = Vec::new();
    dir.for_each_name(&mut Vec::new(), |name, _| {
        if let Some(name) = name.to_str().filter(|name| names::is_own(name.as_bytes())) {
            found.push(name.to_owned());
        }
        true
    })?;
    found.iter().for_each(|name| remove_abandoned(dir, name));
    Ok(())
}
