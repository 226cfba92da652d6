//! Retry, timeout, limit and breaker in every order keep what each promises.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use proptest::prelude::*;
use storage_core::{Backend, BackendExt, Error, ErrorKind, Result};
use storage_faults::{Call, Intercept};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::breaker::{Circuit, CircuitBreaker};
use storage_middleware::concurrency::ConcurrencyLimit;
use storage_middleware::retry::Retry;
use storage_middleware::timeout::Timeout;
use tokio::time::{Instant, sleep};

const ATTEMPTS: u32 = 3;
const IDLE: Duration = Duration::from_secs(10);
const LIMIT: usize = 3;
const FAILURES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(60);

/// What the store does with one call.
#[derive(Debug, Clone, Copy)]
enum Act {
    Succeed,
    FailForAWhile,
    FailForGood,
    Hang,
}

/// A store that acts as written, and notes what it sees.
#[derive(Debug, Clone)]
struct Script(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    acts: Vec<(Act, Duration)>,
    next: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    longest: Mutex<Duration>,
    by_path: Mutex<HashMap<String, u32>>,
}

impl Script {
    fn new(acts: Vec<(Act, Duration)>) -> Self {
        Self(Arc::new(Seen {
            acts,
            next: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            longest: Mutex::default(),
            by_path: Mutex::default(),
        }))
    }

    fn calls(&self) -> usize {
        self.0.next.load(Ordering::SeqCst)
    }
}

/// A call within the store, however it ends.
struct Within<'a>(&'a Seen, Instant);

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
        let mut longest = self.0.longest.lock().unwrap();
        *longest = longest.max(self.1.elapsed());
    }
}

#[async_trait]
impl Intercept for Script {
    async fn before(&self, call: &mut Call<'_>) -> Result<()> {
        let seen = &*self.0;
        let now = seen.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_in_flight.fetch_max(now, Ordering::SeqCst);
        let _within = Within(seen, Instant::now());
        *seen
            .by_path
            .lock()
            .unwrap()
            .entry(call.path().to_owned())
            .or_default() += 1;
        let turn = seen.next.fetch_add(1, Ordering::SeqCst);
        let (act, delay) = seen
            .acts
            .get(turn)
            .copied()
            .unwrap_or((Act::Succeed, Duration::ZERO));
        sleep(delay).await;
        match act {
            Act::Succeed => Ok(()),
            Act::FailForAWhile => Err(Error::new(ErrorKind::Network, "for a while")),
            Act::FailForGood => Err(Error::new(ErrorKind::PermissionDenied, "for good")),
            Act::Hang => std::future::pending().await,
        }
    }
}

/// The store with the layers in this order, innermost first; boxed, since each order is a type.
fn stacked(script: &Script, order: [usize; 4], breaker: &CircuitBreaker) -> Arc<dyn Backend> {
    let store: Arc<dyn Backend> = Arc::new(script.over(MemoryBackend::new()));
    order.into_iter().fold(store, |store, layer| match layer {
        0 => Arc::new(store.layer(Retry::new().attempts(ATTEMPTS).budget(1000))),
        1 => Arc::new(store.layer(Timeout::new(IDLE))),
        2 => Arc::new(store.layer(ConcurrencyLimit::new(LIMIT))),
        _ => Arc::new(store.layer(breaker.clone())),
    })
}

fn orders() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for code in 0..256usize {
        let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
        let mut sorted = order;
        sorted.sort_unstable();
        if sorted == [0, 1, 2, 3] {
            all.push(order);
        }
    }
    all
}

fn acts() -> impl Strategy<Value = Vec<(Act, Duration)>> {
    let act = prop_oneof![
        3 => Just(Act::Succeed),
        4 => Just(Act::FailForAWhile),
        1 => Just(Act::FailForGood),
        1 => Just(Act::Hang),
    ];
    let delay = (0u64..8000).prop_map(Duration::from_millis);
    prop::collection::vec((act, delay), 0..60)
}

/// Runs calls of eight tasks and then has every call fail, and checks each promise.
async fn check(acts: Vec<(Act, Duration)>, order: [usize; 4]) {
    let script = Script::new(acts);
    let breaker = CircuitBreaker::new().failures(FAILURES).pause(PAUSE);
    let backend = stacked(&script, order, &breaker);
    join_all((0..8).map(|task| {
        let backend = Arc::clone(&backend);
        async move {
            for turn in 0..4 {
                // How it ends is the script's business.
                let _ = backend.has(format!("{task}-{turn}")).await;
            }
        }
    }))
    .await;
    let seen = &*script.0;
    for (path, calls) in &*seen.by_path.lock().unwrap() {
        assert!(
            *calls <= ATTEMPTS,
            "{path}: {calls} attempts in order {order:?}"
        );
    }
    assert!(
        seen.most_in_flight.load(Ordering::SeqCst) <= LIMIT,
        "{order:?}"
    );
    assert!(*seen.longest.lock().unwrap() <= IDLE, "{order:?}");
    assert_eq!(seen.in_flight.load(Ordering::SeqCst), 0);
    opens_and_closes(order).await;
}

/// A store that fails opens the breaker, which then lets one call through, whose success closes it.
async fn opens_and_closes(order: [usize; 4]) {
    let fails = vec![(Act::FailForAWhile, Duration::ZERO); 4 * FAILURES as usize];
    let script = Script::new(fails);
    let breaker = CircuitBreaker::new().failures(FAILURES).pause(PAUSE);
    let backend = stacked(&script, order, &breaker);
    let mut tries = 0;
    while breaker.circuit() == Circuit::Closed {
        backend.has("a").await.unwrap_err();
        tries += 1;
        assert!(tries <= 4 * FAILURES, "it never opened in order {order:?}");
    }
    let asked = script.calls();
    let error = backend.has("a").await.unwrap_err();
    assert!(error.is_transient() && script.calls() == asked, "{order:?}");
    script.0.next.store(usize::MAX / 2, Ordering::SeqCst);
    sleep(PAUSE).await;
    backend.has("a").await.unwrap();
    assert_eq!(breaker.circuit(), Circuit::Closed, "{order:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_order_keeps_every_promise(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            for order in orders() {
                check(acts.clone(), order).await;
            }
        });
    }
}
