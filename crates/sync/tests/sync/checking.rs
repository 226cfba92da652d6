use std::sync::Arc;

use storage_core::{BackendExt, Operation};
use storage_faults::{Intercept, Recording};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Comparison, Event, Evidence, Options};

use crate::trees::{Store, contents, events, fill, memory, put, run};

async fn report(from: &Store, to: &Store, options: Options) -> Vec<String> {
    let events = events(Command::Check, from, to, options).await;
    let lines = events.iter().filter_map(|event| match event {
        Event::Match { path, .. } => Some(format!("= {path}")),
        Event::Differ { path, difference } => Some(format!("* {path} {difference}")),
        Event::MissingOnSource { path } => Some(format!("- {path}")),
        Event::MissingOnDestination { path } => Some(format!("+ {path}")),
        Event::Failed(failure) => Some(format!("! {failure}")),
        _ => None,
    });
    lines.collect()
}

async fn two_trees() -> (Store, Store) {
    let (from, to) = (memory(), memory());
    put(&from, "src/b", "same", 1).await;
    put(&to, "dst/b", "same", 2).await;
    put(&from, "src/c", "size", 1).await;
    put(&to, "dst/c", "another size", 1).await;
    put(&from, "src/d/e", "one", 1).await;
    put(&to, "dst/d/e", "two", 1).await;
    put(&from, "src/f", "x", 1).await;
    put(&to, "dst/a", "x", 1).await;
    (from, to)
}

#[tokio::test]
async fn check_reports_in_order_and_changes_nothing() {
    let (from, to) = two_trees().await;
    let before = (contents(&from, "src").await, contents(&to, "dst").await);
    let lines = report(&from, &to, Options::default()).await;
    assert_eq!(lines, ["- a", "= b", "* c size", "* d/e content", "+ f"]);
    let summary = run(Command::Check, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!((summary.matches, summary.differs), (1, 2));
    assert_eq!(
        (summary.missing_on_source, summary.missing_on_destination),
        (1, 1)
    );
    assert!(summary.is_complete() && !summary.is_clean());
    assert_eq!(
        before,
        (contents(&from, "src").await, contents(&to, "dst").await)
    );
}

#[tokio::test]
async fn check_by_size_alone_and_one_way() {
    let (from, to) = two_trees().await;
    let options = Options::default()
        .comparison(Comparison::SizeOnly)
        .one_way(true);
    assert_eq!(
        report(&from, &to, options).await,
        ["= b", "* c size", "= d/e", "+ f"]
    );
}

#[tokio::test]
async fn check_of_a_synced_tree_is_clean() {
    let (from, to) = (memory(), memory());
    fill(&from, "src/").await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    let summary = run(Command::Check, &from, &to, Options::default())
        .await
        .unwrap();
    assert!(summary.is_clean());
}

/// A hash that the stores keep spares the reading, unless the bytes are asked for.
#[tokio::test]
async fn check_trusts_stored_hashes_unless_told_to_download() {
    use storage_core::{HashType, ObjectPath, WriteOptions};
    let log = Recording::new();
    let (from, to): (Store, Store) = (
        Arc::new(log.over(MemoryBackend::new())),
        Arc::new(log.over(MemoryBackend::new())),
    );
    for (store, path) in [(&from, "src/a"), (&to, "dst/a")] {
        let options = WriteOptions::default().hashes(HashType::Crc32c);
        store
            .write(&ObjectPath::new(path).unwrap(), "x".into(), options)
            .await
            .unwrap();
    }
    for (download, expected) in [(false, Evidence::Hash), (true, Evidence::Bytes)] {
        let _ = log.take();
        let options = Options::default().download(download);
        let events = events(Command::Check, &from, &to, options).await;
        let matched = events.iter().find_map(|event| match event {
            Event::Match { evidence, .. } => Some(*evidence),
            _ => None,
        });
        assert_eq!(matched, Some(expected));
        let reads = log
            .records()
            .iter()
            .filter(|r| r.operation == Operation::Read)
            .count();
        assert_eq!(reads > 0, download);
    }
}

#[tokio::test]
async fn check_reports_what_it_cannot_read() {
    use storage_core::{Error, ErrorKind};
    use storage_faults::{Failing, Point};
    let point = Point::on(Operation::Read).path(|path| path == "src/b");
    let denied = || Error::new(ErrorKind::PermissionDenied, "injected");
    let from: Store = Arc::new(Failing::always(point, denied).over(MemoryBackend::new()));
    let to = memory();
    for name in ["a", "b", "c"] {
        put(&from, &format!("src/{name}"), "x", 1).await;
        put(&to, &format!("dst/{name}"), "x", 1).await;
    }
    let lines = report(&from, &to, Options::default()).await;
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with("! b: "), "{lines:?}");
    assert!(to.has("dst/b").await.unwrap());
}
