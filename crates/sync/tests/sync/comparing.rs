use std::sync::Arc;
use std::time::Duration;

use storage_core::{BackendExt, Error, Operation};
use storage_faults::{Failing, Intercept, Point, Recording};
use storage_sync::{
    Action, Command, Comparison, Difference, Job, Options, SkipReason, Summary, SyncError,
};

use crate::trees::{
    FILLED, Store, at, events, extended, failures, fill, flat, masked, memory, objects, planned,
    put, run, run_failing, times, tree,
};

/// One object on both sides, and the run over it.
async fn pair(
    source: (&'static str, u64),
    destination: (&'static str, u64),
    options: Options,
) -> (Summary, Store) {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", source.0, source.1).await;
    put(&to, "dst/a", destination.0, destination.1).await;
    (run(Command::Sync, &from, &to, options).await.unwrap(), to)
}

#[tokio::test]
async fn same_size_other_content_and_time_is_updated() {
    let (summary, to) = pair(("new", 2), ("old", 1), Options::default()).await;
    assert_eq!((summary.updated, summary.bytes), (1, 3));
    assert_eq!(to.get("dst/a").await.unwrap(), "new");
}

#[tokio::test]
async fn same_content_with_another_time_updates_the_time_alone() {
    let (summary, to) = pair(("same", 2), ("same", 1), Options::default()).await;
    assert_eq!((summary.updated, summary.bytes), (1, 0));
    assert_eq!(times(&to, "dst").await["a"], Some(at(2)));
}

#[tokio::test]
async fn same_content_with_another_time_is_written_again_once_where_times_are_metadata() {
    let (from, to) = (memory(), masked(&["set_modified"]));
    put(&from, "src/a", "same", 1).await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    extended(&from)
        .set_modified(&"src/a".parse().unwrap(), at(2))
        .await
        .unwrap();
    let events = events(Command::Sync, &from, &to, Options::default()).await;
    let expected = Action::Update {
        path: "a".parse().unwrap(),
        size: Some(4),
        difference: Difference::Modified,
    };
    assert_eq!(planned(&events), [expected]);
    let third = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!((third.updated, third.skipped), (0, 1));
}

#[tokio::test]
async fn other_content_of_the_same_size_is_seen_where_times_are_lost() {
    let (from, to) = (memory(), masked(&["set_modified", "custom_metadata"]));
    put(&from, "src/a", "old", 1).await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    put(&from, "src/a", "new", 1).await;
    let second = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(second.updated, 1);
    assert_eq!(to.get("dst/a").await.unwrap(), "new");
}

#[tokio::test]
async fn times_within_the_window_are_the_same() {
    let window = |seconds| Options::default().modify_window(Duration::from_secs(seconds));
    let (summary, _) = pair(("new", 2), ("old", 1), window(2)).await;
    assert_eq!(summary.skipped, 1);
    let (summary, _) = pair(("new", 2), ("old", 1), window(1)).await;
    assert_eq!(
        summary.updated, 1,
        "a difference of the window itself is one"
    );
}

#[tokio::test]
async fn size_only_ignores_times_and_content() {
    let options = Options::default().comparison(Comparison::SizeOnly);
    let (summary, _) = pair(("new", 2), ("old", 1), options.clone()).await;
    assert_eq!(summary.skipped, 1);
    let (summary, _) = pair(("newer", 1), ("old", 1), options).await;
    assert_eq!(summary.updated, 1);
}

#[tokio::test]
async fn checksum_sees_what_size_and_time_hide() {
    let options = Options::default().comparison(Comparison::Checksum);
    let (summary, _) = pair(("new", 1), ("old", 1), options.clone()).await;
    assert_eq!(summary.updated, 1);
    let (summary, to) = pair(("same", 2), ("same", 1), options).await;
    assert_eq!(summary.skipped, 1);
    assert_eq!(times(&to, "dst").await["a"], Some(at(1)));
    let (summary, _) = pair(("new", 1), ("old", 1), Options::default()).await;
    assert_eq!(summary.skipped, 1, "the default does not look");
}

#[tokio::test]
async fn ignore_times_sends_everything() {
    let options = Options::default().comparison(Comparison::IgnoreTimes);
    let (summary, _) = pair(("same", 1), ("same", 1), options).await;
    assert_eq!((summary.updated, summary.bytes), (1, 4));
}

#[tokio::test]
async fn update_leaves_newer_ones_alone() {
    let options = Options::default().update(true);
    let (summary, to) = pair(("source", 1), ("destination", 2), options.clone()).await;
    assert_eq!(summary.skipped, 1);
    assert_eq!(to.get("dst/a").await.unwrap(), "destination");
    let (summary, _) = pair(("source", 2), ("destination", 1), options).await;
    assert_eq!(summary.updated, 1);
}

#[tokio::test]
async fn ignore_existing_and_existing_choose_by_presence() {
    let (from, to) = (memory(), memory());
    put(&from, "src/both", "new", 2).await;
    put(&from, "src/one", "x", 2).await;
    put(&to, "dst/both", "old", 1).await;
    let options = Options::default().dry_run(true);
    let all = events(
        Command::Copy,
        &from,
        &to,
        options.clone().ignore_existing(true),
    )
    .await;
    let actions: Vec<_> = planned(&all).iter().map(ToString::to_string).collect();
    assert_eq!(
        actions,
        ["skip both (exists at the destination)", "create one"]
    );
    let all = events(Command::Copy, &from, &to, options.existing(true)).await;
    let skip = Action::Skip {
        path: "one".parse().unwrap(),
        reason: SkipReason::Missing,
    };
    assert_eq!(planned(&all)[1], skip);
    assert_eq!(planned(&all)[0].verb(), "update");
}

#[tokio::test]
async fn immutable_makes_a_difference_an_error() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "new", 2).await;
    put(&from, "src/b", "x", 2).await;
    put(&to, "dst/a", "old", 1).await;
    let summary = run_failing(
        Command::Copy,
        &from,
        &to,
        Options::default().immutable(true),
    )
    .await;
    assert_eq!(
        (summary.created, summary.errors),
        (1, 1),
        "{:?}",
        failures(&summary)
    );
    assert_eq!(to.get("dst/a").await.unwrap(), "old");
}

