use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use storage_core::{
    Backend, BackendExt, ByteStream, Operation, Payload, PayloadSource, WriteOptions,
};
use storage_faults::{Intercept, Point, Slow, Step};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::timeout::Timeout;
use tokio::time::{Instant, sleep};

use crate::path;

const IDLE: Duration = Duration::from_secs(10);
const SLOW: Duration = Duration::from_secs(11);
const QUICK: Duration = Duration::from_secs(9);

fn slow(delay: Duration, point: Point) -> impl Backend {
    Slow::new(delay, point)
        .over(MemoryBackend::new())
        .layer(Timeout::new(IDLE))
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_is_given_up() {
    let backend = slow(SLOW, Point::any());
    let begun = Instant::now();
    let error = backend.has("a").await.unwrap_err();
    assert!(error.is_timeout() && error.is_transient() && !error.outcome_unknown());
    assert_eq!(
        (error.operation(), error.path()),
        (Some(Operation::Exists), Some("a"))
    );
    assert_eq!(begun.elapsed(), IDLE);
    let error = backend.put("a", "x").await.unwrap_err();
    assert!(error.is_timeout() && error.outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_goes_on_is_never_cut_off() {
    let content = vec![3u8; 1 << 20];
    let store = MemoryBackend::new();
    let chunks = Point::on(Operation::Write).at(Step::Chunk);
    let reads = Point::on(Operation::Read).at(Step::Chunk);
    let backend = Slow::new(QUICK, chunks)
        .and(QUICK, reads)
        .over(store)
        .layer(Timeout::new(IDLE));
    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    let begun = Instant::now();
    for piece in content.chunks(64 << 10) {
        let piece = Bytes::copy_from_slice(piece);
        writer.write_bytes(piece).await.unwrap();
    }
    writer.finish().await.unwrap();
    assert!(begun.elapsed() > IDLE * 4);
    assert_eq!(backend.get("a").await.unwrap(), content);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stops_is_given_up() {
    let chunk = Point::on(Operation::Read).at(Step::Chunk);
    let backend = slow(SLOW, chunk);
    backend.put("a", "x").await.unwrap();
    let reader = backend.open("a").await.unwrap();
    assert!(reader.bytes().await.unwrap_err().is_timeout());
    let finish = Point::on(Operation::Write).at(Step::Finish);
    let backend = slow(SLOW, finish);
    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    let error = writer.finish().await.unwrap_err();
    assert!(error.is_timeout() && error.outcome_unknown());
}

/// A payload whose pieces come late, as if the backend took them slowly.
struct Late(u64, Duration);

impl PayloadSource for Late {
    fn len(&self) -> u64 {
        self.0 << 20
    }

    fn stream(&self) -> ByteStream {
        let state = (self.0, self.1);
        Box::pin(stream::unfold(state, async |(left, delay)| {
            let left = left.checked_sub(1)?;
            sleep(delay).await;
            Some((Ok(Bytes::from(vec![0; 1 << 20])), (left, delay)))
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_taken_piece_by_piece_is_never_cut_off() {
    let backend = MemoryBackend::new().layer(Timeout::new(IDLE));
    let begun = Instant::now();
    let payload = Payload::from_source(Arc::new(Late(8, QUICK)));
    assert_eq!(backend.put("a", payload).await.unwrap().size, 8 << 20);
    assert_eq!(begun.elapsed(), QUICK * 8);
    let begun = Instant::now();
    let payload = Payload::from_source(Arc::new(Late(8, SLOW)));
    assert!(backend.put("a", payload).await.unwrap_err().is_timeout());
    assert_eq!(begun.elapsed(), IDLE);
}

#[tokio::test(start_paused = true)]
async fn work_of_the_store_has_a_limit_of_its_own() {
    for (limit, fails) in [(None, false), (Some(QUICK), true)] {
        let mut timeout = Timeout::new(IDLE);
        if let Some(limit) = limit {
            timeout = timeout.server_side(limit);
        }
        let copy = Slow::new(SLOW * 10, Point::on(Operation::Copy));
        let backend = copy.over(MemoryBackend::new()).layer(timeout);
        backend.put("a", "x").await.unwrap();
        assert_eq!(backend.copy_path("a", "b").await.is_err(), fails);
    }
}

#[tokio::test(start_paused = true)]
async fn ranges_far_past_the_end_are_given_up_too() {
    let backend = slow(IDLE * 999, Point::on(Operation::Read));
    backend.put("a", "x").await.unwrap();
    let begun = Instant::now();
    let (key, all) = (path("a"), 0..u64::MAX);
    let read = backend.read_ranges(&key, std::slice::from_ref(&all)).await;
    assert!(read.unwrap_err().is_timeout());
    assert!(begun.elapsed() <= IDLE * 128);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_no_clock_can_count_is_none() {
    let backend = MemoryBackend::new().layer(Timeout::new(Duration::MAX));
    let payload = Payload::from_source(Arc::new(Late(2, SLOW)));
    assert_eq!(backend.put("a", payload).await.unwrap().size, 2 << 20);
    assert_eq!(backend.get("a").await.unwrap().len(), 2 << 20);
}
