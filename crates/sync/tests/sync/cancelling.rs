use std::sync::Arc;
use std::time::Duration;

use storage_core::{BackendExt, Operation};
use storage_faults::{Intercept, Point, Slow, Step};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Event, Options, SyncError};

use crate::trees::{FILLED, Store, fill, job, keys, memory, put};

/// A destination whose finishes take an hour.
fn stuck() -> (Store, Store) {
    let below = memory();
    let hour = Duration::from_secs(3600);
    let slow = Slow::new(hour, Point::on(Operation::Write).at(Step::Finish))
        .and(hour, Point::on(Operation::Write).at(Step::Call));
    (Arc::clone(&below), Arc::new(slow.over(below)))
}

#[tokio::test]
async fn dropping_a_run_leaves_nothing_half_written() {
    let from = memory();
    fill(&from, "src/").await;
    let (below, to) = stuck();
    let mut run = job(Command::Copy, &from, &to, Options::default()).run();
    while let Some(event) = run.next().await {
        if matches!(event, Event::Planned(ref action) if action.path().as_str() == "ü/a b%20") {
            break;
        }
    }
    drop(run);
    // The tasks hold the store until they have dropped what they were at.
    while Arc::strong_count(&to) > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(keys(&below, "dst").await, [""; 0]);
}

#[tokio::test]
async fn a_cancelled_run_ends_with_a_true_summary() {
    let from = memory();
    fill(&from, "src/").await;
    let below = memory();
    let slow = Slow::new(
        Duration::from_secs(3600),
        Point::on(Operation::Write).at(Step::Finish),
    );
    let to: Store = Arc::new(slow.over(Arc::clone(&below)));
    let mut run = job(Command::Sync, &from, &to, Options::default()).run();
    let canceller = run.canceller();
    let (mut done, mut summary) = (0, None);
    while let Some(event) = run.next().await {
        match event {
            Event::Done { .. } => done += 1,
            Event::Summary(last) => summary = Some(last),
            _ => {}
        }
        // All but the large object, whose finish never comes.
        if done == FILLED - 1 {
            canceller.cancel();
        }
    }
    let summary = summary.unwrap();
    assert!(summary.cancelled && !summary.is_complete());
    assert_eq!(summary.created, FILLED - 1);
    let objects = keys(&below, "dst")
        .await
        .into_iter()
        .filter(|key| !key.ends_with('/'));
    assert_eq!(objects.count() as u64, summary.created);
    canceller.cancel();
}

#[tokio::test]
async fn a_cancelled_run_is_no_success() {
    let (from, to) = (memory(), stuck().1);
    put(&from, "src/a", "x", 1).await;
    let run = job(Command::Copy, &from, &to, Options::default()).run();
    run.canceller().cancel();
    let Err(SyncError::Incomplete(summary)) = run.summary().await else {
        panic!("it was taken for complete");
    };
    assert!(summary.cancelled);
    assert!(!to.has("dst/a").await.unwrap());
}

#[tokio::test]
async fn a_cancelled_sync_deletes_nothing_that_was_not_reached() {
    let from = memory();
    put(&from, "src/a", "x", 1).await;
    let (below, to) = stuck();
    put(&below, "dst/extra", "x", 1).await;
    let mut run = job(Command::Sync, &from, &to, Options::default()).run();
    let canceller = run.canceller();
    let mut planned = 0;
    while let Some(event) = run.next().await {
        planned += usize::from(matches!(event, Event::Planned(_)));
        if planned == 2 {
            canceller.cancel();
        }
    }
    assert_eq!(planned, 2);
    assert_eq!(keys(&below, "dst").await, ["extra"]);
}

/// A run whose events nobody takes waits, and holds a bounded number of them.
#[tokio::test]
async fn a_run_waits_for_its_reader() {
    let from = memory();
    for n in 0..20_000 {
        put(&from, &format!("src/{n:05}"), "x", 1).await;
    }
    let to: Arc<MemoryBackend> = Arc::new(MemoryBackend::new());
    let store: Store = to.clone();
    let run = job(Command::Copy, &from, &store, Options::default()).run();
    let mut before = usize::MAX;
    while before != to.len() {
        before = to.len();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }
    assert!(before < 20_000, "the run went on without a reader");
    assert_eq!(run.summary().await.unwrap().created, 20_000);
}
