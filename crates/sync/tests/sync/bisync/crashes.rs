//! A run that breaks off at any step: nothing is lost, and the next one gets both sides equal.

use std::sync::Arc;

use storage_core::Operation;
use storage_faults::{Crash, Failing, Intercept, Point};

use super::{Side, World, shared};
use crate::trees::{Store, memory};

/// Edits of every kind on both sides of a settled pair.
async fn edited() -> World {
    let mut world = World::with(&["c1", "c2", "d1", "d2", "gone", "k1", "k2", "k3", "torn"]).await;
    world.put(Side::A, "c1", "changed on a").await;
    world.put(Side::B, "c2", "changed on b").await;
    world.delete(Side::A, "d1").await;
    world.delete(Side::B, "d2").await;
    world.put(Side::A, "new/1", "1").await;
    world.put(Side::B, "new/2", "2").await;
    world.put(Side::A, "torn", "by a").await;
    world.put(Side::B, "torn", "by bb").await;
    world.delete(Side::A, "gone").await;
    world.delete(Side::B, "gone").await;
    world
}

const AFTER: [(&str, &str); 9] = [
    ("c1", "changed on a"),
    ("c2", "changed on b"),
    ("k1", "base of k1"),
    ("k2", "base of k2"),
    ("k3", "base of k3"),
    ("new/1", "1"),
    ("new/2", "2"),
    ("torn.conflict1", "by a"),
    ("torn.conflict2", "by bb"),
];

/// One of the three stores crashes at each of its steps in turn: both before and after the effect.
async fn crash_everywhere(which: usize) -> u64 {
    for step in 1.. {
        for after in [false, true] {
            let mut world = edited().await;
            // A lock that a crash left behind is another test's.
            world.options.max_lock = std::time::Duration::from_secs(1);
            let crash = if after {
                Crash::after(step)
            } else {
                Crash::before(step)
            };
            let wrap = |store: &Store| shared(crash.clone().over(Arc::clone(store)));
            let whole = [world.a.clone(), world.b.clone(), world.state.clone()];
            match which {
                0 => world.a = wrap(&whole[0]),
                1 => world.b = wrap(&whole[1]),
                _ => world.state = wrap(&whole[2]),
            }
            let _ = world.try_with(world.options.clone()).await;
            let crashed = crash.has_crashed();
            [world.a, world.b, world.state] = whole;
            let _ = storage_core::BackendExt::remove(&world.state, "state-of-ab/lock").await;
            world.run().await;
            let [a, b] = world.both().await;
            assert_eq!(a, b, "{which} {step} {after}");
            let contents: Vec<_> = a.values().collect();
            for (path, content) in AFTER {
                let is_there = contents.iter().any(|found| **found == content.as_bytes());
                assert!(is_there, "{which} {step} {after}: {path} is lost: {a:?}");
            }
            world.assert_settled().await;
            if !crashed {
                world.assert(&AFTER).await;
                return step;
            }
        }
    }
    0
}

#[tokio::test]
async fn a_crash_of_the_first_side_at_any_step_loses_nothing() {
    assert!(crash_everywhere(0).await > 10);
}

#[tokio::test]
async fn a_crash_of_the_second_side_at_any_step_loses_nothing() {
    assert!(crash_everywhere(1).await > 10);
}

#[tokio::test]
async fn a_crash_of_the_state_at_any_step_loses_nothing() {
    assert!(crash_everywhere(2).await > 5);
}

#[tokio::test]
async fn what_was_done_before_a_cancellation_is_remembered() {
    let mut world = World::new(memory(), memory());
    world.put(Side::A, "kept1", "1").await;
    world.put(Side::A, "kept2", "1").await;
    world.resync().await;
    for n in 0..50 {
        world.put(Side::A, &format!("n{n:02}"), "1").await;
    }
    world.options.common.transfers = 1;
    let mut run = world.job(world.options.clone()).run();
    let canceller = run.canceller();
    let mut done = 0;
    while let Some(event) = run.next().await {
        if matches!(event, storage_sync::Event::Done { .. }) {
            done += 1;
            canceller.cancel();
        }
    }
    assert!(done > 0);
    // Whatever the run has brought over and deleted here since then is deleted there, too.
    world.delete(Side::A, "n00").await;
    world.run().await;
    let [a, b] = world.both().await;
    assert_eq!(a, b);
    assert!(!a.contains_key("n00"));
}

#[tokio::test]
async fn a_resync_that_breaks_off_leaves_the_state_as_it_was() {
    let mut world = World::with(&["a", "b"]).await;
    world.put(Side::A, "new", "1").await;
    let mut options = world.options.clone();
    options.resync = Some(storage_sync::Prefer::Path1);
    let run = world.job(options).run();
    run.canceller().cancel();
    assert!(run.summary().await.is_err());
    world.delete(Side::B, "b").await;
    world.run().await;
    world.assert(&[("a", "base of a"), ("new", "1")]).await;
}

#[tokio::test]
async fn a_resync_that_fails_leaves_what_a_broken_run_has_written_down() {
    let mut world = World::with(&["kept"]).await;
    world.put(Side::A, "new", "1").await;
    let denied = || storage_core::Error::new(storage_core::ErrorKind::PermissionDenied, "");
    // The journal is written, and the state is not put together.
    let state = Point::on(Operation::Write).path(|path| path.ends_with("/state"));
    let whole = world.state.clone();
    world.state = shared(Failing::always(state, denied).over(Arc::clone(&whole)));
    assert!(world.try_with(world.options.clone()).await.is_err());
    world.state = whole;
    // A resync that cannot list one side.
    let listing = Point::on(Operation::List);
    let whole = world.b.clone();
    world.b = shared(Failing::always(listing, denied).over(Arc::clone(&whole)));
    let mut options = world.options.clone();
    options.resync = Some(storage_sync::Prefer::Path1);
    assert!(world.try_with(options).await.is_err());
    world.b = whole;
    world.delete(Side::A, "new").await;
    world.run().await;
    // What was deleted since does not come back.
    world.assert(&[("kept", "base of kept")]).await;
}
