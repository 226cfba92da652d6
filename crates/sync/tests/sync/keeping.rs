//! Keeping what is replaced or deleted.

use std::sync::Arc;

use storage_core::{BackendExt, Error, ErrorKind, Features, Operation};
use storage_faults::{Failing, Intercept, Masked, Point, Recording};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Job, Options, SyncError};

use crate::trees::{Store, flat, keys, memory, objects, put, run, run_failing, times, tree};

/// `same`, `changed.txt` and `new` at the source; `same`, `changed.txt` and `d/gone.tar.gz` at the
/// destination.
async fn fill(from: &Store, to: &Store) {
    put(from, "src/same", "same", 1).await;
    put(to, "dst/same", "same", 1).await;
    put(from, "src/changed.txt", "new content", 5).await;
    put(to, "dst/changed.txt", "old", 2).await;
    put(from, "src/new", "new", 3).await;
    put(to, "dst/d/gone.tar.gz", "gone", 4).await;
}

async fn text(store: &Store, path: &str) -> String {
    let bytes = store.get(path).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn backup_dir_keeps_what_is_replaced_or_deleted_whatever_the_store_can() {
    let without_rename = Features::NONE.with_rename(true);
    let without_both = without_rename.with_copy(true);
    let stores: [Store; 4] = [
        memory(),
        flat(),
        Arc::new(Masked::new(without_rename).over(MemoryBackend::new())),
        Arc::new(Masked::new(without_both).over(MemoryBackend::new())),
    ];
    for to in stores {
        // On the destination's own store, and on another one.
        for elsewhere in [false, true] {
            let from = memory();
            fill(&from, &to).await;
            let kept = if elsewhere { memory() } else { Arc::clone(&to) };
            let options = Options::default().backup_dir(tree(&kept, "kept"));
            let summary = run(Command::Sync, &from, &to, options).await.unwrap();
            assert_eq!(
                (summary.created, summary.updated, summary.deleted),
                (1, 1, 1)
            );
            assert_eq!(objects(&to, "dst").await, objects(&from, "src").await);
            let names: Vec<_> = objects(&kept, "kept").await.into_keys().collect();
            assert_eq!(names, ["changed.txt", "d/gone.tar.gz"]);
            assert_eq!(text(&kept, "kept/changed.txt").await, "old");
            assert_eq!(text(&kept, "kept/d/gone.tar.gz").await, "gone");
            let stamps = times(&kept, "kept").await;
            assert_eq!(stamps["changed.txt"], Some(crate::trees::at(2)));
            to.delete_prefix(&storage_core::Prefix::root())
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_suffix_goes_to_the_end_or_before_the_extension() {
    for (keep, beside, names) in [
        (false, true, ["changed.txt.old", "d/gone.tar.gz.old"]),
        (true, true, ["changed.old.txt", "d/gone.old.tar.gz"]),
        (false, false, ["changed.txt.old", "d/gone.tar.gz.old"]),
    ] {
        let (from, to) = (memory(), memory());
        fill(&from, &to).await;
        let mut options = Options::default()
            .suffix(".old".to_owned())
            .suffix_keep_extension(keep);
        if !beside {
            options = options.backup_dir(tree(&to, "kept"));
        }
        run(Command::Sync, &from, &to, options).await.unwrap();
        let place = if beside { "dst" } else { "kept" };
        let found = objects(&to, place).await;
        let found: Vec<_> = found.keys().filter(|name| name.contains("old")).collect();
        assert_eq!(found, names);
    }
}

#[tokio::test]
async fn copy_and_move_keep_what_they_replace() {
    for command in [Command::Copy, Command::Move] {
        // With a store of its own, and by renames within one.
        for within in [false, true] {
            let to = memory();
            let from = if within { Arc::clone(&to) } else { memory() };
            fill(&from, &to).await;
            let options = Options::default().backup_dir(tree(&to, "kept"));
            run(command, &from, &to, options).await.unwrap();
            assert_eq!(objects(&to, "kept").await.len(), 1, "{command} {within}");
            assert_eq!(text(&to, "kept/changed.txt").await, "old");
            assert_eq!(text(&to, "dst/changed.txt").await, "new content");
            assert_eq!(text(&to, "dst/d/gone.tar.gz").await, "gone");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_neither_replaced_nor_deleted() {
    let (from, to) = (memory(), memory());
    fill(&from, &to).await;
    let full = || Error::new(ErrorKind::QuotaExceeded, "injected");
    let kept: Store = Arc::new(Failing::always(Point::on(Operation::Write), full).over(memory()));
    let options = Options::default()
        .backup_dir(tree(&kept, ""))
        .ignore_errors(true);
    let summary = run_failing(Command::Sync, &from, &to, options).await;
    assert_eq!((summary.errors, summary.created), (2, 1));
    assert_eq!(text(&to, "dst/changed.txt").await, "old");
    assert_eq!(text(&to, "dst/d/gone.tar.gz").await, "gone");
}

#[tokio::test]
async fn the_old_object_stays_until_the_new_one_has_arrived() {
    let broken = || Error::new(ErrorKind::QuotaExceeded, "injected");
    let point = Point::on(Operation::Write).path(|path| path == "dst/changed.txt");
    let below = memory();
    let from = memory();
    fill(&from, &below).await;
    let to: Store = Arc::new(Failing::always(point, broken).over(below));
    let options = Options::default().backup_dir(tree(&to, "kept"));
    let summary = run_failing(Command::Sync, &from, &to, options).await;
    assert_eq!(summary.errors, 1);
    assert_eq!(text(&to, "dst/changed.txt").await, "old");
}

#[tokio::test]
async fn a_deletion_within_one_store_is_a_rename() {
    let log = Recording::new();
    let (from, below) = (memory(), memory());
    put(&from, "src/a", "x", 1).await;
    put(&below, "dst/a", "x", 1).await;
    put(&below, "dst/gone", "x", 1).await;
    let to: Store = Arc::new(log.over(below));
    let options = Options::default().backup_dir(tree(&to, "kept"));
    run(Command::Sync, &from, &to, options).await.unwrap();
    let lines = log.lines();
    let renamed = |line: &String| line == "rename dst/gone kept/gone";
    assert!(lines.iter().any(renamed), "{lines:#?}");
    assert!(
        !lines.iter().any(|line| line.starts_with("write")),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_dry_run_keeps_nothing() {
    let (from, to) = (memory(), memory());
    fill(&from, &to).await;
    let options = Options::default()
        .backup_dir(tree(&to, "kept"))
        .dry_run(true);
    run(Command::Sync, &from, &to, options).await.unwrap();
    assert_eq!(keys(&to, "kept").await, [""; 0]);
}

#[tokio::test]
async fn a_place_for_backups_in_either_tree_is_refused_also_through_another_uri() {
    let store = memory();
    for place in ["", "src", "src/in", "dst", "dst/in"] {
        let options = Options::default().backup_dir(tree(&store, place));
        let job = Job::new(
            Command::Sync,
            tree(&store, "src"),
            tree(&store, "dst"),
            options,
        );
        assert!(matches!(job, Err(SyncError::Overlap(_))), "{place:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("dst/in")).unwrap();
    let open = async |path: &str| {
        let builder = storage_file::FileBackend::builder(dir.path().join(path));
        Arc::new(builder.open().await.unwrap()) as Store
    };
    let (whole, inner) = (open("").await, open("dst/in").await);
    let options = Options::default().backup_dir(tree(&inner, ""));
    let job = Job::new(
        Command::Sync,
        tree(&store, "src"),
        tree(&whole, "dst"),
        options,
    );
    assert!(matches!(job, Err(SyncError::Overlap(_))));
}

#[tokio::test]
async fn a_suffix_that_names_no_file_is_refused() {
    let (from, to) = (memory(), memory());
    for options in [
        Options::default().suffix(String::new()),
        Options::default().suffix("a/b".to_owned()),
        Options::default().suffix_keep_extension(true),
    ] {
        let job = Job::new(Command::Sync, tree(&from, ""), tree(&to, ""), options);
        assert!(matches!(job, Err(SyncError::Option { .. })));
    }
}

#[tokio::test]
async fn another_try_does_not_take_the_new_object_for_the_old_one() {
    // The new object is published, and the reply is lost.
    let lost = || Error::new(ErrorKind::Network, "injected");
    let point = Point::on(Operation::Write).path(|path| path == "dst/changed.txt");
    let failing = Failing::nth(1, point, lost).after_effect();
    let (from, below, kept) = (memory(), memory(), memory());
    fill(&from, &below).await;
    let to: Store = Arc::new(failing.over(below));
    let options = Options::default()
        .backup_dir(tree(&kept, ""))
        .retry_pause(std::time::Duration::ZERO);
    let summary = run(Command::Sync, &from, &to, options).await.unwrap();
    assert_eq!((summary.updated, summary.deleted), (1, 1));
    assert!(failing.seen() > 1, "there was another try");
    assert_eq!(text(&to, "dst/changed.txt").await, "new content");
    assert_eq!(text(&kept, "changed.txt").await, "old");
}

#[tokio::test]
async fn what_was_renamed_away_is_kept_when_its_replacement_takes_two_tries() {
    let lost = || Error::new(ErrorKind::Network, "injected");
    for operation in [Operation::Write, Operation::Delete] {
        let failing = Failing::nth(1, Point::on(operation), lost);
        let without_copy = Features::NONE.with_copy(true);
        let (from, below) = (
            memory(),
            Masked::new(without_copy).over(MemoryBackend::new()),
        );
        let below: Store = Arc::new(below);
        fill(&from, &below).await;
        let to: Store = Arc::new(failing.over(below));
        let options = Options::default()
            .backup_dir(tree(&to, "kept"))
            .retry_pause(std::time::Duration::ZERO);
        let summary = run(Command::Sync, &from, &to, options).await.unwrap();
        assert_eq!((summary.updated, summary.deleted), (1, 1), "{operation:?}");
        assert_eq!(text(&to, "kept/changed.txt").await, "old");
        assert_eq!(text(&to, "kept/d/gone.tar.gz").await, "gone");
    }
}
