//! What the file backend promises beyond the contract's conformance suite, against real directories
//! and processes.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "file/attacks.rs"]
mod attacks;
#[path = "file/attributes.rs"]
mod attributes;
#[path = "file/children.rs"]
mod children;
#[path = "file/crashes.rs"]
mod crashes;
#[path = "file/limits.rs"]
mod limits;
#[path = "file/link_objects.rs"]
mod link_objects;
#[path = "file/links.rs"]
mod links;
#[path = "file/listing.rs"]
mod listing;
#[path = "file/races.rs"]
mod races;
#[path = "file/system_metadata.rs"]
mod system_metadata;

use std::path::{Path, PathBuf};

use storage_core::{BackendExt, ListOptions, ObjectInfo, ObjectPath, Prefix};
use storage_file::{FileBackend, Fsync};

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

/// A backend over `root` that waits for no device.
async fn open(root: &Path) -> FileBackend {
    let builder = FileBackend::builder(root).fsync(Fsync::None);
    builder.open().await.unwrap()
}

/// A backend over a new directory.
async fn fresh() -> (tempfile::TempDir, FileBackend) {
    let dir = tempfile::tempdir().unwrap();
    let backend = open(dir.path()).await;
    (dir, backend)
}

/// Every key, in the order given.
async fn keys(backend: &FileBackend) -> Vec<String> {
    let options = ListOptions::default().recursive(true).directories(true);
    let entries = backend.entries(Prefix::root(), options).collect().await;
    entries
        .unwrap()
        .iter()
        .map(ObjectInfo::listing_key)
        .collect()
}

/// The temporary files in a directory, which no listing shows.
fn temporary_files(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().into_owned()
    });
    names
        .filter(|name| name.starts_with(".omnistorage-") && name.ends_with(".tmp"))
        .collect()
}

/// Whatever the backend made for itself, anywhere below a directory.
fn own_files(dir: &Path) -> Vec<PathBuf> {
    let mut own = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            own.extend(own_files(&entry.path()));
        }
        if entry.file_name().to_string_lossy().contains(".omnistorage") {
            own.push(entry.path());
        }
    }
    own
}

/// Whether objects can have attributes here; prints that the test is skipped where they cannot.
fn has_attributes(backend: &FileBackend) -> bool {
    use storage_core::ExtendedBackend;
    let has = backend.features().custom_metadata && backend.features().hashes;
    if !has {
        eprintln!("skipped: no extended attributes here");
    }
    has
}
