//! What becomes of objects that both sides have changed.

use storage_sync::{BisyncOptions, Loser, Prefer, Resolve};

use super::{Side, World};
use crate::trees::put;

/// `f.txt` was changed on both sides: first and shorter on A, later and longer on B.
async fn torn(edit: impl FnOnce(&mut BisyncOptions)) -> World {
    let mut world = World::with(&["f.txt", "rest"]).await;
    edit(&mut world.options);
    world.put(Side::A, "f.txt", "ours").await;
    world.put(Side::B, "f.txt", "theirs").await;
    world
}

const REST: (&str, &str) = ("rest", "base of rest");

#[tokio::test]
async fn both_versions_are_kept_by_default() {
    let world = torn(|_| {}).await;
    let summary = world.run().await;
    world
        .assert(&[
            ("f.txt.conflict1", "ours"),
            ("f.txt.conflict2", "theirs"),
            REST,
        ])
        .await;
    assert_eq!((summary.conflicts, summary.conflicts_left), (1, 0));
    assert!(summary.is_clean());
    world.assert_settled().await;
}

#[tokio::test]
async fn the_winner_keeps_the_name_and_the_loser_gets_a_number() {
    for (prefer, winner, loser) in [
        (Prefer::Path1, "ours", "theirs"),
        (Prefer::Path2, "theirs", "ours"),
        (Prefer::Newer, "theirs", "ours"),
        (Prefer::Older, "ours", "theirs"),
        (Prefer::Larger, "theirs", "ours"),
        (Prefer::Smaller, "ours", "theirs"),
    ] {
        let world = torn(|options| options.resolve = Resolve::Winner(prefer)).await;
        world.run().await;
        world
            .assert(&[("f.txt", winner), ("f.txt.conflict1", loser), REST])
            .await;
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn versions_that_a_preference_cannot_tell_apart_are_both_kept() {
    for prefer in [
        Prefer::Newer,
        Prefer::Older,
        Prefer::Larger,
        Prefer::Smaller,
    ] {
        let mut world = World::with(&["f", "rest"]).await;
        world.options.resolve = Resolve::Winner(prefer);
        put(&world.a, "f", "aaaa", 500).await;
        put(&world.b, "f", "bbbb", 500).await;
        world.run().await;
        world
            .assert(&[("f.conflict1", "aaaa"), ("f.conflict2", "bbbb"), REST])
            .await;
    }
}

#[tokio::test]
async fn a_loser_can_be_named_for_its_side_or_be_replaced() {
    let world = torn(|options| {
        options.resolve = Resolve::Winner(Prefer::Path1);
        options.loser = Loser::Path;
    })
    .await;
    world.run().await;
    world
        .assert(&[("f.txt", "ours"), ("f.txt.conflict2", "theirs"), REST])
        .await;
    let world = torn(|options| {
        options.resolve = Resolve::Winner(Prefer::Path1);
        options.loser = Loser::Delete;
    })
    .await;
    world.run().await;
    world.assert(&[("f.txt", "ours"), REST]).await;
    world.assert_settled().await;
}

#[tokio::test]
async fn suffixes_can_be_chosen_for_each_side() {
    let world = torn(|options| {
        options.suffixes = ["here".into(), "there".into()];
        options.suffix_keep_extension = true;
    })
    .await;
    world.run().await;
    world
        .assert(&[("f.here1.txt", "ours"), ("f.there1.txt", "theirs"), REST])
        .await;
}

#[tokio::test]
async fn a_name_that_is_taken_on_either_side_is_left_alone() {
    let mut world = torn(|_| {}).await;
    world.put(Side::A, "f.txt.conflict1", "taken").await;
    world.put(Side::B, "f.txt.conflict3", "too").await;
    world.run().await;
    world
        .assert(&[
            ("f.txt.conflict1", "taken"),
            ("f.txt.conflict2", "ours"),
            ("f.txt.conflict3", "too"),
            ("f.txt.conflict4", "theirs"),
            REST,
        ])
        .await;
}

#[tokio::test]
async fn a_conflict_can_be_left_alone_until_it_is_settled_by_hand() {
    let mut world = torn(|options| options.resolve = Resolve::Skip).await;
    let before = world.both().await;
    for _ in 0..2 {
        let summary = world.run().await;
        assert_eq!((summary.conflicts, summary.conflicts_left), (1, 1));
        assert!(!summary.is_clean(), "a conflict is left");
        assert_eq!(world.both().await, before);
    }
    world.put(Side::A, "f.txt", "theirs").await;
    assert!(world.run().await.is_clean());
    world.assert(&[("f.txt", "theirs"), REST]).await;
}

#[tokio::test]
async fn a_conflict_can_be_an_error_of_that_object() {
    let mut world = torn(|options| options.resolve = Resolve::Error).await;
    world.put(Side::A, "new", "1").await;
    let summary = world.failing().await;
    assert_eq!(
        crate::trees::failures(&summary),
        ["f.txt: \"f.txt\" was changed on both sides"]
    );
    assert_eq!(summary.created, 1, "the rest is done");
}

#[tokio::test]
async fn new_objects_of_one_name_are_a_conflict() {
    let mut world = World::with(&["rest"]).await;
    world.put(Side::A, "n", "ours").await;
    world.put(Side::B, "n", "theirs").await;
    world.run().await;
    world
        .assert(&[("n.conflict1", "ours"), ("n.conflict2", "theirs"), REST])
        .await;
}
