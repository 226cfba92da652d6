//! Which unpublished chunks belong to a process that lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use storage_core::Result;

/// A locked file beside the database: as long as the lock is held, the chunks that this instance has
/// written and not published are its own. The system releases it when the process ends, however that
/// happens.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) id: String,
    path: PathBuf,
    _locked: File,
}

impl Owner {
    /// Called with the write lock of the database held, as is [`is_alive`].
    pub(crate) fn claim(database: &Path, instance: u64) -> Result<Self> {
        let id = format!("{instance:016x}");
        let path = beside(database, &id);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        file.lock()?;
        Ok(Self {
            id,
            path,
            _locked: file,
        })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // A file that stays is found, unlocked, when the database is opened again.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn beside(database: &Path, id: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(format!("-staging-{id}"));
    name.into()
}

/// Whether the owner of that name still runs. Removes the file of one that does not.
pub(crate) fn is_alive(database: &Path, id: &str) -> bool {
    let plain = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plain {
        return false;
    }
    let path = beside(database, id);
    let Ok(file) = OpenOptions::new().write(true).open(&path) else {
        // What cannot be looked at is left alone.
        return path.try_exists().unwrap_or(true);
    };
    match file.try_lock() {
        Ok(()) => {
            let _ = std::fs::remove_file(&path);
            false
        }
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}
