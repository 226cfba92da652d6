//! Rename tracking.

use std::sync::Arc;

use storage_core::{BackendExt, Features, WriteOptions};
use storage_faults::{Intercept, Masked, Recording};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Event, Job, Options, SyncError, TrackRenames};

use crate::trees::{
    Store, at, contents, events, job, memory, objects, planned, put, run, run_failing, times, tree,
};

fn tracking(strategy: TrackRenames) -> Options {
    Options::default().track_renames(strategy)
}

/// What is planned, without what is the same.
async fn plan(from: &Store, to: &Store, options: Options) -> Vec<String> {
    let mut plan = job(Command::Sync, from, to, options).plan().unwrap();
    let mut actions = Vec::new();
    while let Some(action) = plan.next().await {
        actions.push(action.unwrap().to_string());
    }
    actions
}

#[tokio::test]
async fn a_moved_object_is_renamed_and_not_sent_again() {
    let without_rename = Features::NONE.with_rename(true);
    for below in [
        memory(),
        Arc::new(Masked::new(without_rename).over(MemoryBackend::new())) as Store,
    ] {
        let log = Recording::new();
        let from = memory();
        put(&from, "src/new/place", "the very same content", 7).await;
        put(&from, "src/really new", "something of the same", 1).await;
        put(&below, "dst/old place", "the very same content", 1).await;
        put(&below, "dst/really gone", "else of the same size", 1).await;
        let to: Store = Arc::new(log.over(below));
        let options = tracking(TrackRenames::HASH);
        let expected = [
            "relocate new/place (from old place)",
            "create really new",
            "delete really gone",
        ];
        assert_eq!(plan(&from, &to, options.clone()).await, expected);
        let all = events(Command::Sync, &from, &to, options.clone()).await;
        let actions: Vec<_> = planned(&all).iter().map(ToString::to_string).collect();
        assert_eq!(actions, expected);
        let Some(Event::Summary(summary)) = all.last() else {
            panic!("no summary");
        };
        let counts = (summary.renamed, summary.created, summary.deleted);
        assert_eq!((counts, summary.errors), ((1, 1, 1), 0));
        assert_eq!(objects(&to, "dst").await, objects(&from, "src").await);
        assert_eq!(times(&to, "dst").await["new/place"], Some(at(7)));
        let written = log.lines();
        let written = written.iter().filter(|line| line.starts_with("write dst"));
        assert_eq!(written.collect::<Vec<_>>(), ["write dst/really new"]);
        assert!(plan(&from, &to, options).await.is_empty());
    }
}

#[tokio::test]
async fn each_strategy_asks_for_what_it_says() {
    // One new object, and one gone, by content, time, and leaf.
    for (strategy, content, time, leaf) in [
        (TrackRenames::HASH, true, false, false),
        (TrackRenames::MODIFIED, false, true, false),
        (TrackRenames::LEAF, false, false, true),
        (TrackRenames::SIZE, false, false, false),
        (
            TrackRenames::MODIFIED | TrackRenames::LEAF,
            false,
            true,
            true,
        ),
        (TrackRenames::HASH | TrackRenames::LEAF, true, false, true),
    ] {
        for bits in 0..8u8 {
            let (same_content, same_time, same_leaf) =
                (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
            let (from, to) = (memory(), memory());
            let new = if same_leaf {
                "src/a/leaf"
            } else {
                "src/a/other"
            };
            put(&from, new, "content", if same_time { 1 } else { 2 }).await;
            let old = if same_content { "content" } else { "CONTENT" };
            put(&to, "dst/leaf", old, 1).await;
            let actions = plan(&from, &to, tracking(strategy)).await;
            let renamed = actions.iter().any(|action| action.starts_with("relocate"));
            let expected =
                (same_content || !content) && (same_time || !time) && (same_leaf || !leaf);
            assert_eq!(renamed, expected, "{strategy:?} {bits:03b}: {actions:?}");
        }
    }
}

#[tokio::test]
async fn another_size_and_an_empty_object_are_never_renames() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "1", 1).await;
    put(&to, "dst/b", "12", 1).await;
    put(&from, "src/e", "", 1).await;
    put(&to, "dst/f", "", 1).await;
    let actions = plan(&from, &to, tracking(TrackRenames::SIZE)).await;
    assert_eq!(actions, ["create a", "create e", "delete b", "delete f"]);
}

