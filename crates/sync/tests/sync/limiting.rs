//! Where a run stops by itself, how fast it goes, and in which order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use storage_core::{Error, ErrorKind, Operation, Result, async_trait};
use storage_faults::{Call, Failing, Intercept, Point, Slow, Step};
use storage_memory::MemoryBackend;
use storage_sync::{
    Action, Answer, Bandwidth, Command, Confirm, Confirmation, Cutoff, Direction, Event, Options,
    Order, OrderKey, Summary, SyncError,
};
use tokio::time::Instant;

use crate::trees::{Store, events, job, keys, memory, objects, put, run, run_failing};

const MIB: usize = 1 << 20;

/// Ten objects of `size` bytes.
async fn ten(store: &Store, size: usize) {
    for n in 0..10 {
        put(store, &format!("src/{n}"), vec![n as u8; size], n).await;
    }
}

fn first(summary: &Summary) -> &SyncError {
    &summary.failures[0].error
}

#[tokio::test]
async fn a_limit_on_bytes_cuts_hard_softly_or_cautiously() {
    for (cutoff, size, done) in [
        // Whole objects; and objects that are sent in pieces.
        (Cutoff::Hard, 1000, 2),
        (Cutoff::Soft, 1000, 3),
        (Cutoff::Cautious, 1000, 2),
        (Cutoff::Hard, 2 * MIB, 2),
        (Cutoff::Soft, 2 * MIB, 3),
        (Cutoff::Cautious, 2 * MIB, 2),
    ] {
        let (from, to) = (memory(), memory());
        ten(&from, size).await;
        put(&to, "dst/extra", "x", 1).await;
        let options = Options::default()
            .transfers(1)
            .cutoff(cutoff)
            .max_transfer(size as u64 * 5 / 2);
        let summary = run_failing(Command::Sync, &from, &to, options).await;
        assert!(matches!(first(&summary), SyncError::TransferLimit(_)));
        assert_eq!((summary.created, summary.errors), (done, 1), "{cutoff:?}");
        assert_eq!(summary.deleted, 0, "{cutoff:?}");
        let kept = objects(&to, "dst").await;
        assert_eq!(kept.len() as u64, done + 1, "{cutoff:?}");
        assert!(
            kept.values()
                .all(|object| [1, size].contains(&object.len()))
        );
    }
}

#[tokio::test]
async fn a_limit_that_is_just_enough_is_no_failure_and_the_next_run_goes_on() {
    for cutoff in [Cutoff::Hard, Cutoff::Soft, Cutoff::Cautious] {
        let (from, to) = (memory(), memory());
        ten(&from, 100).await;
        let options = Options::default().cutoff(cutoff).max_transfer(600);
        let summary = run_failing(Command::Copy, &from, &to, options.clone()).await;
        let left = 10 - summary.created;
        let summary = run(Command::Copy, &from, &to, options.max_transfer(left * 100)).await;
        assert_eq!(summary.unwrap().created, left);
    }
}

