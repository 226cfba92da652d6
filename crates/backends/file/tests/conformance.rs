//! The contract's conformance suite over real directories: on a disk without waiting for it, and in
//! memory, where there is such a file system, with the default durability.

use std::path::{Path, PathBuf};

use storage_conformance::Fresh;
use storage_core::Result;
use storage_file::{FileBackend, Fsync};
use tempfile::TempDir;

/// A backend over a new directory, which the suite may open again, open twice and look into.
async fn fresh(dir: TempDir, fsync: Fsync) -> Result<Fresh> {
    let root = dir.path().to_path_buf();
    let open = move |root: PathBuf| FileBackend::builder(root).fsync(fsync).open();
    let backend = open(root.clone()).await?;
    let (again, second, inside) = (root.clone(), root.clone(), root);
    Ok(Fresh::new(backend)
        .keep(dir)
        .reopen(move || open(again.clone()))
        .second(move || open(second.clone()))
        .residue(move || std::future::ready(temporary_files(&inside))))
}

/// The names below a directory that no listing gives, less the journal: that stays as long as the
/// backend is open, which another test looks at.
fn temporary_files(dir: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == ".omnistorage-journal" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            found.extend(temporary_files(&entry.path())?);
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(".omnistorage-") {
            found.push(name);
        }
    }
    Ok(found)
}

mod on_disk {
    storage_conformance::conformance!(async {
        super::fresh(tempfile::tempdir()?, super::Fsync::None).await
    });
}

mod in_memory {
    storage_conformance::conformance!(async {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        super::fresh(dir, super::Fsync::Data).await
    });
}
