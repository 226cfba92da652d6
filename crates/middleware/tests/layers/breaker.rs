use std::time::Duration;

use storage_core::{BackendExt, ErrorKind};
use storage_faults::{Failing, Intercept, Point, Slow};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::breaker::{Circuit, CircuitBreaker};
use tokio::time::{sleep, timeout};

use crate::cut;

const PAUSE: Duration = Duration::from_secs(30);

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new().failures(3).pause(PAUSE)
}

#[tokio::test(start_paused = true)]
async fn it_opens_tries_once_and_closes() {
    let failing = Failing::always(Point::any(), cut);
    let breaker = breaker();
    let backend = failing.over(MemoryBackend::new()).layer(breaker.clone());
    for _ in 0..3 {
        assert_eq!(breaker.circuit(), Circuit::Closed);
        backend.has("a").await.unwrap_err();
    }
    assert_eq!(breaker.circuit(), Circuit::Open);
    let error = backend.has("a").await.unwrap_err();
    assert!(error.is_transient() && error.kind() == ErrorKind::Network);
    assert_eq!(failing.seen(), 3, "nobody was asked");

    sleep(PAUSE).await;
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    backend.has("a").await.unwrap_err();
    assert_eq!((failing.seen(), breaker.circuit()), (4, Circuit::Open));

    sleep(PAUSE).await;
    failing.stop();
    backend.has("a").await.unwrap();
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_failures_of_the_store_close_it() {
    let failing = Failing::every(2, Point::any(), cut);
    let breaker = breaker();
    let backend = failing.over(MemoryBackend::new()).layer(breaker.clone());
    for _ in 0..20 {
        // By turns `NotFound` and a transient failure.
        backend.get("missing").await.unwrap_err();
    }
    assert_eq!((failing.seen(), breaker.circuit()), (20, Circuit::Closed));
}

#[tokio::test(start_paused = true)]
async fn half_open_one_call_passes_at_a_time_also_after_a_cancelled_one() {
    let failing = Failing::always(Point::any(), cut);
    let slow = Slow::new(Duration::from_secs(5), Point::any());
    let breaker = breaker();
    let backend = failing
        .over(slow.over(MemoryBackend::new()))
        .layer(breaker.clone());
    for _ in 0..3 {
        backend.has("a").await.unwrap_err();
    }
    failing.stop();
    sleep(PAUSE).await;
    let (probe, refused) = tokio::join!(backend.has("a"), backend.has("a"));
    assert!(probe.is_ok() && refused.is_err());
    assert_eq!(breaker.circuit(), Circuit::Closed);

    let failing = Failing::always(Point::any(), cut);
    let slow = Slow::new(Duration::from_secs(5), Point::any());
    let store = slow.over(MemoryBackend::new());
    let breaker = CircuitBreaker::new().failures(1).pause(PAUSE);
    let backend = failing.over(store).layer(breaker);
    backend.has("a").await.unwrap_err();
    failing.stop();
    sleep(PAUSE).await;
    let cancelled = timeout(Duration::from_secs(1), backend.has("a")).await;
    assert!(cancelled.is_err());
    backend.has("a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_no_clock_can_count_is_a_long_one() {
    let failing = Failing::always(Point::any(), cut);
    let breaker = CircuitBreaker::new().failures(1).pause(Duration::MAX);
    let backend = failing.over(MemoryBackend::new()).layer(breaker.clone());
    backend.has("a").await.unwrap_err();
    assert_eq!(breaker.circuit(), Circuit::Open);
    assert!(backend.has("a").await.unwrap_err().is_transient());
}
