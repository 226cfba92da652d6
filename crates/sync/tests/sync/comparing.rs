use std::time::Duration;

use storage_core::BackendExt;
use storage_sync::{Action, Command, Comparison, Difference, Options, SkipReason, Summary};

use crate::trees::{
    Store, at, events, extended, failures, masked, memory, planned, put, run, run_failing, times,
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