#[tokio::test]
async fn move_keeps_what_a_limit_left_out() {
    let (from, to) = (memory(), memory());
    ten(&from, 100).await;
    let options = Options::default()
        .cutoff(Cutoff::Soft)
        .transfers(1)
        .delete_empty_source_dirs(true)
        .max_transfer(250);
    let summary = run_failing(Command::Move, &from, &to, options).await;
    assert_eq!((summary.created, summary.removed_from_source), (3, 3));
    assert_eq!(objects(&from, "src").await.len(), 7);
    assert_eq!(objects(&to, "dst").await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_time_ends_transfers_at_once_or_completes_them() {
    for (cutoff, done) in [(Cutoff::Hard, 2), (Cutoff::Soft, 3)] {
        let (from, below) = (memory(), memory());
        ten(&from, 10).await;
        let slow = Slow::new(Duration::from_secs(10), Point::on(Operation::Write));
        let to: Store = Arc::new(slow.over(Arc::clone(&below)));
        let options = Options::default()
            .transfers(1)
            .cutoff(cutoff)
            .max_duration(Duration::from_secs(25));
        let start = Instant::now();
        let summary = run_failing(Command::Copy, &from, &to, options).await;
        assert!(matches!(first(&summary), SyncError::DurationLimit(_)));
        assert_eq!((summary.created, summary.errors), (done, 1), "{cutoff:?}");
        assert_eq!(keys(&below, "dst").await.len() as u64, done);
        let expected = Duration::from_secs(if cutoff == Cutoff::Hard { 25 } else { 30 });
        let late = start.elapsed().abs_diff(expected);
        assert!(late < Duration::from_millis(100), "{cutoff:?}: {late:?}");
    }
}

#[tokio::test]
async fn so_many_failures_end_the_run() {
    let denied = || Error::new(ErrorKind::PermissionDenied, "injected");
    let faulty = Failing::always(Point::on(Operation::Write), denied);
    let to: Store = Arc::new(faulty.over(MemoryBackend::new()));
    let from = memory();
    for n in 0..200 {
        put(&from, &format!("src/{n}"), "x", 1).await;
    }
    let options = Options::default().transfers(1).max_errors(3);
    let summary = run_failing(Command::Copy, &from, &to, options).await;
    assert_eq!(faulty.seen(), 3);
    assert_eq!(summary.errors, 4, "three objects and the limit");
    assert!(matches!(
        *summary.failures[3].error,
        SyncError::ErrorLimit(3)
    ));
}

/// Counts the bytes that reach a store.
#[derive(Debug, Clone, Default)]
struct Arriving(Arc<AtomicU64>);

#[async_trait]
impl Intercept for Arriving {
    async fn after(&self, call: &Call<'_>, outcome: Result<u64, &Error>) -> Result<()> {
        let moved = matches!(call.step(), Step::Call | Step::Chunk);
        if call.operation() == Operation::Write && moved && outcome.is_ok() {
            self.0.fetch_add(call.bytes(), Ordering::Relaxed);
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn bandwidth_is_shared_by_all_transfers_and_a_cancelled_run_ends_at_once() {
    // Many small objects; a few that go in pieces.
    for (rate, count, size) in [
        (1u64, 50, 1),
        (1000, 250, 50),
        (2 * MIB as u64, 3, 16 * MIB),
    ] {
        let arriving = Arriving::default();
        let from = memory();
        let to: Store = Arc::new(arriving.over(MemoryBackend::new()));
        for n in 0..count {
            put(&from, &format!("src/{n}"), vec![1; size], 1).await;
        }
        let options = Options::default().bandwidth(Bandwidth::bytes_per_second(rate));
        let mut run = job(Command::Copy, &from, &to, options).run();
        let canceller = run.canceller();
        let start = Instant::now();
        let canceling = async {
            tokio::time::sleep(Duration::from_millis(10_020)).await;
            canceller.cancel();
        };
        let reading = async { while run.next().await.is_some() {} };
        tokio::join!(canceling, reading);
        let late = start.elapsed() - Duration::from_millis(10_020);
        assert!(late < Duration::from_millis(20), "{rate}: {late:?}");
        let (found, expected) = (arriving.0.load(Ordering::Relaxed), rate * 10);
        let gap = found.abs_diff(expected);
        assert!(
            gap * 20 <= expected,
            "{rate}: {found} instead of {expected}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn bandwidth_per_file_lets_files_go_side_by_side() {
    let (from, to) = (memory(), memory());
    ten(&from, 1000).await;
    put(&from, "src/large", vec![1; 2 * MIB], 1).await;
    let options = Options::default().transfers(11).bandwidth_per_file(10_000);
    let start = Instant::now();
    let all = events(Command::Copy, &from, &to, options).await;
    let whole = start.elapsed().as_secs_f64();
    assert!(
        (whole / (2 * MIB) as f64 * 10_000.0 - 1.0).abs() < 0.05,
        "{whole}"
    );
    assert!(matches!(all.last(), Some(Event::Summary(s)) if s.created == 11));
}

/// The paths in the order in which they are written.
async fn order_of(order: Option<Order>, backlog: usize) -> Vec<String> {
    let log = storage_faults::Recording::new();
    let from = memory();
    let to: Store = Arc::new(log.over(MemoryBackend::new()));
    for (name, size, time) in [("a", 3, 2), ("b", 1, 3), ("c", 4, 1), ("d", 2, 4)] {
        put(&from, &format!("src/{name}"), vec![0; size], time).await;
    }
    let options = Options::default()
        .transfers(1)
        .order_by(order)
        .max_backlog(backlog);
    run(Command::Copy, &from, &to, options).await.unwrap();
    let lines = log.lines().into_iter();
    let paths = lines.filter_map(|line| Some(line.strip_prefix("write dst/")?.to_owned()));
    paths.collect()
}

#[tokio::test]
async fn transfers_come_in_the_order_that_was_asked_for() {
    use Direction::{Descending, Mixed};
    use OrderKey::{Modified, Name, Size};
    for (order, expected) in [
        (None, "abcd"),
        (Some(Order::by(Name).direction(Descending)), "dcba"),
        (Some(Order::by(Size)), "bdac"),
        (Some(Order::by(Size).direction(Descending)), "cadb"),
        (Some(Order::by(Modified)), "cabd"),
        (Some(Order::by(Size).direction(Mixed(50))), "cbad"),
    ] {
        assert_eq!(order_of(order, 100).await.concat(), expected, "{order:?}");
    }
}

#[tokio::test]
async fn the_order_looks_no_further_than_its_backlog() {
    let smallest = Some(Order::by(OrderKey::Size));
    assert_eq!(order_of(smallest, 1).await.concat(), "badc");
}

/// Answers as its letters say, and keeps what it was asked.
struct Script(&'static str, std::sync::Mutex<Vec<String>>);

#[async_trait]
impl Confirm for Script {
    async fn confirm(&self, action: &Action) -> Answer {
        let mut asked = self.1.lock().unwrap();
        asked.push(action.to_string());
        match self.0.as_bytes()[asked.len() - 1] {
            b'y' => Answer::Yes,
            b'n' => Answer::No,
            _ => Answer::Quit,
        }
    }
}

#[tokio::test]
async fn each_change_waits_for_its_answer() {
    for (answers, left) in [
        ("yyyy", "+a +b "),
        ("nyny", "+b -c "),
        ("ynyn", "+a -d "),
        ("yq", "-c -d "),
    ] {
        let (from, to) = (memory(), memory());
        put(&from, "src/a", "x", 1).await;
        put(&from, "src/b", "x", 1).await;
        put(&from, "src/same", "x", 1).await;
        put(&to, "dst/same", "x", 1).await;
        put(&to, "dst/c", "x", 1).await;
        put(&to, "dst/d", "x", 1).await;
        let script = Arc::new(Script(answers, std::sync::Mutex::default()));
        let asking: Arc<dyn Confirm> = Arc::clone(&script) as _;
        let confirm = Confirmation::new(asking);
        let options = Options::default().confirm(confirm).transfers(1);
        let all = events(Command::Sync, &from, &to, options).await;
        let Some(Event::Summary(summary)) = all.last() else {
            panic!("no summary");
        };
        let quits = answers.ends_with('q');
        assert_eq!(summary.cancelled, quits);
        assert_eq!(script.1.lock().unwrap().len(), answers.len());
        let keys = keys(&to, "dst").await;
        let marks = ["a", "b", "c", "d"].map(|name| match (name, keys.contains(&name.into())) {
            ("a" | "b", true) => format!("+{name} "),
            ("c" | "d", true) => format!("-{name} "),
            _ => String::new(),
        });
        // What was agreed to may or may not have been done when the run was ended.
        if quits {
            assert!(marks.concat().ends_with(left), "{answers}: {marks:?}");
        } else {
            assert_eq!(marks.concat(), left, "{answers}");
        }
    }
}

#[tokio::test]
async fn a_transfer_that_is_put_off_counts_once() {
    let (from, to) = (memory(), memory());
    put(&from, "src/becomes-file", vec![1; 100], 1).await;
    put(&from, "src/z", vec![1; 100], 1).await;
    put(&to, "dst/becomes-file/x", "deep", 1).await;
    let options = Options::default()
        .cutoff(Cutoff::Cautious)
        .max_transfer(200);
    let summary = run(Command::Sync, &from, &to, options).await.unwrap();
    assert_eq!((summary.created, summary.deleted), (2, 1));
}
