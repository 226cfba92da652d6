use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use storage_core::{
    Backend, BackendExt, ByteStream, Payload, PayloadSource, ReadOptions, WriteOptions,
};
use storage_faults::{Intercept, Point, Slow, Step};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::concurrency::ConcurrencyLimit;
use tokio::time::Instant;

use crate::path;

#[tokio::test]
async fn a_task_with_a_reader_may_ask_for_a_writer() {
    let backend = MemoryBackend::new().layer(ConcurrencyLimit::new(1));
    backend.put("a", vec![1; 1 << 20]).await.unwrap();
    let mut readers = Vec::new();
    for _ in 0..3 {
        readers.push(backend.open("a").await.unwrap());
    }
    let mut writer = backend
        .writer(&path("b"), WriteOptions::default())
        .await
        .unwrap();
    for reader in readers {
        writer
            .write_bytes(reader.bytes().await.unwrap())
            .await
            .unwrap();
    }
    assert_eq!(writer.finish().await.unwrap().size, 3 << 20);
}

/// A payload that is read from the same store while it is written.
struct FromStore(Arc<dyn Backend>);

impl PayloadSource for FromStore {
    fn len(&self) -> u64 {
        5
    }

    fn stream(&self) -> ByteStream {
        let backend = Arc::clone(&self.0);
        let open = async move {
            let reader = backend.reader(&path("a"), ReadOptions::default()).await;
            match reader {
                Ok(reader) => reader.left_stream(),
                Err(error) => futures_util::stream::iter([Err(error)]).right_stream(),
            }
        };
        Box::pin(futures_util::stream::once(open).flatten())
    }
}

#[tokio::test]
async fn a_payload_may_come_from_the_same_store() {
    let limited = MemoryBackend::new().layer(ConcurrencyLimit::new(1));
    let backend: Arc<dyn Backend> = Arc::new(limited);
    backend.put("a", "hello").await.unwrap();
    let payload = Payload::from_source(Arc::new(FromStore(Arc::clone(&backend))));
    backend.put("b", payload).await.unwrap();
    assert_eq!(backend.get("b").await.unwrap(), "hello");
}

const DELAY: Duration = Duration::from_secs(5);

/// What is ready comes first, so the other future is polled once and never again.
async fn begin<T>(step: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = step => panic!("the step was to wait"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_nobody_polls_keeps_no_permit() {
    let store = MemoryBackend::new();
    store.put("a", vec![1; 1 << 20]).await.unwrap();
    let backend = Slow::new(DELAY, Point::any().at(Step::Chunk))
        .over(store)
        .layer(ConcurrencyLimit::new(1));
    let mut reader = backend.open("a").await.unwrap();
    let mut other = backend.open("a").await.unwrap();
    // One has the permit and the other is next in the row.
    begin(reader.chunk()).await;
    begin(other.chunk()).await;
    let put = tokio::time::timeout(DELAY * 9, backend.put("b", "x"));
    put.await.expect("a permit comes back").unwrap();

    let options = WriteOptions::default();
    let mut writer = backend.writer(&path("c"), options).await.unwrap();
    begin(writer.write_bytes(vec![2; 1 << 20].into())).await;
    let put = tokio::time::timeout(DELAY * 9, backend.put("b", "y"));
    put.await.expect("a permit comes back").unwrap();

    assert_eq!(reader.bytes().await.unwrap(), vec![1; 1 << 20]);
    assert_eq!(other.bytes().await.unwrap(), vec![1; 1 << 20]);
    writer.finish().await.unwrap();
    assert_eq!(backend.get("c").await.unwrap(), vec![2; 1 << 20]);
}

#[tokio::test(start_paused = true)]
async fn chunks_of_several_streams_wait_for_each_other() {
    let store = MemoryBackend::new();
    store.put("a", "x").await.unwrap();
    for (limit, at_once) in [(1, 1), (2, 2), (9, 4)] {
        let backend = Slow::new(DELAY, Point::any().at(Step::Chunk))
            .over(store.clone())
            .layer(ConcurrencyLimit::new(limit));
        let begun = Instant::now();
        let reads = (0..4).map(async |_| backend.open("a").await.unwrap().bytes().await.unwrap());
        assert_eq!(futures_util::future::join_all(reads).await, ["x"; 4]);
        // Each reads a chunk and the end.
        let turns = begun.elapsed().as_secs() / DELAY.as_secs();
        assert!(
            turns >= 4 / at_once && turns <= 8 / at_once,
            "{turns} with {limit}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_reader_or_writer_gives_its_permit_back() {
    let store = MemoryBackend::new();
    store.put("a", "x").await.unwrap();
    let backend = Slow::new(Duration::from_secs(1 << 30), Point::any().at(Step::Chunk))
        .over(store)
        .layer(ConcurrencyLimit::new(1));
    let mut reader = backend.open("a").await.unwrap();
    begin(reader.chunk()).await;
    drop(reader);
    backend.put("b", "x").await.unwrap();
    let options = WriteOptions::default();
    let mut writer = backend.writer(&path("c"), options).await.unwrap();
    begin(writer.write_bytes(vec![2; 1 << 20].into())).await;
    drop(writer);
    let put = tokio::time::timeout(DELAY, backend.put("b", "y"));
    put.await.expect("a permit comes back").unwrap();
    assert!(!backend.has("c").await.unwrap());
}
