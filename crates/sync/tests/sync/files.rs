//! Trees of real files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use storage_core::BackendExt;
use storage_file::FileBackend;
use storage_sync::{Command, Job, Options, SyncError};
use tempfile::TempDir;

use crate::trees::{
    FILLED, Store, contents, fill, flat, keys, masked, memory, objects, put, run, times, tree,
};

async fn files() -> (Store, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (at(dir.path()).await, dir)
}

async fn at(path: &Path) -> Store {
    Arc::new(FileBackend::open(path).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn second_run_transfers_nothing_with_files_on_one_side_or_both() {
    let ((a, _a), (b, _b)) = (files().await, files().await);
    let (c, _c) = files().await;
    let pairs = [
        ("file to file", a.clone(), b),
        ("file to memory", a.clone(), memory()),
        ("file to flat", a.clone(), flat()),
        ("file to metadata", a.clone(), masked(&["set_modified"])),
        (
            "file to nothing kept",
            a.clone(),
            masked(&["set_modified", "custom_metadata", "hashes"]),
        ),
        ("memory to file", memory(), c),
    ];
    for (name, from, to) in pairs {
        fill(&from, "src/").await;
        let first = run(Command::Sync, &from, &to, Options::default())
            .await
            .unwrap();
        assert_eq!(first.created, FILLED, "{name}");
        assert_eq!(
            objects(&from, "src").await,
            objects(&to, "dst").await,
            "{name}"
        );
        let second = run(Command::Sync, &from, &to, Options::default())
            .await
            .unwrap();
        let changed = second.created + second.updated + second.deleted + second.bytes;
        assert_eq!((changed, second.skipped), (0, FILLED), "{name}");
        let check = run(Command::Check, &from, &to, Options::default())
            .await
            .unwrap();
        assert!(check.is_clean(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_keep_their_nanoseconds_and_leave_nothing_beside_them() {
    let ((from, _from), (to, dir)) = (files().await, files().await);
    fill(&from, "src/").await;
    run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(times(&from, "src").await, times(&to, "dst").await);
    let names = |path: &Path| -> Vec<_> {
        let entries = fs::read_dir(path).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let mut found = names(&dir.path().join("dst"));
    found.sort();
    assert_eq!(found, ["a", "a.b", "b", "b0", "big", "empty", "ü"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_tree_is_moved_with_its_directories() {
    let ((from, source), (to, _to)) = (files().await, files().await);
    fill(&from, "src/").await;
    let before = contents(&from, "src").await;
    let options = Options::default().delete_empty_source_dirs(true);
    run(Command::Move, &from, &to, options).await.unwrap();
    assert_eq!(contents(&to, "dst").await, before);
    assert_eq!(fs::read_dir(source.path().join("src")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_takes_the_place_of_a_directory_and_the_reverse_on_disk() {
    let ((from, _from), (to, _to)) = (files().await, files().await);
    put(&from, "src/becomes-file", "file", 1).await;
    put(&from, "src/becomes-dir/x/y", "deep", 1).await;
    put(&to, "dst/becomes-file/x/y", "deep", 1).await;
    put(&to, "dst/becomes-dir", "file", 1).await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(contents(&from, "src").await, contents(&to, "dst").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_under_the_same_time_is_seen() {
    let ((from, source), (to, _to)) = (files().await, files().await);
    put(&from, "src/a", "short", 1).await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    let file = fs::File::options()
        .append(true)
        .open(source.path().join("src/a"))
        .unwrap();
    std::io::Write::write_all(&mut &file, b" and longer").unwrap();
    file.set_modified(crate::trees::at(1)).unwrap();
    let second = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(second.updated, 1);
    assert_eq!(to.get("dst/a").await.unwrap(), "short and longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_directory_by_two_roots_overlaps() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("inner/deeper")).unwrap();
    symlink(dir.path().join("inner"), dir.path().join("link")).unwrap();
    let outer = at(dir.path()).await;
    let inner = at(&dir.path().join("link")).await;
    let new = |a: (&Store, &str), b: (&Store, &str)| {
        Job::new(
            Command::Sync,
            tree(a.0, a.1),
            tree(b.0, b.1),
            Options::default(),
        )
    };
    for (a, b) in [
        ("inner", ""),
        ("", ""),
        ("inner/deeper", ""),
        ("inner", "deeper"),
    ] {
        for job in [new((&outer, a), (&inner, b)), new((&inner, b), (&outer, a))] {
            assert!(matches!(job, Err(SyncError::Overlap(_))), "{a:?} {b:?}");
        }
    }
    assert!(new((&outer, "inner/deeper"), (&inner, "other")).is_ok());
    assert!(new((&outer, "elsewhere"), (&inner, "")).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_cannot_be_written_loses_nothing() {
    let ((from, _from), (to, dir)) = (files().await, files().await);
    fill(&from, "src/").await;
    put(&to, "dst/kept", "x", 1).await;
    // A file where the tree needs a directory, in a copy, which may not remove it.
    put(&to, "dst/b", "in the way", 1).await;
    let result = run(Command::Copy, &from, &to, Options::default()).await;
    let Err(SyncError::Incomplete(summary)) = result else {
        panic!("it was taken for complete");
    };
    assert_eq!((summary.created, summary.errors), (FILLED - 3, 3));
    assert_eq!(fs::read(dir.path().join("dst/b")).unwrap(), b"in the way");
    assert!(keys(&to, "dst").await.contains(&"kept".to_owned()));
}
