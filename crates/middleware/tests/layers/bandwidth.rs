use std::time::Duration;

use storage_core::{Backend, BackendExt, WriteOptions};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::bandwidth::{Bandwidth, BandwidthLimit};
use tokio::time::{Instant, timeout};

use crate::path;

const SIZE: usize = 200_000;

/// Asserts that bytes at 10,000 a second took as long as they have to.
fn took(begun: Instant, bytes: u64) {
    let (found, expected) = (begun.elapsed().as_secs_f64(), bytes as f64 / 10_000.0);
    let gap = (found - expected).abs();
    assert!(gap <= expected / 20.0, "{found} s instead of {expected} s");
}

#[tokio::test(start_paused = true)]
async fn every_way_of_reading_and_writing_is_limited() {
    let limit = BandwidthLimit::new(Bandwidth::bytes_per_second(10_000));
    let backend = MemoryBackend::new().layer(limit);
    let begun = Instant::now();
    backend.put("a", vec![0; SIZE]).await.unwrap();
    took(begun, SIZE as u64);
    let begun = Instant::now();
    backend.get("a").await.unwrap();
    took(begun, SIZE as u64);
    let begun = Instant::now();
    let reader = backend.open("a").await.unwrap();
    reader.bytes().await.unwrap();
    took(begun, SIZE as u64);
    let begun = Instant::now();
    let ranges = [0..50_000, 100_000..150_000];
    backend.read_ranges(&path("a"), &ranges).await.unwrap();
    took(begun, 100_000);
    let begun = Instant::now();
    let past_the_end = 150_000..u64::MAX;
    let ranges = std::slice::from_ref(&past_the_end);
    backend.read_ranges(&path("a"), ranges).await.unwrap();
    took(begun, 50_000);
    let begun = Instant::now();
    let mut writer = backend
        .writer(&path("b"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(vec![0; SIZE].into()).await.unwrap();
    writer.finish().await.unwrap();
    took(begun, SIZE as u64);
}

#[tokio::test(start_paused = true)]
async fn clones_share_the_limit() {
    let limit = BandwidthLimit::new(Bandwidth::bytes_per_second(10_000));
    let [one, other] = [limit.clone(), limit].map(|limit| MemoryBackend::new().layer(limit));
    let begun = Instant::now();
    let writes = (one.put("a", vec![0; SIZE]), other.put("a", vec![0; SIZE]));
    let (first, second) = tokio::join!(writes.0, writes.1);
    first.and(second).unwrap();
    took(begun, 2 * SIZE as u64);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_once_when_it_is_cancelled() {
    let limit = BandwidthLimit::new(Bandwidth::bytes_per_second(1));
    let backend = MemoryBackend::new().layer(limit);
    let begun = Instant::now();
    let write = backend.put("a", vec![0; SIZE]);
    assert!(timeout(Duration::from_secs(3), write).await.is_err());
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    assert!(!backend.has("a").await.unwrap());
    // What was granted and not used is at most a byte's time.
    backend.put("a", "x").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(7));
}
