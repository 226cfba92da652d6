//! Removing directories, full or empty.

use storage_core::{BackendExt, ListOptions, ObjectInfo, ObjectPath, RmdirOptions};

use crate::{Job, Options, SyncError, Tree};

/// Deletes a tree with its root: everything below the prefix, and its directories. Returns how many
/// objects there were.
///
/// On a store that removes a tree in one step, the objects are counted before.
///
/// # Errors
/// [`SyncError::Option`] for a filter;
/// [`SyncError::Storage`] of kind `NotFound` or `NotDirectory` when there is no such directory;
/// [`SyncError::Incomplete`] when not all of it could be deleted.
///
/// # Panics
/// Outside of a Tokio runtime.
pub async fn purge(tree: &Tree, options: Options) -> Result<u64, SyncError> {
    if options.filter.is_some() {
        return Err(SyncError::Option {
            option: "filter",
            reason: "a purge takes everything; a deletion chooses".into(),
        });
    }
    let backend = tree.backend();
    let whole = backend.as_extended().filter(|store| store.features().purge);
    if let (Some(store), Some(root)) = (whole, tree.prefix().as_path()) {
        let objects = count(tree).await?;
        let recursive = RmdirOptions::default().recursive(true);
        store.rmdir(&root, recursive).await?;
        return Ok(objects);
    }
    let has_directories = backend
        .as_extended()
        .is_some_and(|store| store.features().directories);
    let job = Job::delete(tree.clone(), options.rmdirs(has_directories))?;
    let deleted = job.run().summary().await?.deleted;
    if let (true, Some(root)) = (has_directories, tree.prefix().as_path()) {
        let store = backend.extended()?;
        store.rmdir(&root, RmdirOptions::default()).await?;
    }
    Ok(deleted)
}

async fn count(tree: &Tree) -> Result<u64, SyncError> {
    let options = ListOptions::default().recursive(true);
    let mut entries = tree.backend().entries(tree.prefix().clone(), options);
    let mut objects = 0;
    while let Some(entry) = entries.next().await {
        entry?;
        objects += 1;
    }
    Ok(objects)
}

/// Removes the directories of a tree that hold no object, also below each other, and returns those
/// that went. The root goes as well unless `leave_root` is set or the tree is a whole store. Holds
/// one directory a level.
///
/// # Errors
/// [`SyncError::Storage`]: `Unsupported` on a store without directories, `NotFound` where there is no
/// such directory, or what went wrong first; what was removed stays removed.
pub async fn rmdirs(tree: &Tree, leave_root: bool) -> Result<Vec<ObjectPath>, SyncError> {
    let backend = tree.backend();
    let store = backend.extended()?;
    let root = tree.prefix().as_path();
    if let Some(root) = &root {
        store.stat(root).await?;
    }
    let options = ListOptions::default().recursive(true).directories(true);
    let mut entries = backend.entries(tree.prefix().clone(), options);
    let mut open = Vec::from_iter(root.filter(|_| !leave_root).map(Open::new));
    let mut removed = Vec::new();
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        while open.last().is_some_and(|dir| !dir.holds(&entry)) {
            close(&mut open, store, &mut removed).await?;
        }
        if entry.is_dir {
            open.push(Open::new(entry.path));
        } else if let Some(dir) = open.last_mut() {
            dir.is_full = true;
        }
    }
    while !open.is_empty() {
        close(&mut open, store, &mut removed).await?;
    }
    Ok(removed)
}

/// A directory whose entries are being listed.
struct Open {
    path: ObjectPath,
    is_full: bool,
}

impl Open {
    const fn new(path: ObjectPath) -> Self {
        let is_full = false;
        Self { path, is_full }
    }

    fn holds(&self, entry: &ObjectInfo) -> bool {
        let rest = entry.path.as_str().strip_prefix(self.path.as_str());
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Ends the innermost directory: it goes, or fills the one around it.
async fn close(
    open: &mut Vec<Open>,
    store: &dyn storage_core::ExtendedBackend,
    removed: &mut Vec<ObjectPath>,
) -> Result<(), SyncError> {
    let Some(dir) = open.pop() else {
        return Ok(());
    };
    if !dir.is_full {
        match store.rmdir(&dir.path, RmdirOptions::default()).await {
            Ok(()) => {
                removed.push(dir.path);
                return Ok(());
            }
            Err(error) if error.is_not_found() => return Ok(()),
            // Something that is not listed is in it.
            Err(error) if error.is_not_empty() => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(around) = open.last_mut() {
        around.is_full = true;
    }
    Ok(())
}
