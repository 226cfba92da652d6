use std::sync::Arc;

use storage_core::{BackendExt, Error, ErrorKind, Operation};
use storage_faults::{Failing, Intercept, Masked, Point, Recording};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Job, Options, SyncError};

use crate::trees::{
    FILLED, Store, contents, events, failures, fill, keys, memory, planned, put, run, run_failing,
    tagged, times, tree,
};

#[tokio::test]
async fn move_takes_everything_along() {
    let (from, to) = (memory(), memory());
    fill(&from, "src/").await;
    let (before, stamps) = (contents(&from, "src").await, times(&from, "src").await);
    let summary = run(Command::Move, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(
        (summary.created, summary.removed_from_source),
        (FILLED, FILLED)
    );
    assert_eq!(contents(&to, "dst").await, before);
    assert_eq!(times(&to, "dst").await, stamps);
    let left = contents(&from, "src").await;
    assert!(
        left.values().all(Option::is_none),
        "directories stay: {left:?}"
    );
}

#[tokio::test]
async fn move_removes_empty_source_directories_on_request() {
    let (from, to) = (memory(), memory());
    fill(&from, "src/").await;
    let options = Options::default().delete_empty_source_dirs(true);
    run(Command::Move, &from, &to, options).await.unwrap();
    assert_eq!(keys(&from, "src").await, [""; 0]);
}

#[tokio::test]
async fn move_keeps_the_source_of_what_failed() {
    let point = Point::on(Operation::Write).path(|path| path == "dst/b/2");
    let broken = || Error::new(ErrorKind::QuotaExceeded, "injected");
    let to: Store = Arc::new(Failing::always(point, broken).over(MemoryBackend::new()));
    let from = memory();
    fill(&from, "src/").await;
    let options = Options::default().delete_empty_source_dirs(true);
    let summary = run_failing(Command::Move, &from, &to, options).await;
    assert_eq!(
        (summary.errors, summary.removed_from_source),
        (1, FILLED - 1)
    );
    assert_eq!(keys(&from, "src").await, ["b/", "b/2"]);
}

#[tokio::test]
async fn move_flushes_the_destination_before_a_source_goes() {
    let log = Recording::new();
    let from: Store = Arc::new(log.over(MemoryBackend::new()));
    let to: Store = Arc::new(log.over(MemoryBackend::new()));
    fill(&from, "src/").await;
    let _ = log.take();
    let options = Options::default().fsync(storage_sync::Fsync::None);
    run(Command::Move, &from, &to, options).await.unwrap();
    let lines = log.lines();
    let place = |start: &str| {
        lines
            .iter()
            .position(|line| line.starts_with(start))
            .unwrap()
    };
    let last_write = lines
        .iter()
        .rposition(|line| line.starts_with("write"))
        .unwrap();
    assert!(last_write < place("flush"), "{lines:#?}");
    assert!(place("flush") < place("delete"), "{lines:#?}");
}

#[tokio::test]
async fn move_keeps_the_sources_when_the_flush_fails() {
    let broken = || Error::new(ErrorKind::Io, "injected");
    let point = Point::on(Operation::Flush);
    let to: Store = Arc::new(Failing::always(point, broken).over(MemoryBackend::new()));
    let from = memory();
    fill(&from, "src/").await;
    let before = contents(&from, "src").await;
    let summary = run_failing(Command::Move, &from, &to, Options::default()).await;
    assert_eq!(summary.removed_from_source, 0);
    assert_eq!(contents(&from, "src").await, before);
}

#[tokio::test]
async fn move_looks_at_the_content_before_it_trusts_an_unchanged_object() {
    let (from, to) = (memory(), memory());
    put(&from, "src/same", "same", 1).await;
    put(&to, "dst/same", "same", 1).await;
    put(&from, "src/look-alike", "new", 1).await;
    put(&to, "dst/look-alike", "old", 1).await;
    let summary = run(Command::Move, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!((summary.updated, summary.removed_from_source), (1, 2));
    assert_eq!(to.get("dst/look-alike").await.unwrap(), "new");
}

/// Replaces a source: the flush comes between the transfer and the removal.
#[derive(Debug, Clone)]
struct ReplaceOnFlush(Store);

#[storage_core::async_trait]
impl Intercept for ReplaceOnFlush {
    async fn before(&self, call: &mut storage_faults::Call<'_>) -> storage_core::Result<()> {
        if call.operation() == Operation::Flush {
            put(&self.0, "src/a", "else", 50).await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn move_keeps_a_source_that_changed_after_it_was_read() {
    let from = memory();
    let to: Store = Arc::new(ReplaceOnFlush(Arc::clone(&from)).over(MemoryBackend::new()));
    put(&from, "src/a", "original", 1).await;
    put(&from, "src/b", "other", 1).await;
    let summary = run_failing(Command::Move, &from, &to, Options::default()).await;
    assert!(matches!(
        *summary.failures[0].error,
        SyncError::SourceChanged { .. }
    ));
    assert_eq!(from.get("src/a").await.unwrap(), "else");
    assert!(!from.has("src/b").await.unwrap());
}

#[tokio::test]
async fn move_within_one_backend_renames() {
    let log = Recording::new();
    let store: Store = Arc::new(log.over(MemoryBackend::new()));
    fill(&store, "src/").await;
    let (before, stamps) = (contents(&store, "src").await, times(&store, "src").await);
    let _ = log.take();
    let summary = run(Command::Move, &store, &store, Options::default())
        .await
        .unwrap();
    assert_eq!((summary.renamed, summary.bytes), (FILLED, 0));
    assert!(
        !log.lines()
            .iter()
            .any(|line| line.starts_with("read") || line.starts_with("write"))
    );
    assert_eq!(contents(&store, "dst").await, before);
    assert_eq!(times(&store, "dst").await, stamps);
}

#[tokio::test]
async fn copy_within_one_backend_is_left_to_the_backend() {
    for hidden in [false, true] {
        let log = Recording::new();
        let mask = storage_core::Features::NONE.with_copy(hidden);
        let store: Store = Arc::new(log.over(Masked::new(mask).over(MemoryBackend::new())));
        fill(&store, "src/").await;
        let _ = log.take();
        run(Command::Copy, &store, &store, Options::default())
            .await
            .unwrap();
        let copies = log
            .lines()
            .iter()
            .filter(|line| line.starts_with("copy"))
            .count();
        assert_eq!(copies, if hidden { 0 } else { FILLED as usize });
        assert_eq!(contents(&store, "dst").await, contents(&store, "src").await);
        assert_eq!(times(&store, "dst").await, times(&store, "src").await);
    }
}

#[tokio::test]
async fn overlapping_trees_are_refused() {
    let store = memory();
    let new = |a: &str, b: &str| {
        Job::new(
            Command::Sync,
            tree(&store, a),
            tree(&store, b),
            Options::default(),
        )
    };
    for (a, b) in [
        ("", ""),
        ("a", "a"),
        ("a", ""),
        ("", "a"),
        ("a/b", "a"),
        ("a", "a/b"),
    ] {
        let refused = new(a, b);
        assert!(matches!(refused, Err(SyncError::Overlap(_))), "{a:?} {b:?}");
    }
    assert!(new("a", "ab").is_ok());
    assert!(new("a/b", "a/c").is_ok());
    let other = memory();
    let apart = Job::new(
        Command::Sync,
        tree(&store, ""),
        tree(&other, ""),
        Options::default(),
    );
    assert!(apart.is_ok(), "two stores of one kind are two stores");
}

#[tokio::test]
async fn overlapping_trees_are_apart_where_a_filter_leaves_the_inner_one_out() {
    let new = |store: &Store, a: &str, b: &str, rule: &str, delete_excluded: bool| {
        let filter = storage_sync::Filter::builder()
            .exclude(rule)
            .unwrap()
            .build();
        let options = Options::default()
            .filter(filter.unwrap())
            .delete_excluded(delete_excluded);
        Job::new(Command::Sync, tree(store, a), tree(store, b), options)
    };
    for (source, destination) in [("", "in/ner"), ("in/ner", ""), ("a", "a/in/ner")] {
        let store = memory();
        let base = if source == "a" { "a/" } else { "" };
        put(&store, &format!("{base}in/ner/x"), "inner", 1).await;
        put(&store, &format!("{base}y"), "outer", 1).await;
        for rule in ["/in/**", "/in/ner/**", "ner/**"] {
            assert!(new(&store, source, destination, rule, true).is_err());
            let job = new(&store, source, destination, rule, false).unwrap();
            let mut plan = job.plan().unwrap();
            while let Some(action) = plan.next().await {
                let action = action.unwrap();
                assert!(
                    ["in", "x", "y"].contains(&action.path().as_str()),
                    "{rule}: {action}"
                );
            }
        }
        let other = new(&store, source, destination, "/other/**", false);
        assert!(matches!(other, Err(SyncError::Overlap(_))));
        let same = new(&store, source, source, "/in/**", false);
        assert!(matches!(same, Err(SyncError::Overlap(_))));
    }
}

#[tokio::test]
async fn a_single_object_goes_to_its_name_below_the_destination() {
    for command in [Command::Copy, Command::Sync, Command::Move] {
        let (from, to) = (memory(), memory());
        put(&from, "a/file.txt", "x", 1).await;
        put(&from, "a/other.txt", "x", 1).await;
        put(&to, "dst/kept", "x", 1).await;
        let run = || {
            let (source, destination) = (tree(&from, "a/file.txt"), tree(&to, "dst"));
            Job::new(command, source, destination, Options::default())
                .unwrap()
                .run()
        };
        assert_eq!(run().summary().await.unwrap().created, 1);
        assert_eq!(
            keys(&to, "dst").await,
            ["file.txt", "kept"],
            "nothing is deleted"
        );
        if command == Command::Move {
            assert_eq!(keys(&from, "a").await, ["other.txt"]);
        } else {
            assert_eq!(run().summary().await.unwrap().skipped, 1);
        }
    }
}

#[tokio::test]
async fn empty_directories_are_created_on_request() {
    let (from, to) = (memory(), memory());
    put(&from, "src/full/a", "x", 1).await;
    let mkdir = async |path: &str| {
        crate::trees::extended(&from)
            .mkdir(&path.parse().unwrap())
            .await
            .unwrap();
    };
    mkdir("src/empty").await;
    mkdir("src/nested/empty").await;
    run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(keys(&to, "dst").await, ["full/", "full/a"]);
    let options = Options::default().create_empty_dirs(true);
    let all = events(Command::Copy, &from, &to, options.clone()).await;
    let actions: Vec<_> = planned(&all).iter().map(ToString::to_string).collect();
    assert_eq!(actions, ["mkdir empty", "mkdir nested/empty"]);
    assert_eq!(contents(&to, "dst").await, contents(&from, "src").await);
    let again = events(Command::Copy, &from, &to, options.clone()).await;
    assert_eq!(planned(&again), []);
    let refused = Job::new(
        Command::Copy,
        tree(&from, "src"),
        tree(&crate::trees::flat(), "dst"),
        options,
    );
    assert!(matches!(refused, Err(SyncError::Option { .. })));
}

#[tokio::test]
async fn move_keeps_an_unchanged_source_that_was_replaced_where_listings_show_tags_alone() {
    let (below, to) = (tagged(), memory());
    for path in ["a", "b"] {
        put(&below, &format!("src/{path}"), "same", 1).await;
        put(&to, &format!("dst/{path}"), "same", 1).await;
    }
    let to: Store = Arc::new(ReplaceOnFlush(Arc::clone(&below)).over(to));
    let summary = run_failing(Command::Move, &below, &to, Options::default()).await;
    let [failure] = &failures(&summary)[..] else {
        panic!("{summary:?}");
    };
    assert!(failure.contains("its entity tag"), "{failure}");
    assert_eq!(summary.removed_from_source, 1);
    assert_eq!(below.get("src/a").await.unwrap(), "else");
}
