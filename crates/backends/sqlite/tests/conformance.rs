//! The contract's conformance suite over real files, with the default durability and without waiting
//! for the disk.

use std::path::PathBuf;

use rusqlite::Connection;
use storage_conformance::Fresh;
use storage_core::Result;
use storage_sqlite::{SqliteBackend, Synchronous};
use tempfile::TempDir;

/// A backend over a new file, which the suite may open again, open twice and look into.
async fn fresh(folder: TempDir, level: Synchronous) -> Result<Fresh> {
    let path = folder.path().join("data.db");
    let open = move |path: PathBuf| SqliteBackend::builder(path).synchronous(level).open();
    let backend = open(path.clone()).await?;
    let (again, second, inside) = (path.clone(), path.clone(), path);
    Ok(Fresh::new(backend)
        .keep(folder)
        .reopen(move || open(again.clone()))
        .second(move || open(second.clone()))
        .residue(move || std::future::ready(Ok(unpublished(&inside)))))
}

/// The blobs that belong to no object, and the chunks that belong to no blob.
fn unpublished(path: &PathBuf) -> Vec<String> {
    const QUERY: &str = "SELECT 'pending ' || blob FROM objects_pending UNION ALL \
        SELECT 'chunk ' || id FROM objects_chunks WHERE id >> 26 NOT IN \
        (SELECT blob FROM objects WHERE blob IS NOT NULL)";
    let look = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        let mut statement = connection.prepare(QUERY)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<Result<Vec<String>, rusqlite::Error>>()
    };
    look().unwrap_or_else(|error| vec![error.to_string()])
}

mod on_disk {
    storage_conformance::conformance!(async {
        super::fresh(tempfile::tempdir()?, super::Synchronous::Normal).await
    });
}

mod in_memory {
    storage_conformance::conformance!(async {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        super::fresh(folder, super::Synchronous::Full).await
    });
}
