//! Trees of which a part cannot be taken: closed directories, and names that are not UTF-8.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use storage_core::{Error, ErrorKind, Operation};
use storage_faults::{Failing, Intercept, Point};
use storage_file::FileBackend;
use storage_memory::MemoryBackend;
use storage_sync::{Command, DeleteTiming, Filter, Options};
use tempfile::TempDir;

use crate::trees::{Store, contents, failures, keys, memory, put, run, run_failing};

/// A store in which `closed/` cannot be listed.
async fn closed(prefix: &str) -> Store {
    let inside: Store = Arc::new(MemoryBackend::new());
    for path in ["a", "closed/x", "d/y"] {
        put(&inside, &format!("{prefix}/{path}"), path.to_owned(), 1).await;
    }
    let point = Point::on(Operation::List).path(|path| path.ends_with("closed/"));
    let denied = || Error::new(ErrorKind::PermissionDenied, "");
    Arc::new(Failing::always(point, denied).over(inside))
}

/// Lists a directory at a time.
fn options() -> Options {
    let filter = Filter::builder().max_depth(9).build().unwrap();
    Options::default().filter(filter)
}

#[tokio::test]
async fn a_closed_directory_fails_alone_and_nothing_is_deleted() {
    for timing in [DeleteTiming::During, DeleteTiming::After] {
        let from = closed("src").await;
        let to = memory();
        for path in ["b", "closed/old", "z"] {
            put(&to, &format!("dst/{path}"), "old", 1).await;
        }
        // Whatever errors are ignored: what was not seen is not known to be gone.
        let options = options().delete_timing(timing).ignore_errors(true);
        let summary = run_failing(Command::Sync, &from, &to, options).await;
        let [failure] = &failures(&summary)[..] else {
            panic!("{summary:?}");
        };
        assert!(failure.starts_with("closed: "), "{failure}");
        assert!(failure.contains("permission denied"), "{failure}");
        assert_eq!(summary.created, 2);
        let there = keys(&to, "dst").await;
        assert!(there.contains(&"closed/old".to_owned()), "{there:?}");
        assert!(there.contains(&"z".to_owned()), "{there:?}");
        assert_eq!(contents(&to, "dst").await.len(), there.len());
    }
}

#[tokio::test]
async fn a_closed_directory_is_no_difference_and_an_error_of_a_check() {
    let from = closed("src").await;
    let to = memory();
    for path in ["a", "closed/x", "d/y"] {
        put(&to, &format!("dst/{path}"), path.to_owned(), 1).await;
    }
    for (one, other) in [(&from, &to)] {
        let summary = run_failing(Command::Check, one, other, options()).await;
        assert_eq!((summary.matches, summary.errors), (2, 1));
        assert_eq!(summary.missing_on_source, 0);
    }
    let at_destination = closed("dst").await;
    let source = memory();
    for path in ["a", "closed/x", "d/y"] {
        put(&source, &format!("src/{path}"), path.to_owned(), 1).await;
    }
    let summary = run_failing(Command::Check, &source, &at_destination, options()).await;
    assert_eq!((summary.matches, summary.errors), (2, 1));
    assert_eq!(summary.missing_on_destination, 0);
}

async fn files() -> (Store, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(dir.path()).await.unwrap();
    (Arc::new(backend), dir)
}

fn write(dir: &TempDir, path: &[u8], content: &str) {
    let path = dir.path().join(OsStr::from_bytes(path));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_a_failure_and_taken_for_no_other() {
    let ((from, source), (to, destination)) = (files().await, files().await);
    write(&source, b"src/x\xff", "bytes");
    write(&source, "src/x\u{fffd}".as_bytes(), "replacement");
    write(&source, b"src/y", "y");
    let summary = run_failing(Command::Copy, &from, &to, Options::default()).await;
    let [failure] = &failures(&summary)[..] else {
        panic!("{summary:?}");
    };
    assert!(failure.contains("is not UTF-8"), "{failure}");
    assert_eq!(summary.created, 2);
    assert_eq!(keys(&to, "dst").await, ["x\u{fffd}", "y"]);
    let check = run_failing(Command::Check, &from, &to, Options::default()).await;
    assert_eq!((check.matches, check.errors), (2, 1));

    // At the destination it is in nobody's way, and is not what the source lacks.
    std::fs::remove_file(source.path().join(OsStr::from_bytes(b"src/x\xff"))).unwrap();
    write(&destination, b"dst/x\xff", "bytes");
    run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    let synced = run_failing(Command::Sync, &from, &to, Options::default()).await;
    assert_eq!((synced.deleted, synced.errors), (0, 1));
    let kept = destination.path().join("dst/x\u{fffd}");
    assert_eq!(std::fs::read(kept).unwrap(), b"replacement");
}

#[tokio::test]
async fn a_failure_is_told_once_where_deletions_are_counted_first() {
    let (from, (to, destination)) = (memory(), files().await);
    put(&from, "src/y", "y", 1).await;
    write(&destination, b"dst/x\xff", "bytes");
    let options = Options::default()
        .delete_timing(DeleteTiming::During)
        .max_delete(1);
    let summary = run_failing(Command::Sync, &from, &to, options).await;
    assert_eq!(failures(&summary).len(), 1, "{summary:?}");
    assert_eq!((summary.errors, summary.created), (1, 1));
}