#[tokio::test]
async fn many_objects_of_one_content_are_each_renamed_once() {
    let (from, to) = (memory(), memory());
    for n in 0..300 {
        put(&from, &format!("src/new/{n:03}"), "same", 1).await;
        put(&to, &format!("dst/old/{n:03}"), "same", 1).await;
    }
    put(&to, "dst/old/one more", "same", 1).await;
    let summary = run(Command::Sync, &from, &to, tracking(TrackRenames::HASH)).await;
    let summary = summary.unwrap();
    assert_eq!(
        (summary.renamed, summary.created, summary.deleted),
        (300, 0, 1)
    );
    assert_eq!(objects(&to, "dst").await, objects(&from, "src").await);
}

#[tokio::test]
async fn hashes_that_the_stores_keep_spare_the_reading() {
    use storage_core::HashType;
    let log = Recording::new();
    let (from, to): (Store, Store) = (
        Arc::new(log.over(MemoryBackend::new())),
        Arc::new(log.over(MemoryBackend::new())),
    );
    for (store, path) in [(&from, "src/new"), (&to, "dst/old")] {
        let path = path.parse().unwrap();
        let options = WriteOptions::default().hashes(HashType::Md5);
        store.write(&path, "content".into(), options).await.unwrap();
    }
    let _ = log.take();
    let summary = run(Command::Sync, &from, &to, tracking(TrackRenames::HASH)).await;
    assert_eq!(summary.unwrap().renamed, 1);
    let lines = log.lines();
    assert!(
        !lines.iter().any(|line| line.starts_with("read")),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_rename_is_no_deletion_for_the_guards() {
    let (from, to) = (memory(), memory());
    put(&from, "src/new", "content", 1).await;
    put(&to, "dst/old", "content", 1).await;
    let options = tracking(TrackRenames::HASH).max_delete(0);
    let summary = run(Command::Sync, &from, &to, options.clone())
        .await
        .unwrap();
    assert_eq!(summary.renamed, 1);
    put(&to, "dst/other", "x", 1).await;
    let summary = run_failing(Command::Sync, &from, &to, options).await;
    let error = &*summary.failures[0].error;
    assert!(matches!(
        error,
        SyncError::TooManyDeletions { planned: 1, .. }
    ));
    assert!(to.has("dst/other").await.unwrap());
}

#[tokio::test]
async fn what_is_in_the_way_of_a_rename_goes_first() {
    for (new, old) in [
        (&["a"][..], &["a/b"][..]),
        (&["a/b"], &["a"]),
        (&["a"], &["a/other", "z"]),
        (&["a/b"], &["a.other", "z"]),
    ] {
        let (from, to) = (memory(), memory());
        for path in new {
            put(&from, &format!("src/{path}"), "content", 1).await;
        }
        for path in old {
            let content = if path.contains("other") {
                "x"
            } else {
                "content"
            };
            put(&to, &format!("dst/{path}"), content, 1).await;
        }
        let options = tracking(TrackRenames::HASH);
        let summary = run(Command::Sync, &from, &to, options).await.unwrap();
        assert_eq!(summary.errors, 0);
        assert_eq!(contents(&to, "dst").await, contents(&from, "src").await);
    }
}

#[tokio::test]
async fn renames_need_a_sync_a_store_that_can_and_deletions_at_the_end() {
    let (from, to) = (memory(), memory());
    let neither = Features::NONE.with_rename(true).with_copy(true);
    let poor: Store = Arc::new(Masked::new(neither).over(MemoryBackend::new()));
    let during = storage_sync::DeleteTiming::During;
    let default = tracking(TrackRenames::default());
    for (command, to, options) in [
        (Command::Copy, &to, default.clone()),
        (Command::Sync, &poor, default.clone()),
        (Command::Sync, &to, default.delete_timing(during)),
    ] {
        let job = Job::new(command, tree(&from, ""), tree(to, ""), options);
        assert!(matches!(job, Err(SyncError::Option { .. })), "{command}");
    }
}
