use storage_core::{BackendExt, Error, ErrorKind, Operation};
use storage_faults::{Failing, Intercept, Point};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Options, SyncError};

use crate::trees::{
    Store, contents, events, extended, failures, fill, flat, keys, memory, objects, planned, put,
    run, run_failing,
};

fn failing(operation: Operation, path: &'static str) -> Failing {
    let point = Point::on(operation).path(move |at| at.ends_with(path));
    Failing::always(point, || {
        Error::new(ErrorKind::PermissionDenied, "injected")
    })
}

#[tokio::test]
async fn sync_deletes_what_the_source_does_not_have() {
    for to in [memory(), flat()] {
        let from = memory();
        fill(&from, "src/").await;
        fill(&to, "dst/").await;
        put(&to, "dst/b/extra", "x", 1).await;
        put(&to, "dst/zzz/deep/extra", "x", 1).await;
        put(&to, "beside", "x", 1).await;
        let summary = run(Command::Sync, &from, &to, Options::default())
            .await
            .unwrap();
        assert_eq!(summary.deleted, 2);
        assert_eq!(objects(&from, "src").await, objects(&to, "dst").await);
        assert!(to.has("beside").await.unwrap());
    }
}

#[tokio::test]
async fn copy_deletes_nothing() {
    let (from, to) = (memory(), memory());
    fill(&from, "src/").await;
    put(&to, "dst/extra", "x", 1).await;
    let summary = run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(summary.deleted, 0);
    assert!(to.has("dst/extra").await.unwrap());
}

#[tokio::test]
async fn sync_removes_directories_that_are_emptied_or_were_empty() {
    let (from, to) = (memory(), memory());
    put(&from, "src/kept/a", "x", 1).await;
    extended(&from)
        .mkdir(&"src/empty".parse().unwrap())
        .await
        .unwrap();
    put(&to, "dst/gone/deep/b", "x", 1).await;
    extended(&to)
        .mkdir(&"dst/empty".parse().unwrap())
        .await
        .unwrap();
    extended(&to)
        .mkdir(&"dst/hollow/inner".parse().unwrap())
        .await
        .unwrap();
    let summary = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!((summary.deleted, summary.directories_removed), (1, 4));
    assert_eq!(keys(&to, "dst").await, ["empty/", "kept/", "kept/a"]);
}

#[tokio::test]
async fn a_flat_source_implies_the_directories_of_its_objects() {
    let (from, to) = (flat(), memory());
    put(&from, "src/d/e/a", "x", 1).await;
    put(&to, "dst/d/e/a", "x", 1).await;
    extended(&to)
        .mkdir(&"dst/d/f".parse().unwrap())
        .await
        .unwrap();
    let all = events(Command::Sync, &from, &to, Options::default()).await;
    let actions: Vec<_> = planned(&all).iter().map(ToString::to_string).collect();
    assert_eq!(actions, ["rmdir d/f"]);
}

#[tokio::test]
async fn no_deletion_after_a_listing_error_whatever_is_ignored() {
    for (n, ignore) in [(1, false), (1, true), (2, false), (2, true)] {
        // The listing of the source, then that of the destination, breaks off at its second page.
        let point = || Point::on(Operation::List).path(|path| path == "src/" || path == "dst/");
        let broken = || Error::new(ErrorKind::PermissionDenied, "injected");
        let faulty = Failing::nth(2, point(), broken);
        let (mut from, mut to) = (memory(), memory());
        for n in 0..20 {
            put(&from, &format!("src/{n:02}"), "x", 1).await;
            put(&to, &format!("dst/{n:02}.extra"), "x", 1).await;
        }
        if n == 1 {
            from = std::sync::Arc::new(faulty.over(from));
        } else {
            to = std::sync::Arc::new(faulty.over(to));
        }
        let options = Options::default().page_size(5usize).ignore_errors(ignore);
        let summary = run_failing(Command::Sync, &from, &to, options).await;
        assert_eq!(
            (summary.deleted, summary.errors),
            (0, 1),
            "{:?}",
            failures(&summary)
        );
        let left = keys(&to, "dst").await;
        assert_eq!(
            left.iter().filter(|key| key.ends_with(".extra")).count(),
            20
        );
    }
}

#[tokio::test]
async fn no_deletion_after_a_failed_transfer_unless_errors_are_ignored() {
    for ignore in [false, true] {
        let from = memory();
        let to: Store =
            std::sync::Arc::new(failing(Operation::Write, "b/2").over(MemoryBackend::new()));
        fill(&from, "src/").await;
        put(&to, "dst/extra", "x", 1).await;
        let options = Options::default().ignore_errors(ignore);
        let summary = run_failing(Command::Sync, &from, &to, options).await;
        assert_eq!(summary.errors, 1);
        assert_eq!(summary.deleted, u64::from(ignore));
        assert_eq!(summary.deletions_withheld, u64::from(!ignore));
        assert_eq!(to.has("dst/extra").await.unwrap(), !ignore);
    }
}

#[tokio::test]
async fn no_deletion_after_a_failed_comparison() {
    let from: Store =
        std::sync::Arc::new(failing(Operation::Read, "src/a").over(MemoryBackend::new()));
    let to = memory();
    put(&from, "src/a", "new", 2).await;
    put(&to, "dst/a", "old", 1).await;
    put(&to, "dst/extra", "x", 1).await;
    let summary = run_failing(Command::Sync, &from, &to, Options::default()).await;
    assert_eq!((summary.errors, summary.deletions_withheld), (1, 1));
    assert!(to.has("dst/extra").await.unwrap());
}

