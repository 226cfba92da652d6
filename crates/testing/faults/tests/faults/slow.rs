use std::time::Duration;

use storage_core::{BackendExt, Operation};
use storage_faults::{Intercept, Point, Slow, Step};
use storage_memory::MemoryBackend;
use tokio::time::Instant;

use crate::stream;

#[tokio::test(start_paused = true)]
async fn steps_wait_as_long_as_they_are_told() {
    let second = Duration::from_secs(1);
    let slow = Slow::new(second, Point::any())
        .and(second * 10, Point::on(Operation::Write).at(Step::Chunk))
        .and(second * 100, Point::on(Operation::Read));
    let backend = slow.over(MemoryBackend::new());
    let start = Instant::now();
    stream(&backend, "a", 2).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 21);
    backend.get("a").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 122);
}
