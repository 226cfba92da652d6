use storage_core::{Backend, BackendExt, Operation, ReadOptions, WriteMode, WriteOptions};
use storage_faults::{BrokenReads, Failing, Intercept, Point, Step};
use storage_memory::MemoryBackend;

use crate::{cut, path, stream};

#[tokio::test]
async fn the_nth_matching_call_fails_and_has_no_effect() {
    let failing = Failing::nth(
        2,
        Point::on(Operation::Write).path(|p| p.starts_with('b')),
        cut,
    );
    let store = MemoryBackend::new();
    let backend = failing.over(store.clone());
    for (key, succeeds) in [
        ("a", true),
        ("b1", true),
        ("a", true),
        ("b2", false),
        ("b3", true),
    ] {
        assert_eq!(backend.put(key, "x").await.is_ok(), succeeds, "{key}");
        assert_eq!(store.has(key).await.unwrap(), succeeds, "{key}");
    }
    assert_eq!(failing.seen(), 3);
    let error = Failing::always(Point::any(), cut)
        .over(store)
        .get("a")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"memory: read "a": network failure: cut"#
    );
}

#[tokio::test]
async fn every_so_many_fail_until_stopped() {
    let failing = Failing::every(3, Point::on(Operation::Exists), cut);
    let backend = failing.over(MemoryBackend::new());
    let mut failed = Vec::new();
    for n in 1..=9 {
        if backend.has("a").await.is_err() {
            failed.push(n);
        }
    }
    assert_eq!(failed, [3, 6, 9]);
    failing.stop();
    for _ in 0..4 {
        backend.has("a").await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_reply_has_its_effect() {
    let store = MemoryBackend::new();
    let lost = Failing::nth(1, Point::on(Operation::Write), cut).after_effect();
    let backend = lost.over(store.clone());
    let options = WriteOptions::from(WriteMode::CreateNew);
    let error = backend
        .write(&path("a"), "x".into(), options.clone())
        .await
        .unwrap_err();
    assert!(error.outcome_unknown() && error.is_transient());
    assert_eq!(store.get("a").await.unwrap(), "x");
    let again = backend
        .write(&path("a"), "y".into(), options)
        .await
        .unwrap_err();
    assert!(again.is_already_exists() && !again.outcome_unknown());
}

#[tokio::test]
async fn a_writer_fails_at_a_chunk_or_at_its_finish_and_leaves_nothing() {
    let point = || Point::on(Operation::Write);
    for point in [point().at(Step::Chunk), point().at(Step::Finish)] {
        let store = MemoryBackend::new();
        let failing = Failing::nth(1, point, cut);
        assert!(stream(&failing.over(store.clone()), "a", 3).await.is_err());
        assert_eq!((store.len(), store.total_bytes()), (0, 0));
        stream(&failing.over(store.clone()), "a", 3).await.unwrap();
    }
    let store = MemoryBackend::new();
    let lost = Failing::nth(1, point().at(Step::Finish), cut).after_effect();
    let error = stream(&lost.over(store.clone()), "a", 3).await.unwrap_err();
    assert!(error.outcome_unknown() && store.has("a").await.unwrap());
    let third = Failing::nth(3, point().at(Step::Chunk), cut);
    stream(&third.over(store.clone()), "b", 2).await.unwrap();
}

#[tokio::test]
async fn a_reader_fails_at_a_chunk() {
    let store = MemoryBackend::new();
    stream(&store, "a", 3).await.unwrap();
    let failing = Failing::nth(2, Point::on(Operation::Read).at(Step::Chunk), cut);
    let mut reader = failing.over(store).open("a").await.unwrap();
    assert_eq!(reader.chunk().await.unwrap().unwrap().len(), 100_000);
    assert!(reader.chunk().await.unwrap().unwrap_err().is_transient());
    assert!(reader.chunk().await.is_none());
}

#[tokio::test]
async fn a_read_breaks_after_some_bytes_by_every_way_of_reading() {
    let store = MemoryBackend::new();
    stream(&store, "a", 2).await.unwrap();
    let failing = BrokenReads::failing(150_000, Point::any(), cut).over(store.clone());
    let ending = BrokenReads::truncating(150_000, Point::any()).over(store.clone());
    assert!(failing.get("a").await.unwrap_err().is_transient());
    assert!(ending.get("a").await.unwrap_err().is_corrupt());
    assert!(
        ending
            .read_ranges(&path("a"), &[0..160_000, 0..1])
            .await
            .unwrap_err()
            .is_corrupt()
    );
    ending
        .read_ranges(&path("a"), &[0..150_000, 0..1])
        .await
        .unwrap();
    let mut reader = failing
        .reader(&path("a"), ReadOptions::default())
        .await
        .unwrap();
    let mut got = 0;
    let error = loop {
        match reader.chunk().await.unwrap() {
            Ok(chunk) => got += chunk.len(),
            Err(error) => break error,
        }
    };
    assert!(error.is_transient());
    assert_eq!(got, 150_000);
}
