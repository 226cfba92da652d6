use std::time::Duration;

use storage_core::{
    Backend, BackendExt, ErrorKind, Operation, ReadOptions, Result, WriteMode, WriteOptions,
};
use storage_faults::{BrokenReads, Counting, Failing, Intercept, Point, Step};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::retry::Retry;

use crate::{cut, path};

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_and_others_are_not() {
    let counting = Counting::new();
    let failing = Failing::every(2, Point::on(Operation::Write), cut);
    let store = counting.over(MemoryBackend::new());
    let backend = failing.over(store).layer(Retry::new());
    for n in 0..10 {
        backend.put(format!("{n}"), "x").await.unwrap();
    }
    assert_eq!(counting.of(Operation::Write).calls, 10);
    assert!(backend.get("missing").await.unwrap_err().is_not_found());
    assert_eq!(counting.of(Operation::Read).calls, 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_than_allowed() {
    for attempts in [0, 1, 2, 5] {
        let failing = Failing::always(Point::any(), cut);
        let retry = Retry::new().attempts(attempts);
        let backend = failing.over(MemoryBackend::new()).layer(retry);
        assert_eq!(
            backend.get("a").await.unwrap_err().kind(),
            ErrorKind::Network
        );
        assert_eq!(failing.seen(), u64::from(attempts.max(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_bounds_all_calls_together_and_comes_back_with_success() {
    let failing = Failing::always(Point::any(), cut);
    let retry = Retry::new().attempts(100).budget(7);
    let backend = failing.over(MemoryBackend::new()).layer(retry);
    for _ in 0..3 {
        backend.has("a").await.unwrap_err();
    }
    assert_eq!(failing.seen(), 3 + 7);
    failing.stop();
    for _ in 0..20 {
        backend.has("a").await.unwrap();
    }
    let failing = Failing::always(Point::any(), cut);
    let again = failing
        .over(MemoryBackend::new())
        .layer(backend.policy().clone());
    again.has("a").await.unwrap_err();
    assert_eq!(failing.seen(), 1 + 2, "20 calls give 2 retries back");
}

/// Writes with a lost reply, then tells how often the store was asked and whether the outcome was
/// said to be unknown.
async fn lost_reply(mode: WriteMode) -> (u64, Result<()>) {
    let store = MemoryBackend::new();
    let failing = Failing::nth(1, Point::on(Operation::Write), cut).after_effect();
    let backend = failing.over(store).layer(Retry::new());
    let outcome = backend.write(&path("a"), "x".into(), mode.into()).await;
    (failing.seen(), outcome.map(drop))
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_repeated_only_where_twice_is_once() {
    let (asked, outcome) = lost_reply(WriteMode::Replace).await;
    assert_eq!((asked, outcome.is_ok()), (2, true));
    for mode in [WriteMode::CreateNew, WriteMode::Append] {
        let (asked, outcome) = lost_reply(mode).await;
        assert_eq!(asked, 1);
        assert!(outcome.unwrap_err().outcome_unknown());
    }
}

#[tokio::test(start_paused = true)]
async fn a_conditional_write_that_certainly_did_not_happen_is_repeated() {
    let failing = Failing::nth(1, Point::on(Operation::Write), cut);
    let backend = failing.over(MemoryBackend::new()).layer(Retry::new());
    let create: WriteOptions = WriteMode::CreateNew.into();
    backend.write(&path("a"), "x".into(), create).await.unwrap();
    assert_eq!(failing.seen(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_reply_was_lost_says_that_there_was_an_object() {
    let failing = Failing::nth(1, Point::on(Operation::Delete), cut).after_effect();
    let backend = failing.over(MemoryBackend::new()).layer(Retry::new());
    backend.put("a", "x").await.unwrap();
    assert!(backend.remove("a").await.unwrap());
    assert!(!backend.remove("a").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_stays_unknown_when_later_attempts_fail() {
    let lost = Failing::nth(1, Point::on(Operation::Write), cut).after_effect();
    let failing = Failing::nth(2, Point::on(Operation::Write), || {
        storage_core::Error::new(ErrorKind::QuotaExceeded, "full")
    });
    let backend = failing
        .over(lost.over(MemoryBackend::new()))
        .layer(Retry::new());
    let error = backend.put("a", "x").await.unwrap_err();
    assert!(error.is_quota_exceeded() && error.outcome_unknown());
}

fn content() -> Vec<u8> {
    (0..100_000u32).map(|n| n as u8).collect()
}

#[tokio::test(start_paused = true)]
async fn a_reader_goes_on_at_the_same_byte() {
    for broken in [
        BrokenReads::failing(30_000, Point::on(Operation::Read).at(Step::Open), cut),
        BrokenReads::truncating(30_000, Point::on(Operation::Read).at(Step::Open)),
    ] {
        let counting = Counting::new();
        let store = MemoryBackend::new();
        store.put("a", content()).await.unwrap();
        // Every reader breaks after 30,000 bytes: the fourth reaches the end.
        let backend = broken
            .over(counting.over(store))
            .layer(Retry::new().attempts(2));
        let reader = backend.open("a").await.unwrap();
        assert_eq!(reader.bytes().await.unwrap(), content());
        assert_eq!(counting.of(Operation::Read).calls, 4);
        let part = ReadOptions::from(500..70_500);
        let reader = backend.reader(&path("a"), part).await.unwrap();
        assert_eq!(reader.bytes().await.unwrap(), content()[500..70_500]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_never_goes_on_in_another_version() {
    let store = MemoryBackend::new();
    store.put("a", content()).await.unwrap();
    let broken = BrokenReads::failing(30_000, Point::on(Operation::Read).at(Step::Open), cut);
    let backend = broken.over(store.clone()).layer(Retry::new());
    let mut reader = backend.open("a").await.unwrap();
    let first = reader.chunk().await.unwrap().unwrap();
    store.put("a", vec![7; 100_000]).await.unwrap();
    let mut read = first.to_vec();
    let error = loop {
        match reader.chunk().await.unwrap() {
            Ok(chunk) => read.extend_from_slice(&chunk),
            Err(error) => break error,
        }
    };
    assert!(error.is_precondition_failed(), "{error}");
    assert_eq!(read, content()[..read.len()]);
}

#[tokio::test(start_paused = true)]
async fn a_writer_is_opened_again_and_not_repeated() {
    let open = Failing::nth(1, Point::on(Operation::Write).at(Step::Open), cut);
    let chunk = Failing::nth(1, Point::on(Operation::Write).at(Step::Chunk), cut);
    let backend = chunk
        .over(open.over(MemoryBackend::new()))
        .layer(Retry::new().first_delay(Duration::from_millis(1)));
    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    let write = async {
        writer.write_bytes(vec![0; 1 << 20].into()).await?;
        writer.finish().await
    };
    assert!(write.await.unwrap_err().is_transient());
    assert!(!backend.has("a").await.unwrap());
}
