//! The directories in which this process may have temporary files, noted for whoever opens the root
//! after it died.
//!
//! Before the first temporary file in a directory is made, the directory's path is added to a file in a
//! folder below the root. That file is locked as long as it is in use, which tells it from one that a
//! dead process left: opening the root removes the temporary files in the directories that such a one
//! names, and then that file. So nothing else of the tree has to be looked at.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::names::{self, JOURNAL};
use crate::sys::{self, Dir};
use crate::temporary;

/// Bytes in one file after which another is begun; the first goes with the last temporary file that
/// was made by then.
const LONGEST: usize = 1 << 20;
/// How often a file is tried again that another process took for an abandoned one, or whose folder it
/// removed.
const RACES: usize = 32;

/// What one open root has noted.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    volume: Option<Arc<Volume>>,
    /// The directories that the volume names.
    noted: HashSet<Box<str>>,
    bytes: usize,
    /// The root could not be written to. What a crash leaves then goes when its directory is listed.
    refused: bool,
}

/// One file of directories, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Volume {
    root: Arc<Dir>,
    folder: Dir,
    name: String,
    file: File,
}

impl Journal {
    /// Notes a directory. What it gives is to be held as long as there is a temporary file in it.
    pub(crate) fn note(&self, root: &Arc<Dir>, dir: &str) -> Option<Arc<Volume>> {
        let mut state = self.state();
        if state.refused {
            return None;
        }
        if state.volume.is_some() && state.noted.contains(dir) {
            return state.volume.clone();
        }
        match state.add(root, dir) {
            Ok(volume) => Some(volume),
            Err(error) => {
                state.refused = is_lasting(&error);
                None
            }
        }
    }

    /// Ends what was noted so far, once the temporary files that are there are gone.
    pub(crate) fn clear(&self) {
        let ended = std::mem::take(&mut *self.state());
        drop(ended);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is no use to try again: a full disk, for one, may have room later.
fn is_lasting(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    matches!(
        error.kind(),
        PermissionDenied | ReadOnlyFilesystem | NotADirectory
    )
}

impl State {
    fn add(&mut self, root: &Arc<Dir>, dir: &str) -> io::Result<Arc<Volume>> {
        let volume = match self.volume.take().filter(|_| self.bytes < LONGEST) {
            Some(volume) => volume,
            None => {
                self.noted.clear();
                self.bytes = 0;
                Arc::new(Volume::create(root)?)
            }
        };
        (&volume.file).write_all(format!("{dir}\0").as_bytes())?;
        self.bytes += dir.len() + 1;
        self.noted.insert(dir.into());
        self.volume = Some(Arc::clone(&volume));
        Ok(volume)
    }
}

impl Volume {
    fn create(root: &Arc<Dir>) -> io::Result<Self> {
        for _ in 0..RACES {
            match Self::try_create(root) {
                Ok(Some(volume)) => return Ok(volume),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no file for a journal can be made"))
    }

    fn try_create(root: &Arc<Dir>) -> io::Result<Option<Self>> {
        match root.create_dir(JOURNAL, None) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let folder = root.open_own_dir(OsStr::new(JOURNAL))?;
        let name = names::temporary();
        let file = folder.create_file(&name, None)?;
        let volume = Self {
            root: Arc::clone(root),
            folder,
            name,
            file,
        };
        Ok(temporary::claim(&volume.file)?.then_some(volume))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Whatever cannot be removed now is when the root is next opened. The folder stays while other
        // processes use it.
        let _ = self.folder.unlink(self.name.as_ref());
        let _ = self.root.remove_dir(JOURNAL.as_ref());
    }
}

/// Removes the temporary files that dead processes have noted in the root `root`. What cannot be
/// removed is never listed, and tried again.
pub(crate) fn recover(root: &Dir) {
    let Ok(folder) = root.open_own_dir(OsStr::new(JOURNAL)) else {
        return;
    };
    let mut volumes = Vec::new();
    let read = folder.for_each_name(&mut Vec::new(), |name, _| {
        volumes.extend(name.to_str().map(str::to_owned));
        true
    });
    for name in volumes {
        // Fails where another process did so at the same time.
        let _ = recover_from(root, &folder, &name);
    }
    if read.is_ok() {
        // Fails as long as other processes use it.
        let _ = root.remove_dir(JOURNAL.as_ref());
    }
}

fn recover_from(root: &Dir, folder: &Dir, name: &str) -> io::Result<()> {
    let mut file = folder.open_own_file(name)?;
    if sys::try_lock_file(&file).is_err() {
        return Ok(());
    }
    let mut dirs = String::new();
    file.read_to_string(&mut dirs)?;
    // The last one may be a part of a path: nothing was made there.
    let complete = dirs.rsplit_once('\0').map_or("", |(complete, _)| complete);
    for dir in complete.split('\0').filter(|dir| !dir.is_empty()) {
        // One that is gone took its files along, and one that cannot be swept now is when it is listed.
        if let Ok(dir) = root.open_dir(dir) {
            let _ = temporary::sweep(&dir);
        }
    }
    folder.unlink(name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volumes(root: &std::path::Path) -> usize {
        std::fs::read_dir(root.join(JOURNAL)).map_or(0, Iterator::count)
    }

    #[test]
    fn a_long_journal_is_begun_anew_and_the_old_one_goes_with_its_last_file() {
        let dir = tempfile::tempdir().unwrap();
        let root = Arc::new(Dir::open_root(dir.path()).unwrap());
        let journal = Journal::default();
        let first = journal.note(&root, "first").unwrap();
        let again = journal.note(&root, "first").unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        drop(again);
        for number in 0..=LONGEST / 100 {
            journal.note(&root, &format!("{number:0>100}")).unwrap();
        }
        assert_eq!(volumes(dir.path()), 2);
        drop(first);
        assert_eq!(volumes(dir.path()), 1);
        journal.clear();
        assert!(!dir.path().join(JOURNAL).exists());
    }

    #[test]
    fn a_root_that_cannot_be_written_to_is_not_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(JOURNAL), "").unwrap();
        let root = Arc::new(Dir::open_root(dir.path()).unwrap());
        let journal = Journal::default();
        assert!(journal.note(&root, "a").is_none());
        std::fs::remove_file(dir.path().join(JOURNAL)).unwrap();
        assert!(journal.note(&root, "a").is_none());
    }
}