#[tokio::test]
async fn an_empty_source_deletes_only_when_allowed() {
    let (from, to) = (memory(), memory());
    extended(&from)
        .mkdir(&"src/only/directories".parse().unwrap())
        .await
        .unwrap();
    put(&to, "dst/a", "x", 1).await;
    let summary = run_failing(Command::Sync, &from, &to, Options::default()).await;
    assert!(matches!(
        *summary.failures[0].error,
        SyncError::SourceEmpty(1)
    ));
    assert!(to.has("dst/a").await.unwrap());
    let options = Options::default().allow_empty_source(true);
    let summary = run(Command::Sync, &from, &to, options).await.unwrap();
    assert_eq!(summary.deleted, 1);
}

#[tokio::test]
async fn a_missing_source_is_an_error_and_a_missing_destination_is_empty() {
    let (from, to) = (memory(), memory());
    put(&to, "dst/a", "x", 1).await;
    for command in [Command::Sync, Command::Copy, Command::Move, Command::Check] {
        let summary = run_failing(command, &from, &to, Options::default()).await;
        let error = &summary.failures[0].error;
        assert!(
            matches!(**error, SyncError::SourceMissing(_)),
            "{command}: {error}"
        );
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert!(to.has("dst/a").await.unwrap());
}

#[tokio::test]
async fn max_delete_stops_before_the_first_deletion() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "x", 1).await;
    for n in 0..5 {
        put(&to, &format!("dst/extra/{n}"), "x", 1).await;
    }
    let summary = run_failing(Command::Sync, &from, &to, Options::default().max_delete(4)).await;
    let error = &summary.failures[0].error;
    assert!(matches!(
        **error,
        SyncError::TooManyDeletions {
            planned: 5,
            allowed: 4
        }
    ));
    assert_eq!((summary.created, summary.deleted), (1, 0));
    assert_eq!(keys(&to, "dst/extra").await.len(), 5);
    let summary = run(Command::Sync, &from, &to, Options::default().max_delete(5))
        .await
        .unwrap();
    assert_eq!(summary.deleted, 5);
}

#[tokio::test]
async fn a_dry_run_plans_what_a_run_does_and_changes_nothing() {
    for command in [Command::Sync, Command::Copy, Command::Move] {
        let (from, to) = (memory(), memory());
        fill(&from, "src/").await;
        fill(&to, "dst/").await;
        put(&from, "src/a", "longer than before", 1).await;
        put(&from, "src/b/new", "x", 1).await;
        put(&from, "src/b0", "content of b0", 77).await;
        put(&to, "dst/c/extra", "x", 1).await;
        let before = (contents(&from, "src").await, contents(&to, "dst").await);
        let options = Options::default();
        let mut plan = crate::trees::job(command, &from, &to, options.clone())
            .plan()
            .unwrap();
        let mut actions = Vec::new();
        while let Some(action) = plan.next().await {
            actions.push(action.unwrap());
        }
        let dry = events(command, &from, &to, options.clone().dry_run(true)).await;
        assert_eq!(
            before,
            (contents(&from, "src").await, contents(&to, "dst").await)
        );
        let wet = events(command, &from, &to, options).await;
        assert_eq!(planned(&dry), planned(&wet), "{command}");
        assert_eq!(actions, planned(&wet));
        assert!(actions.len() >= 3);
        let counts = |events: &[storage_sync::Event]| match events.last() {
            Some(storage_sync::Event::Summary(s)) => (
                s.created,
                s.updated,
                s.deleted,
                s.skipped,
                s.bytes,
                s.removed_from_source,
            ),
            other => panic!("the last event is {other:?}"),
        };
        assert_eq!(counts(&dry), counts(&wet), "{command}");
    }
}

#[tokio::test]
async fn a_dry_run_refuses_what_a_run_refuses() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "x", 1).await;
    put(&to, "dst/b", "x", 1).await;
    let options = Options::default().max_delete(0).dry_run(true);
    let summary = run_failing(Command::Sync, &from, &to, options).await;
    assert!(matches!(
        *summary.failures[0].error,
        SyncError::TooManyDeletions { .. }
    ));
}

#[tokio::test]
async fn a_file_takes_the_place_of_a_directory_and_the_reverse() {
    let (from, to) = (memory(), memory());
    put(&from, "src/becomes-file", "file", 1).await;
    put(&from, "src/becomes-dir/x/y", "deep", 1).await;
    put(&to, "dst/becomes-file/x/y", "deep", 1).await;
    put(&to, "dst/becomes-dir", "file", 1).await;
    let summary = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(
        (summary.created, summary.deleted, summary.errors),
        (2, 2, 0)
    );
    assert_eq!(contents(&from, "src").await, contents(&to, "dst").await);
}

#[tokio::test]
async fn a_change_of_type_needs_the_deletion_to_be_allowed() {
    let (from, to) = (memory(), memory());
    put(&from, "src/a", "file", 1).await;
    put(&to, "dst/a/b", "deep", 1).await;
    let summary = run_failing(Command::Copy, &from, &to, Options::default()).await;
    assert_eq!(summary.failures[0].error.kind(), ErrorKind::IsDirectory);
    let summary = run_failing(Command::Sync, &from, &to, Options::default().max_delete(0)).await;
    assert_eq!(summary.errors, 2, "{:?}", failures(&summary));
    assert_eq!(keys(&to, "dst").await, ["a/", "a/b"]);
}