#[tokio::test]
async fn unchanged_objects_are_reported_on_request() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "x", 1).await;
    put(&to, "dst/a", "x", 1).await;
    let quiet = events(Command::Sync, &from, &to, Options::default()).await;
    assert_eq!(planned(&quiet), []);
    let options = Options::default().report_unchanged(true);
    let spoken = events(Command::Sync, &from, &to, options).await;
    let reason = SkipReason::Unchanged;
    assert_eq!(
        planned(&spoken),
        [Action::Skip {
            path: "a".parse().unwrap(),
            reason
        }]
    );
}

#[tokio::test]
async fn ignore_size_leaves_times_and_content_to_decide() {
    let (from, to) = (memory(), memory());
    put(&from, "src/same-time", "long", 1).await;
    put(&to, "dst/same-time", "x", 1).await;
    put(&from, "src/other-time", "long", 2).await;
    put(&to, "dst/other-time", "x", 1).await;
    let options = Options::default().ignore_size(true);
    let summary = run(Command::Copy, &from, &to, options).await.unwrap();
    assert_eq!((summary.updated, summary.skipped), (1, 1));
    assert_eq!(objects(&to, "dst").await["same-time"], "x");
    let refused = Options::default()
        .ignore_size(true)
        .comparison(Comparison::SizeOnly);
    let refused = Job::new(Command::Copy, tree(&from, "src"), tree(&to, "dst"), refused);
    assert!(matches!(
        refused,
        Err(SyncError::Option {
            option: "ignore_size",
            ..
        })
    ));
}

#[tokio::test]
async fn no_update_modtime_leaves_the_time_of_equal_content_alone() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "x", 5).await;
    put(&to, "dst/a", "x", 1).await;
    let options = Options::default().no_update_modtime(true);
    let summary = run(Command::Sync, &from, &to, options).await.unwrap();
    assert_eq!((summary.updated, summary.skipped), (0, 1));
    assert_eq!(times(&to, "dst").await["a"], Some(at(1)));
    let summary = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(summary.updated, 1);
    assert_eq!(times(&to, "dst").await["a"], Some(at(5)));
}

#[tokio::test]
async fn the_summary_tells_how_many_comparisons_had_to_read() {
    let (from, to) = (memory(), memory());
    fill(&from, "src/").await;
    run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    let again = run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(again.read_to_compare, 0);
    let options = Options::default().comparison(Comparison::Checksum);
    let checked = run(Command::Copy, &from, &to, options).await.unwrap();
    assert_eq!((checked.read_to_compare, checked.skipped), (FILLED, FILLED));
}

