//! Two runs do not work on one pair.

use std::time::Duration;

use storage_core::{BackendExt, Operation};
use storage_faults::Point;
use storage_sync::{BisyncError, Event};

use super::{Side, World};

const LOCK: &str = "state-of-ab/lock";

/// A lock as a run writes it, of a process elsewhere.
fn claim(until: u64) -> String {
    format!("nonce: 1\nprocess: 1\nstarted: 1\nplace: elsewhere\nuntil: {until}\n")
}

#[tokio::test]
async fn a_second_run_is_refused_while_the_first_goes_on() {
    let mut world = World::with(&["a"]).await;
    world.put(Side::A, "new", "1").await;
    let mut first = world.job(world.options.clone()).run();
    while !matches!(first.next().await, Some(Event::Planned(_))) {}
    // The first waits for its events to be taken, or is done; the lock tells.
    if world.state.has(LOCK).await.unwrap() {
        let refusal = world.refused().await;
        assert!(matches!(refusal.error(), BisyncError::Locked { .. }));
    }
    first.summary().await.unwrap();
    assert!(!world.state.has(LOCK).await.unwrap());
    world.run().await;
}

#[tokio::test]
async fn a_lock_of_somebody_else_is_respected_until_it_expires() {
    let world = World::with(&["a"]).await;
    let far = 1 << 45;
    world.state.put(LOCK, claim(far)).await.unwrap();
    let refusal = world.refused().await;
    let BisyncError::Locked { place, owner } = refusal.error() else {
        panic!("{}", refusal.error());
    };
    assert!(
        place.ends_with("lock") && owner.starts_with("process 1"),
        "{place} {owner}"
    );
    world.state.put(LOCK, claim(1000)).await.unwrap();
    world.run().await;
    assert!(!world.state.has(LOCK).await.unwrap());
}

#[tokio::test]
async fn a_lock_that_cannot_be_read_is_nobodys() {
    let world = World::with(&["a"]).await;
    world.state.put(LOCK, "garbage").await.unwrap();
    world.run().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_lock_was_taken_over_ends() {
    let mut world = World::with(&["a"]).await;
    world.options.max_lock = Duration::from_secs(3);
    for n in 0..20 {
        world.put(Side::A, &format!("new{n}"), "1").await;
    }
    let slow = storage_faults::Slow::new(Duration::from_secs(60), Point::on(Operation::Write));
    let b = storage_faults::Intercept::over(&slow, std::sync::Arc::clone(&world.b));
    world.b = super::shared(b);
    let mut run = world.job(world.options.clone()).run();
    let taken = world.state.clone();
    let thief = tokio::spawn(async move {
        while !taken.has(LOCK).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        taken.put(LOCK, claim(1 << 45)).await.unwrap();
    });
    let mut failures = Vec::new();
    while let Some(event) = run.next().await {
        if let Event::Failed(failure) = event {
            failures.push(failure.to_string());
        }
    }
    thief.await.unwrap();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("taken over"), "{failures:?}");
    assert!(
        world.state.has(LOCK).await.unwrap(),
        "it is not ours to remove"
    );
}
