use std::sync::Arc;

use storage_core::{BackendExt, Error, ErrorKind, Operation};
use storage_faults::{BrokenReads, Failing, Intercept, Point, Step};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Event, Job, Options, SyncError};

use crate::trees::{
    FILLED, Store, contents, events, failures, fill, keys, memory, put, run, run_failing, tree,
};

fn network() -> Error {
    Error::new(ErrorKind::Network, "injected")
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_in_every_operation() {
    let steps = [
        Point::on(Operation::List),
        Point::on(Operation::Write),
        Point::on(Operation::Write).at(Step::Finish),
        Point::on(Operation::Delete),
    ];
    for point in steps {
        let faulty = Failing::nth(1, point.clone(), network);
        let to: Store = Arc::new(faulty.over(MemoryBackend::new()));
        let from = memory();
        fill(&from, "src/").await;
        // Written past the point, which would count it.
        faulty.stop();
        put(&to, "dst/extra", "x", 1).await;
        let fresh = Failing::nth(1, point.clone(), network);
        let to: Store = Arc::new(fresh.over(to));
        let summary = run(Command::Sync, &from, &to, Options::default()).await;
        let summary = summary.unwrap_or_else(|error| panic!("{point:?}: {error}"));
        assert!(fresh.seen() > 1, "{point:?} was met and tried again");
        assert_eq!((summary.created, summary.deleted), (FILLED, 1), "{point:?}");
        assert_eq!(contents(&to, "dst").await, contents(&from, "src").await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_read_is_tried_again_and_leaves_nothing_half_written() {
    let point = Point::on(Operation::Read).path(|path| path == "src/big");
    let from: Store =
        Arc::new(BrokenReads::failing(1 << 20, point, network).over(MemoryBackend::new()));
    let to = memory();
    fill(&from, "src/").await;
    let all = events(Command::Copy, &from, &to, Options::default().tries(3)).await;
    let retries = all
        .iter()
        .filter(|event| matches!(event, Event::Retried { .. }))
        .count();
    let failed = all
        .iter()
        .filter(|event| matches!(event, Event::Failed(_)))
        .count();
    assert_eq!((retries, failed), (2, 1));
    assert!(!keys(&to, "dst").await.contains(&"big".to_owned()));
}

#[tokio::test]
async fn a_lasting_failure_is_not_tried_again() {
    let denied = || Error::new(ErrorKind::PermissionDenied, "injected");
    let faulty = Failing::always(Point::on(Operation::Write), denied);
    let to: Store = Arc::new(faulty.over(MemoryBackend::new()));
    let from = memory();
    put(&from, "src/a", "x", 1).await;
    let summary = run_failing(Command::Copy, &from, &to, Options::default()).await;
    assert_eq!(faulty.seen(), 1);
    assert_eq!(summary.errors, 1);
    let error = SyncError::Incomplete(Box::new(summary));
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("dst/a"), "{error}");
}

#[tokio::test]
async fn failures_are_collected_with_path_operation_and_kind_and_the_rest_goes_on() {
    let point = Point::on(Operation::Write).path(|path| path.contains("/b/"));
    let denied = || Error::new(ErrorKind::PermissionDenied, "injected");
    let to: Store = Arc::new(Failing::always(point, denied).over(MemoryBackend::new()));
    let from = memory();
    fill(&from, "src/").await;
    let summary = run_failing(Command::Copy, &from, &to, Options::default()).await;
    assert_eq!((summary.created, summary.errors), (FILLED - 3, 3));
    let mut failed: Vec<_> = summary
        .failures
        .iter()
        .map(|f| f.path.as_ref().unwrap())
        .collect();
    failed.sort();
    assert_eq!(
        failed.iter().map(|path| path.as_str()).collect::<Vec<_>>(),
        ["b/1", "b/2", "b/c/deep/er"]
    );
    for failure in &summary.failures {
        assert_eq!(failure.operation, Operation::Write);
        assert_eq!(failure.error.kind(), ErrorKind::PermissionDenied);
    }
}

#[tokio::test]
async fn kept_failures_are_bounded_and_all_are_counted() {
    let denied = || Error::new(ErrorKind::PermissionDenied, "injected");
    let faulty = Failing::always(Point::on(Operation::Write), denied);
    let to: Store = Arc::new(faulty.over(MemoryBackend::new()));
    let from = memory();
    for n in 0..150 {
        put(&from, &format!("src/{n}"), "x", 1).await;
    }
    let summary = run_failing(Command::Copy, &from, &to, Options::default()).await;
    assert_eq!((summary.errors, failures(&summary).len()), (150, 100));
}

#[tokio::test]
async fn a_listing_out_of_order_is_refused() {
    let from: Store = Arc::new(crate::bounds::Listed::backwards());
    let to = memory();
    put(&to, "dst/k5", "x", 1).await;
    let job = Job::new(
        Command::Sync,
        tree(&from, ""),
        tree(&to, "dst"),
        Options::default(),
    );
    let Err(SyncError::Incomplete(summary)) = job.unwrap().run().summary().await else {
        panic!("it was taken for a listing");
    };
    assert!(matches!(
        *summary.failures[0].error,
        SyncError::BadListing { .. }
    ));
    assert!(to.has("dst/k5").await.unwrap());
}

#[tokio::test]
async fn options_out_of_bounds_or_place_are_refused() {
    let (from, to) = (memory(), memory());
    let refused = |command, options| {
        let job = Job::new(command, tree(&from, ""), tree(&to, ""), options);
        assert!(matches!(job, Err(SyncError::Option { .. })), "{job:?}");
    };
    let default = Options::default;
    refused(Command::Copy, default().transfers(0));
    refused(Command::Copy, default().checkers(5000));
    refused(Command::Copy, default().tries(0));
    refused(Command::Copy, default().page_size(0));
    refused(Command::Copy, default().max_delete(1));
    refused(Command::Sync, default().delete_empty_source_dirs(true));
    refused(Command::Sync, default().download(true));
    refused(Command::Check, default().update(true));
    let job = Job::new(Command::Check, tree(&from, ""), tree(&to, ""), default()).unwrap();
    assert!(job.plan().is_err());
}

#[tokio::test(start_paused = true)]
async fn what_may_have_happened_is_tried_again_only_where_that_does_no_harm() {
    // The reply to a write is lost: writing the same again is safe.
    let lost = Failing::nth(1, Point::on(Operation::Write), network).after_effect();
    let to: Store = Arc::new(lost.over(MemoryBackend::new()));
    let from = memory();
    put(&from, "src/a", "x", 1).await;
    let summary = run(Command::Copy, &from, &to, Options::default()).await;
    assert_eq!(summary.unwrap().created, 1);
    assert_eq!(lost.seen(), 2);
    // That to a rename is lost: a second one would find nothing, or something else.
    let lost = Failing::nth(1, Point::on(Operation::Rename), network).after_effect();
    let store: Store = Arc::new(lost.over(MemoryBackend::new()));
    put(&store, "src/a", "x", 1).await;
    let summary = run_failing(Command::Move, &store, &store, Options::default()).await;
    assert_eq!((lost.seen(), summary.errors), (1, 1));
    assert_eq!(store.get("dst/a").await.unwrap(), "x");
}

#[tokio::test(start_paused = true)]
async fn requests_and_objects_have_tries_and_pauses_of_their_own() {
    for (operation, expected) in [(Operation::List, 7), (Operation::Write, 4)] {
        let faulty = Failing::always(Point::on(operation), network);
        let to: Store = Arc::new(faulty.over(MemoryBackend::new()));
        let from = memory();
        put(&from, "src/a", "x", 1).await;
        let pause = std::time::Duration::from_secs(1000);
        let options = Options::default()
            .request_tries(7)
            .tries(4)
            .retry_pause(pause);
        let start = tokio::time::Instant::now();
        run_failing(Command::Copy, &from, &to, options).await;
        assert_eq!(faulty.seen(), expected, "{operation}");
        let paused = start.elapsed() >= 3 * pause;
        assert_eq!(paused, operation == Operation::Write);
    }
}