#[tokio::test]
async fn compare_dest_sends_nothing_that_another_tree_has_alike() {
    for other in [memory(), flat()] {
        let (from, to) = (memory(), memory());
        for (path, content, time) in [("same", "x", 1), ("new", "y", 2), ("d/other", "z", 3)] {
            put(&from, &format!("src/{path}"), content, time).await;
        }
        put(&other, "old/same", "x", 1).await;
        put(&other, "old/d/other", "Z", 4).await;
        put(&to, "dst/same", "differs", 9).await;
        put(&to, "dst/extra", "gone", 9).await;
        let options =
            Options::default().compare_dest(vec![tree(&other, "nothing"), tree(&other, "old")]);
        let dry = planned(&events(Command::Sync, &from, &to, options.clone().dry_run(true)).await);
        let wet = planned(&events(Command::Sync, &from, &to, options.clone()).await);
        assert_eq!(dry, wet);
        let found = objects(&to, "dst").await;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["d/other", "new", "same"]);
        assert_eq!(found["same"], "differs");
        let again = run(Command::Sync, &from, &to, options).await.unwrap();
        assert_eq!((again.created, again.updated, again.skipped), (0, 0, 3));
    }
    let (from, to) = (memory(), memory());
    for (path, content) in [("found", "x"), ("not", "y")] {
        put(&from, &format!("src/{path}"), content, 1).await;
        put(&to, &format!("dst/{path}"), "other", 1).await;
    }
    put(&to, "old/found", "x", 1).await;
    let options = Options::default().immutable(true);
    let options = options.compare_dest(vec![tree(&to, "old")]);
    let summary = run_failing(Command::Copy, &from, &to, options).await;
    assert_eq!(
        failures(&summary),
        ["not: \"not\" differs and is immutable"]
    );
    let options = Options::default().compare_dest(vec![tree(&to, "old")]);
    let refused = Job::new(Command::Move, tree(&from, "src"), tree(&to, "dst"), options);
    assert!(matches!(
        refused,
        Err(SyncError::Option {
            option: "compare_dest",
            ..
        })
    ));
}

#[tokio::test]
async fn copy_dest_copies_what_another_tree_has_alike() {
    for within in [true, false] {
        let (from, to) = (memory(), memory());
        let other = if within { Arc::clone(&to) } else { memory() };
        for (path, content, time) in [("same", "x", 1), ("new", "y", 2), ("d/touched", "z", 3)] {
            put(&from, &format!("src/{path}"), content, time).await;
        }
        put(&other, "old/same", "x", 1).await;
        put(&other, "old/d/touched", "z", 4).await;
        put(&to, "dst/same", "differs", 9).await;
        let options = Options::default().copy_dest(vec![tree(&other, "old")]);
        // What is copied is not read from the source.
        let log = Recording::new();
        let source: Store = Arc::new(log.clone().over(from));
        let dry =
            planned(&events(Command::Sync, &source, &to, options.clone().dry_run(true)).await);
        let wet = planned(&events(Command::Sync, &source, &to, options.clone()).await);
        assert_eq!(dry, wet);
        let is_read = |path: &str| {
            let reads = log.records().into_iter();
            reads
                .filter(|r| r.operation == Operation::Read)
                .any(|r| r.path == path)
        };
        assert!(is_read("src/new") && !is_read("src/same"), "{within}");
        let found = objects(&to, "dst").await;
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            ["d/touched", "new", "same"]
        );
        assert_eq!(found["same"], "x");
        let again = run(Command::Sync, &source, &to, options).await.unwrap();
        assert_eq!((again.created, again.updated, again.skipped), (0, 0, 3));
    }
}

#[tokio::test]
async fn what_copy_dest_cannot_copy_after_all_is_sent() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "x", 1).await;
    put(&to, "old/a", "x", 1).await;
    let denied = || Error::unsupported("a copy");
    let failing = Failing::always(Point::on(Operation::Copy), denied);
    let failing: Store = Arc::new(failing.over(to));
    let options = Options::default().copy_dest(vec![tree(&failing, "old")]);
    let summary = run(Command::Copy, &from, &failing, options).await.unwrap();
    assert_eq!((summary.created, summary.errors), (1, 0));
    assert_eq!(objects(&failing, "dst").await["a"], "x");
}
