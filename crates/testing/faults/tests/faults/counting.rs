use storage_core::{Backend, BackendExt, ErrorKind, Operation, WriteOptions};
use storage_faults::{Counting, Failing, Intercept, Point, Recording, Step};
use storage_memory::MemoryBackend;

use crate::{cut, path, stream};

#[tokio::test]
async fn calls_errors_and_bytes_are_counted_by_operation() {
    let counting = Counting::new();
    let backend = counting.over(MemoryBackend::new());
    backend.put("a", "12345").await.unwrap();
    stream(&backend, "b", 2).await.unwrap();
    assert!(backend.get("none").await.is_err());
    backend.get("a").await.unwrap();
    backend.open("b").await.unwrap().bytes().await.unwrap();
    let (reads, writes) = (counting.of(Operation::Read), counting.of(Operation::Write));
    assert_eq!((writes.calls, writes.errors, writes.bytes), (2, 0, 200_005));
    assert_eq!((reads.calls, reads.errors, reads.bytes), (3, 1, 200_005));
    assert_eq!(counting.of(Operation::Delete).calls, 0);
    assert_eq!((counting.calls(), counting.snapshot().len()), (5, 2));
    counting.reset();
    assert_eq!(counting.calls(), 0);
}

#[tokio::test]
async fn the_log_has_every_operation_with_its_outcome() {
    let log = Recording::new();
    let failing = Failing::nth(2, Point::on(Operation::Write).at(Step::Finish), cut);
    let backend = log.over(failing.over(MemoryBackend::new()));
    backend.put("a", "x").await.unwrap();
    stream(&backend, "b", 1).await.unwrap();
    assert!(stream(&backend, "c", 1).await.is_err());
    backend.copy_path("a", "d").await.unwrap();
    assert!(backend.get("none").await.is_err());
    let writer = backend
        .writer(&path("e"), WriteOptions::default())
        .await
        .unwrap();
    writer.abort().await.unwrap();
    backend.close().await.unwrap();
    let expected = [
        "write a",
        "write open b",
        "write finish b",
        "write open c",
        "write finish c: network failure",
        "copy a d",
        "read none: not found",
        "write open e",
        "write abort e",
        "close",
    ];
    assert_eq!(
        log.lines()
            .iter()
            .map(|line| line.trim_end())
            .collect::<Vec<_>>(),
        expected
    );
    let records = log.take();
    assert!(
        records[0].options.contains("WriteOptions"),
        "{:?}",
        records[0]
    );
    assert_eq!(records[4].outcome, Err(ErrorKind::Network));
    assert!(log.records().is_empty());
}
