//! Stores whose listings have no times and no versions, only entity tags, as S3 has them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storage_core::{Operation, Result, async_trait};
use storage_faults::{Call, Counting, Intercept};
use storage_sync::BisyncError;

use super::{Side, World, shared};
use crate::trees::{Store, memory, put, tagged};

/// Settled worlds with such a store on either side, or on both.
async fn worlds(paths: &[&str]) -> Vec<World> {
    let mut worlds = Vec::new();
    for (a, b) in [
        (memory(), tagged()),
        (tagged(), memory()),
        (tagged(), tagged()),
    ] {
        let mut world = World::new(a, b);
        for path in paths {
            world.put(Side::A, path, format!("base of {path}")).await;
        }
        world.resync().await;
        worlds.push(world);
    }
    worlds
}

#[tokio::test]
async fn an_edit_goes_over_and_is_no_conflict() {
    for mut world in worlds(&["d/x", "y", "z"]).await {
        // Of the same size, too; once after the first run, once after one that only sent.
        for content in ["BASE OF X", "base of x"] {
            for side in Side::BOTH {
                let content = format!("{content} {side:?}");
                world.put(side, "d/x", content.clone()).await;
                let summary = world.run().await;
                assert_eq!((summary.updated, summary.conflicts), (1, 0), "{side:?}");
                let rest = [("y", "base of y"), ("z", "base of z")];
                world.assert(&[("d/x", &content), rest[0], rest[1]]).await;
                world.assert_settled().await;
            }
        }
    }
}

#[tokio::test]
async fn a_deletion_goes_over_and_does_not_come_back() {
    for world in worlds(&["x", "y", "z"]).await {
        world.delete(Side::A, "x").await;
        world.delete(Side::B, "y").await;
        let summary = world.run().await;
        assert_eq!((summary.created, summary.deleted), (0, 2));
        world.assert(&[("z", "base of z")]).await;
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn what_did_not_change_is_neither_read_nor_asked_for() {
    let counting = Counting::new();
    let a = shared(counting.over(tagged()));
    let b = shared(counting.over(memory()));
    let mut world = World::new(a, b);
    world.put(Side::A, "x", "1").await;
    world.put(Side::B, "y", "2").await;
    world.resync().await;
    counting.reset();
    world.run().await;
    let (reads, stats) = (counting.of(Operation::Read), counting.of(Operation::Stat));
    assert_eq!((reads.calls, stats.calls), (0, 0));
}

/// Replaces `x` just before the store is asked for it.
#[derive(Debug, Clone)]
struct ReplaceOnStat(Store, Arc<AtomicBool>);

#[async_trait]
impl Intercept for ReplaceOnStat {
    async fn before(&self, call: &mut Call<'_>) -> Result<()> {
        let asks = call.operation() == Operation::Stat && call.path() == "x";
        if asks && self.1.swap(false, Ordering::SeqCst) {
            put(&self.0, "x", "theirs: x", 99).await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_object_that_was_replaced_by_one_of_its_size_is_left_alone() {
    for deletes in [false, true] {
        let (below, armed) = (tagged(), Arc::new(AtomicBool::new(false)));
        let hook = ReplaceOnStat(Arc::clone(&below), Arc::clone(&armed));
        let mut world = World::new(memory(), shared(hook.over(below)));
        for path in ["x", "y", "z"] {
            world.put(Side::A, path, format!("base of {path}")).await;
        }
        world.resync().await;
        match deletes {
            true => world.delete(Side::A, "x").await,
            false => world.put(Side::A, "x", "longer than before").await,
        }
        armed.store(true, Ordering::SeqCst);
        let refusal = world.refused().await;
        assert!(matches!(refusal.error(), BisyncError::Changed { .. }));
        assert_eq!(world.both().await[1]["x"], "theirs: x");
    }
}
