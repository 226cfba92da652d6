//! What keeps an accident on one side from becoming one on both.

use std::sync::Arc;

use storage_core::{BackendExt, Error, ErrorKind, Operation};
use storage_faults::{Failing, Intercept, Point};
use storage_memory::MemoryBackend;
use storage_sync::{Bisync, BisyncError, BisyncOptions, Options, Prefer, Replica, SyncError};

use super::{Side, World, shared};
use crate::trees::{memory, tree};

const SIX: [&str; 6] = ["f1", "f2", "f3", "f4", "f5", "f6"];

#[tokio::test]
async fn too_many_deletions_change_nothing() {
    let mut world = World::with(&SIX).await;
    for path in &SIX[..4] {
        world.delete(Side::B, path).await;
    }
    world.put(Side::A, "new", "1").await;
    let before = world.both().await;
    let refusal = world.refused().await;
    assert!(matches!(
        refusal.error(),
        BisyncError::TooManyDeletions {
            side: Replica::Path2,
            deleted: 4,
            known: 6,
            percent: 50
        }
    ));
    assert_eq!(world.both().await, before);
    world.options.force = true;
    assert_eq!(world.run().await.deleted, 4);
}

#[tokio::test]
async fn exactly_the_allowed_share_may_be_deleted() {
    let world = World::with(&SIX).await;
    for path in &SIX[..3] {
        world.delete(Side::A, path).await;
    }
    assert_eq!(world.run().await.deleted, 3);
}

#[tokio::test]
async fn a_side_that_is_empty_all_at_once_changes_nothing() {
    let mut world = World::with(&SIX).await;
    world.options.max_delete = 100;
    for path in SIX {
        world.delete(Side::A, path).await;
    }
    let refusal = world.refused().await;
    assert!(matches!(
        refusal.error(),
        BisyncError::Empty(Replica::Path1)
    ));
    assert_eq!(world.both().await[1].len(), 6);
    world.options.force = true;
    world.run().await;
    world.assert(&[]).await;
}

#[tokio::test]
async fn access_is_proven_by_files_on_both_sides() {
    let mut world = World::with(&SIX).await;
    world.options.check_access = Some("PROOF".into());
    let access = |refusal: &super::Refusal| match refusal.error() {
        BisyncError::Access { found, alone, .. } => (*found, *alone),
        other => panic!("{other}"),
    };
    world.put(Side::A, "new", "1").await;
    assert_eq!(access(&world.refused().await), (0, 0));
    world.put(Side::A, "sub/PROOF", "").await;
    assert_eq!(access(&world.refused().await), (0, 1));
    world.put(Side::B, "sub/PROOF", "").await;
    world.put(Side::B, "PROOF", "").await;
    assert_eq!(access(&world.refused().await), (1, 1));
    assert_eq!(world.both().await[1].len(), 8, "nothing was changed");
    world.put(Side::A, "PROOF", "").await;
    assert_eq!(world.run().await.created, 1);
    world.delete(Side::B, "PROOF").await;
    let mut options = world.options.clone();
    options.resync = Some(Prefer::Path1);
    let refused = world.try_with(options).await;
    assert!(refused.is_err(), "a resync is guarded as well");
}

#[tokio::test]
async fn a_listing_that_fails_changes_nothing() {
    for call in 1..4 {
        let broken = || Error::new(ErrorKind::PermissionDenied, "no");
        let failing = Failing::nth(call, Point::on(Operation::List), broken);
        let b = shared(failing.over(MemoryBackend::new()));
        let mut world = World::new(memory(), b);
        for path in SIX {
            world.put(Side::A, path, path).await;
        }
        let mut options = world.options.clone();
        options.resync = Some(Prefer::Path1);
        options.common.page_size = Some(2);
        let first = world.try_with(options.clone()).await;
        // Whatever the first run came to, no later one takes what was not listed for deleted.
        world.options = options.clone();
        let second = world.try_with(options).await;
        assert!(first.is_err() || second.is_err() || call == 3, "{call}");
        world.options.resync = None;
        if first.is_ok() || second.is_ok() {
            assert_eq!(world.run().await.deleted, 0);
        }
        assert_eq!(world.both().await[0].len(), 6);
    }
}

#[tokio::test]
async fn deletions_are_withheld_after_a_failed_transfer() {
    let broken = || Error::new(ErrorKind::PermissionDenied, "no");
    let failing = Failing::always(
        Point::on(Operation::Write).path(|path| path == "bad"),
        broken,
    );
    let mut world = World::new(memory(), shared(failing.over(MemoryBackend::new())));
    for path in SIX {
        world.put(Side::A, path, path).await;
    }
    world.resync().await;
    world.put(Side::A, "bad", "1").await;
    world.put(Side::A, "good", "1").await;
    world.delete(Side::A, "f1").await;
    let summary = world.failing().await;
    let counts = (summary.errors, summary.created, summary.deletions_withheld);
    assert_eq!(counts, (1, 1, 1));
    assert!(world.b.has("f1").await.unwrap());
    world.options.common.ignore_errors = true;
    assert_eq!(
        world.failing().await.deleted,
        1,
        "and the next run takes it up again"
    );
}

#[tokio::test]
async fn options_that_are_not_for_bisync_are_refused() {
    let store: crate::trees::Store = Arc::new(MemoryBackend::new());
    let refused = |edit: fn(&mut BisyncOptions)| {
        let mut options = BisyncOptions::default();
        edit(&mut options);
        let (a, b) = (tree(&store, "a"), tree(&store, "b"));
        matches!(
            Bisync::new(a, b, tree(&store, "s"), options),
            Err(SyncError::Option { .. })
        )
    };
    assert!(!refused(|_| {}));
    assert!(refused(|options| options.max_delete = 101));
    assert!(refused(|options| options.suffixes[1].clear()));
    assert!(refused(|options| options.suffixes[0] = "a/b".into()));
    assert!(refused(|options| options.check_access = Some(String::new())));
    assert!(refused(
        |options| options.common = Options::default().update(true)
    ));
    assert!(refused(
        |options| options.common = Options::default().immutable(true)
    ));
    assert!(refused(
        |options| options.common = Options::default().transfers(0)
    ));
}

#[tokio::test]
async fn trees_that_overlap_are_refused() {
    let store = memory();
    for (a, b, state) in [
        ("a", "a/b", "s"),
        ("a", "b", "a/s"),
        ("a", "b", "b"),
        ("", "b", "s"),
    ] {
        let job = Bisync::new(
            tree(&store, a),
            tree(&store, b),
            tree(&store, state),
            BisyncOptions::default(),
        );
        assert!(matches!(job, Err(SyncError::Overlap(_))), "{a} {b} {state}");
    }
}
