//! What the SQLite backend promises beyond the contract's conformance suite, with real files and
//! processes.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "sqlite/children.rs"]
mod children;
#[path = "sqlite/content.rs"]
mod content;
#[path = "sqlite/listing.rs"]
mod listing;
#[path = "sqlite/opening.rs"]
mod opening;
#[path = "sqlite/processes.rs"]
mod processes;
#[path = "sqlite/speed.rs"]
mod speed;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use storage_core::ObjectPath;
use storage_sqlite::{SqliteBackend, Synchronous};

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

/// A backend that waits for no disk.
async fn open(file: &Path) -> SqliteBackend {
    let builder = SqliteBackend::builder(file).synchronous(Synchronous::Normal);
    builder.open().await.unwrap()
}

/// A backend over a new file.
async fn fresh() -> (tempfile::TempDir, PathBuf, SqliteBackend) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.db");
    let backend = open(&file).await;
    (folder, file, backend)
}

/// The file as any other program sees it.
fn plain(file: &Path) -> Connection {
    Connection::open(file).unwrap()
}

fn count(file: &Path, of: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {of}");
    plain(file).query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// Waits until nothing is left to be swept.
async fn swept(file: &Path) {
    for _ in 0..3000 {
        if count(file, "objects_pending") == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nobody sweeps");
}

/// The names in the folder of a file that begin with the file's own.
fn beside(file: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(file.parent().unwrap()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
