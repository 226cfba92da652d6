//! When a sync deletes.

use std::sync::Arc;

use storage_core::{BackendExt, Error, ErrorKind, Operation};
use storage_faults::{Failing, Intercept, Point, Recording};
use storage_memory::MemoryBackend;
use storage_sync::{Command, DeleteTiming, Options, SyncError};

use crate::trees::{
    Store, contents, events, failures, keys, memory, objects, planned, put, run, run_failing,
};

fn deleting(timing: DeleteTiming) -> Options {
    Options::default().delete_timing(timing).transfers(1)
}

const ALL: [DeleteTiming; 3] = [
    DeleteTiming::Before,
    DeleteTiming::During,
    DeleteTiming::After,
];

/// `a` to `j` at the source, of which the destination has none; eight others there.
async fn fill(from: &Store, to: &Store) {
    for name in 'a'..='j' {
        put(from, &format!("src/{name}"), "x", 1).await;
    }
    for n in 0..8 {
        put(to, &format!("dst/b{n}/extra"), "xyz", 1).await;
    }
}

fn denied() -> Error {
    Error::new(ErrorKind::PermissionDenied, "injected")
}

#[tokio::test]
async fn every_timing_ends_with_equal_trees_and_plans_what_it_does() {
    for timing in ALL {
        let (from, to) = (memory(), memory());
        fill(&from, &to).await;
        // A file takes the place of a directory, and the reverse.
        put(&from, "src/turn", "file", 1).await;
        put(&to, "dst/turn/deep", "x", 1).await;
        put(&from, "src/other/deep", "x", 1).await;
        put(&to, "dst/other", "file", 1).await;
        let mut plan = crate::trees::job(Command::Sync, &from, &to, deleting(timing))
            .plan()
            .unwrap();
        let mut actions = Vec::new();
        while let Some(action) = plan.next().await {
            actions.push(action.unwrap());
        }
        let all = events(Command::Sync, &from, &to, deleting(timing)).await;
        assert_eq!(planned(&all), actions, "{timing:?}");
        assert_eq!(contents(&from, "src").await, contents(&to, "dst").await);
    }
}

/// Lines of the log that write or delete, as `w` and `d`.
fn course(log: &Recording) -> String {
    let lines = log.lines();
    let letter = |line: &String| match line {
        line if line.starts_with("write") => Some('w'),
        line if line.starts_with("delete") => Some('d'),
        _ => None,
    };
    lines.iter().filter_map(letter).collect()
}

#[tokio::test]
async fn before_deletes_first_and_after_deletes_last() {
    for timing in ALL {
        let log = Recording::new();
        let (from, below) = (memory(), memory());
        fill(&from, &below).await;
        let to: Store = Arc::new(log.over(below));
        let summary = run(Command::Sync, &from, &to, deleting(timing))
            .await
            .unwrap();
        assert_eq!((summary.created, summary.deleted), (10, 8));
        let course = course(&log);
        match timing {
            DeleteTiming::Before => assert!(course.starts_with("dddddddd"), "{course}"),
            DeleteTiming::During => assert!(course.starts_with("wwdddddddd"), "{course}"),
            _ => assert!(course.ends_with("dddddddd"), "{course}"),
        }
    }
}

#[tokio::test]
async fn no_timing_deletes_after_the_source_listing_has_failed() {
    for timing in ALL {
        let (below, to) = (memory(), memory());
        put(&below, "src/a", "x", 1).await;
        put(&below, "src/z", "x", 1).await;
        put(&to, "dst/a", "x", 1).await;
        put(&to, "dst/c", "x", 1).await;
        put(&to, "dst/z.later", "x", 1).await;
        let point = Point::on(Operation::List).path(|path| path == "src/");
        // The second page of every pass.
        let from: Store = Arc::new(Failing::every(2, point, denied).over(below));
        let options = deleting(timing).page_size(1).ignore_errors(true);
        let summary = run_failing(Command::Sync, &from, &to, options).await;
        assert_eq!(summary.deleted, 0, "{timing:?}: {:?}", failures(&summary));
        assert_eq!(keys(&to, "dst").await, ["a", "c", "z.later"], "{timing:?}");
    }
}

#[tokio::test]
async fn during_stops_deleting_at_the_first_failure() {
    let from = memory();
    let point = Point::on(Operation::Write).path(|path| path == "dst/a");
    let to: Store = Arc::new(Failing::always(point, denied).over(MemoryBackend::new()));
    put(&from, "src/a", "x", 1).await;
    for n in 0..5000 {
        put(&to, &format!("dst/b/{n:04}"), "x", 1).await;
    }
    let options = deleting(DeleteTiming::During);
    let summary = run_failing(Command::Sync, &from, &to, options).await;
    assert_eq!(summary.errors, 1);
    assert!(summary.deletions_withheld > 0, "{summary:?}");
    let left = objects(&to, "dst").await.len() as u64;
    assert_eq!(left, 5000 - summary.deleted);
}

#[tokio::test]
async fn guards_hold_before_the_first_deletion_whatever_the_timing() {
    let guards: [(&str, Options); 3] = [
        ("count", Options::default().max_delete(7)),
        ("share", Options::default().max_delete_share(99)),
        ("size", Options::default().max_delete_size(23)),
    ];
    for timing in ALL {
        for (name, options) in &guards {
            let (from, to) = (memory(), memory());
            fill(&from, &to).await;
            let options = options.clone().delete_timing(timing);
            let summary = run_failing(Command::Sync, &from, &to, options).await;
            assert_eq!(summary.deleted, 0, "{timing:?} {name}");
            assert_eq!(objects(&to, "dst").await.len() as u64, 8 + summary.created);
            let error = &*summary.failures[0].error;
            let matches = match *name {
                "size" => matches!(
                    error,
                    SyncError::TooMuchDeleted {
                        planned: 24,
                        allowed: 23
                    }
                ),
                _ => matches!(
                    error,
                    SyncError::TooManyDeletions {
                        planned: 8,
                        allowed: 7
                    }
                ),
            };
            assert!(matches, "{timing:?} {name}: {error}");
        }
    }
}

#[tokio::test]
async fn guards_let_through_what_is_exactly_allowed() {
    let guards = [
        Options::default().max_delete(8),
        Options::default().max_delete_share(100),
        Options::default().max_delete_size(24),
    ];
    for timing in ALL {
        for options in &guards {
            let (from, to) = (memory(), memory());
            fill(&from, &to).await;
            let options = options.clone().delete_timing(timing);
            let summary = run(Command::Sync, &from, &to, options).await.unwrap();
            assert_eq!((summary.created, summary.deleted), (10, 8), "{timing:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_source_deletes_nothing_whatever_the_timing() {
    for timing in ALL {
        let (from, to) = (memory(), memory());
        crate::trees::extended(&from)
            .mkdir(&"src/only".parse().unwrap())
            .await
            .unwrap();
        put(&to, "dst/a", "x", 1).await;
        let summary = run_failing(Command::Sync, &from, &to, deleting(timing)).await;
        assert!(matches!(
            *summary.failures[0].error,
            SyncError::SourceEmpty(1)
        ));
        assert!(to.has("dst/a").await.unwrap(), "{timing:?}");
    }
}
