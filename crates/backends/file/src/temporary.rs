//! Temporary files, and the removal of those that a dead process left.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::call::commit;
use crate::names;
use crate::sys::{self, Dir};

/// How many names are tried.
const TRIES: usize = 32;
/// Most names looked at when a root is opened. Listings remove what is left in other places.
const SWEPT_AT_OPEN: usize = 20_000;

/// A file that is removed when this is dropped, unless it was published.
///
/// It is locked as long as it is open, which tells it from one that a dead process left.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub(crate) dir: Arc<Dir>,
    pub(crate) file: File,
    name: String,
    published: bool,
}

impl Temporary {
    /// Creates one in `dir`; on an error gives nothing back and leaves nothing.
    pub(crate) fn create(dir: &Arc<Dir>, mode: Option<u32>, lock: bool) -> io::Result<Self> {
        for _ in 0..TRIES {
            let name = names::temporary();
            let file = match dir.create_file(&name, mode) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                created => created?,
            };
            // From here on dropping it removes the file.
            let created = Self {
                dir: Arc::clone(dir),
                file,
                name,
                published: false,
            };
            if !lock || Self::claim(&created.file)? {
                return Ok(created);
            }
        }
        Err(io::Error::other("no free name for a temporary file"))
    }

    /// Locks a file just created; `false` when a sweep came first and took it for an abandoned one.
    fn claim(file: &File) -> io::Result<bool> {
        match sys::try_lock_file(file) {
            Ok(()) => Ok(sys::stat_file(file)?.links > 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            // A file system mounted below the root that has no locks: no sweep can lock it either.
            Err(_) => Ok(true),
        }
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

/// Removes a temporary file that nobody holds any more.
pub(crate) fn remove_abandoned(dir: &Dir, name: &str) {
    let Ok(file) = dir.open_own_file(name) else {
        return;
    };
    if sys::try_lock_file(&file).is_ok() {
        // Its maker, if it lives, has not locked it yet, and finds it gone when it has.
        let _ = dir.unlink(name.as_ref());
    }
}

/// Removes the temporary files that dead processes left directly in `dir`.
pub(crate) fn sweep(dir: &Dir) -> io::Result<()> {
    let mut found = Vec::new();
    let mut seen = 0;
    dir.for_each_name(&mut Vec::new(), |name, _| {
        seen += 1;
        if let Some(name) = name
            .to_str()
            .filter(|name| names::is_temporary(name.as_bytes()))
        {
            found.push(name.to_owned());
        }
        seen < SWEPT_AT_OPEN
    })?;
    found.iter().for_each(|name| remove_abandoned(dir, name));
    Ok(())
}
