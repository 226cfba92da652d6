//! What is remembered, and what is refused instead of believed.

use storage_core::{BackendExt, Bytes, HashType};
use storage_sync::{Bisync, BisyncError, BisyncOptions};

use super::{Side, World};
use crate::trees::{keys, memory, tree};

#[tokio::test]
async fn without_a_state_a_run_is_refused() {
    let mut world = World::new(memory(), memory());
    world.put(Side::A, "x", "1").await;
    let refusal = world.refused().await;
    assert!(matches!(refusal.error(), BisyncError::NoState(_)));
    assert!(
        refusal.error().to_string().contains("resync"),
        "says what to do"
    );
    assert!(world.both().await[1].is_empty());
}

#[tokio::test]
async fn a_damaged_state_is_refused_wherever_the_damage_is() {
    let world = World::with(&["a", "b/c", "d"]).await;
    let good = world.state.get("state-of-ab/state").await.unwrap();
    for at in 0..good.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 0x10;
        world.state.put("state-of-ab/state", bad).await.unwrap();
        let refusal = world.refused().await;
        assert!(
            matches!(refusal.error(), BisyncError::BadState(..)),
            "{at}: {}",
            refusal.error()
        );
    }
    for len in 0..good.len() {
        let cut = Bytes::copy_from_slice(&good[..len]);
        world.state.put("state-of-ab/state", cut).await.unwrap();
        let refusal = world.refused().await;
        assert!(
            matches!(refusal.error(), BisyncError::BadState(..)),
            "cut at {len}"
        );
    }
    world.resync().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn the_state_of_another_pair_is_refused() {
    let world = World::with(&["a"]).await;
    let (a, b) = (tree(&world.a, "elsewhere"), tree(&world.b, ""));
    let state = tree(&world.state, "state-of-ab");
    let job = Bisync::new(a, b, state, BisyncOptions::default()).unwrap();
    let error = job.run().summary().await.unwrap_err();
    assert!(error.to_string().contains("it belongs to"), "{error}");
}

#[tokio::test]
async fn a_run_without_changes_writes_no_state() {
    let world = World::with(&["a", "b"]).await;
    let version = |world: &World| {
        let state = world.state.clone();
        let path = storage_core::ObjectPath::new("state-of-ab/state").unwrap();
        async move { state.try_stat(&path).await.unwrap().unwrap().version }
    };
    let before = version(&world).await;
    world.run().await;
    assert_eq!(version(&world).await, before);
    assert_eq!(
        keys(&world.state, "").await,
        ["state-of-ab/", "state-of-ab/journal/", "state-of-ab/state"]
    );
}

#[tokio::test]
async fn many_objects_in_pages_of_all_sizes() {
    let mut world = World::new(memory(), memory());
    for n in 0..700 {
        world
            .put(Side::A, &format!("{:02}/{n}", n % 37), format!("{n}"))
            .await;
    }
    world.options.common.page_size = Some(7);
    let summary = world.resync().await;
    assert_eq!(summary.created, 700);
    for n in (0..700).step_by(5) {
        world.delete(Side::B, &format!("{:02}/{n}", n % 37)).await;
    }
    let summary = world.run().await;
    assert_eq!(summary.deleted, 140);
    let [a, b] = world.both().await;
    assert_eq!((a.len(), a), (560, b));
    world.assert_settled().await;
}

#[tokio::test]
async fn filters_hide_by_path_and_others_than_before_are_refused() {
    let filter = |rule: &str| {
        let builder = storage_filter::Filter::builder().rule(rule).unwrap();
        builder.build().unwrap()
    };
    let mut world = World::new(memory(), memory());
    world.options.common.filter = Some(filter("- *.tmp"));
    world.put(Side::A, "a", "1").await;
    world.put(Side::A, "b", "1").await;
    world.put(Side::A, "hidden.tmp", "1").await;
    world.resync().await;
    world.delete(Side::B, "a").await;
    world.put(Side::B, "own.tmp", "2").await;
    world.run().await;
    assert_eq!(keys(&world.a, "").await, ["b", "hidden.tmp"]);
    assert_eq!(keys(&world.b, "").await, ["b", "own.tmp"]);
    for other in [None, Some(filter("- b"))] {
        world.options.common.filter = other;
        let refusal = world.refused().await;
        assert!(
            refusal.error().to_string().contains("other filters"),
            "{}",
            refusal.error()
        );
    }
    let builder = storage_filter::Filter::builder();
    world.options.common.filter = Some(builder.max_size(10).build().unwrap());
    let (a, b) = (tree(&world.a, ""), tree(&world.b, ""));
    let job = Bisync::new(a, b, tree(&world.state, "s"), world.options);
    assert!(job.unwrap_err().to_string().contains("would look deleted"));
}

#[tokio::test]
async fn a_state_of_the_form_before_is_read_and_one_of_a_later_form_is_refused() {
    const VERSION: usize = 8 + 1 + 8;
    let world = World::with(&["a", "b", "c"]).await;
    let good = world.state.get("state-of-ab/state").await.unwrap();
    let of_form = |version: u8| {
        let mut state = good.to_vec();
        let end = 8 + u32::from_le_bytes(state[..4].try_into().unwrap()) as usize;
        state[VERSION] = version;
        let crc = storage_hash::hash(HashType::Crc32c.into(), &state[8..end]);
        state[4..8].copy_from_slice(crc.get(HashType::Crc32c).unwrap());
        world.state.put("state-of-ab/state", state)
    };
    of_form(3).await.unwrap();
    let refusal = world.refused().await;
    let error = refusal.error().to_string();
    assert!(
        error.contains("a version that this program does not know"),
        "{error}"
    );
    of_form(1).await.unwrap();
    world.delete(Side::A, "a").await;
    world.run().await;
    world
        .assert(&[("b", "base of b"), ("c", "base of c")])
        .await;
}
