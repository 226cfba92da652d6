//! Symbolic links and FIFOs.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use storage_core::BackendExt;
use storage_file::FileBackend;
use storage_sync::{Action, Command, Filter, Options, SkipReason, Summary, Symlinks};
use tempfile::TempDir;

use crate::trees::{
    Store, events, failures, keys, memory, objects, planned, put, run, run_failing,
};

async fn files() -> (Store, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(dir.path()).await.unwrap();
    (Arc::new(backend), dir)
}

/// A tree with a link to a file, one to a directory, one to nowhere, and a FIFO.
async fn linked() -> (Store, TempDir) {
    let (store, dir) = files().await;
    for path in ["src/a", "src/d/x", "src/d/e/y", "aside/z"] {
        put(&store, path, path.to_owned(), 1).await;
    }
    let root = dir.path().join("src");
    symlink("a", root.join("file")).unwrap();
    symlink("d/e", root.join("dir")).unwrap();
    symlink("../../aside", root.join("d/out")).unwrap();
    (store, dir)
}

fn fifo(at: &Path) {
    let made = std::process::Command::new("mkfifo").arg(at).status();
    assert!(made.unwrap().success());
}

fn left_out(actions: &[Action]) -> Vec<(String, SkipReason)> {
    let skips = actions.iter().filter_map(|action| match action {
        Action::Skip { path, reason } => Some((path.to_string(), *reason)),
        _ => None,
    });
    skips.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_fifos_are_left_out_and_reported() {
    let (from, dir) = linked().await;
    fifo(&dir.path().join("src/pipe"));
    let to = memory();
    for path in ["dst/dir/kept", "dst/dir.gone", "dst/file", "dst/gone"] {
        put(&to, path, "old", 1).await;
    }
    let seen = planned(&events(Command::Sync, &from, &to, Options::default()).await);
    let expected = [
        ("d/out", SkipReason::Link),
        ("dir", SkipReason::Link),
        ("file", SkipReason::Link),
        ("pipe", SkipReason::Device),
    ];
    assert_eq!(
        left_out(&seen),
        expected.map(|(path, reason)| (path.to_owned(), reason))
    );
    let found = objects(&to, "dst").await;
    let found: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(found, ["a", "d/e/y", "d/x", "dir/kept", "file"]);
    let checked = planned(&events(Command::Check, &from, &to, Options::default()).await);
    assert_eq!(left_out(&checked).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_on_request() {
    let (from, _dir) = linked().await;
    for filter in [
        None,
        Some(
            Filter::builder()
                .exclude("nothing/")
                .unwrap()
                .build()
                .unwrap(),
        ),
    ] {
        let to = memory();
        let mut options = Options::default().links(Symlinks::Follow);
        options.filter = filter;
        run(Command::Sync, &from, &to, options.clone())
            .await
            .unwrap();
        let found = objects(&to, "dst").await;
        let found: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(found, ["a", "d/e/y", "d/out/z", "d/x", "dir/y", "file"]);
        let again: Summary = run(Command::Sync, &from, &to, options).await.unwrap();
        assert_eq!((again.created, again.updated, again.deleted), (0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_cannot_be_followed_is_a_failure_and_withholds_deletions() {
    let unknown = "cannot be followed: it leads nowhere, in a circle or outside of the source";
    let outside = "is not followed: it leads outside of the source";
    for (name, target, why) in [
        ("broken", "nowhere", unknown),
        ("outside", "/etc", outside),
        ("d/above", "../../etc", outside),
        ("d/loop", "..", unknown),
    ] {
        let (from, dir) = linked().await;
        symlink(target, dir.path().join("src").join(name)).unwrap();
        let to = memory();
        put(&to, "dst/extra", "x", 1).await;
        let options = Options::default().links(Symlinks::Follow);
        let summary = run_failing(Command::Sync, &from, &to, options).await;
        let message = format!("{name}: the link {name:?} to {target:?} {why}");
        assert_eq!(failures(&summary), [message]);
        assert_eq!((summary.created, summary.deletions_withheld), (6, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_at_the_destination_is_replaced_and_not_what_it_leads_to() {
    let (from, (to, dir)) = (memory(), files().await);
    put(&from, "src/a", "new", 2).await;
    put(&to, "aside/a", "aside", 1).await;
    put(&to, "dst/x", "x", 1).await;
    symlink("../aside/a", dir.path().join("dst/a")).unwrap();
    symlink("../aside", dir.path().join("dst/extra")).unwrap();
    let seen = planned(&events(Command::Sync, &from, &to, Options::default()).await);
    assert_eq!(left_out(&seen), [("extra".to_owned(), SkipReason::Link)]);
    assert_eq!(keys(&to, "dst").await, ["a"]);
    assert_eq!(to.get("aside/a").await.unwrap(), "aside");
    assert!(
        dir.path()
            .join("dst/extra")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
    assert!(
        !dir.path()
            .join("dst/a")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
}
