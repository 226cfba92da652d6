//! What goes from one side to the other.

use storage_core::ObjectPath;
use storage_sync::{Comparison, Prefer};

use super::{Side, World};
use crate::trees::{at, contents, extended, flat, masked, memory, objects, put, times, tree};

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

#[tokio::test]
async fn a_first_run_with_resync_makes_a_union_and_deletes_nothing() {
    let mut world = World::new(memory(), memory());
    world.put(Side::A, "a", "1").await;
    world.put(Side::B, "b", "2").await;
    world.put(Side::A, "same", "3").await;
    world.put(Side::B, "same", "3").await;
    world.put(Side::A, "other", "ours").await;
    world.put(Side::B, "other", "theirs").await;
    let summary = world.resync().await;
    world
        .assert(&[("a", "1"), ("b", "2"), ("other", "ours"), ("same", "3")])
        .await;
    assert_eq!(
        (summary.created, summary.deleted, summary.conflicts),
        (2, 0, 0)
    );
    world.assert_settled().await;
}

#[tokio::test]
async fn a_resync_prefers_the_version_that_it_is_told_to() {
    for (prefer, expected) in [
        (Prefer::Path1, "older and longer"),
        (Prefer::Path2, "newer"),
        (Prefer::Newer, "newer"),
        (Prefer::Older, "older and longer"),
        (Prefer::Larger, "older and longer"),
        (Prefer::Smaller, "newer"),
    ] {
        let mut world = World::new(memory(), memory());
        world.put(Side::A, "x", "older and longer").await;
        world.put(Side::B, "x", "newer").await;
        let mut options = world.options.clone();
        options.resync = Some(prefer);
        world.try_with(options).await.unwrap();
        world.assert(&[("x", expected)]).await;
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn changes_go_both_ways_in_one_run() {
    for side in Side::BOTH {
        let mut world = World::with(&["changed", "deleted", "kept/1", "kept/2"]).await;
        world.put(side, "changed", "anew").await;
        world.put(side, "new/1", "1").await;
        world.put(side.other(), "new/2", "2").await;
        world.delete(side, "deleted").await;
        let summary = world.run().await;
        world
            .assert(&[
                ("changed", "anew"),
                ("kept/1", "base of kept/1"),
                ("kept/2", "base of kept/2"),
                ("new/1", "1"),
                ("new/2", "2"),
            ])
            .await;
        let counts = (summary.created, summary.updated, summary.deleted);
        assert_eq!(counts, (2, 1, 1));
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn a_change_beats_a_deletion() {
    for side in Side::BOTH {
        let mut world = World::with(&["x", "y", "z"]).await;
        world.delete(side, "x").await;
        world.put(side.other(), "x", "changed").await;
        world.run().await;
        let rest = [("y", "base of y"), ("z", "base of z")];
        world.assert(&[("x", "changed"), rest[0], rest[1]]).await;
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn the_same_change_on_both_sides_is_no_conflict() {
    let mut world = World::with(&["changed", "deleted", "kept"]).await;
    for side in Side::BOTH {
        world.put(side, "changed", "the same").await;
        world.put(side, "new", "as new").await;
        world.delete(side, "deleted").await;
    }
    let summary = world.run().await;
    assert_eq!((summary.conflicts, summary.bytes), (0, 0));
    world
        .assert(&[
            ("changed", "the same"),
            ("kept", "base of kept"),
            ("new", "as new"),
        ])
        .await;
    world.assert_settled().await;
    // It is known as it is now: a deletion of it goes to the other side.
    world.delete(Side::B, "new").await;
    world.run().await;
    world
        .assert(&[("changed", "the same"), ("kept", "base of kept")])
        .await;
}

#[tokio::test]
async fn another_time_of_the_same_content_sets_the_time_alone() {
    let mut world = World::with(&["x", "y"]).await;
    world.put(Side::B, "x", "base of x").await;
    let time = times(&world.b, "").await;
    let summary = world.run().await;
    assert_eq!((summary.updated, summary.bytes), (1, 0));
    assert_eq!(times(&world.a, "").await, time);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_change_that_keeps_size_and_time_is_seen_where_there_are_versions() {
    let world = World::with(&["x", "y"]).await;
    let time = times(&world.a, "").await["x"].unwrap();
    let options = storage_core::WriteOptions::default().modified(time);
    let swapped = storage_core::Bytes::from_static(b"BASE OF X");
    world
        .a
        .write(&path("x"), swapped.into(), options)
        .await
        .unwrap();
    world.run().await;
    world
        .assert(&[("x", "BASE OF X"), ("y", "base of y")])
        .await;
}

#[tokio::test]
async fn every_pair_of_stores_settles() {
    let kinds: [fn() -> crate::trees::Store; 4] = [
        memory,
        flat,
        || masked(&["set_modified", "versions", "if_version"]),
        || masked(&["set_modified", "custom_metadata", "copy", "rename"]),
    ];
    for (n, a) in kinds.iter().enumerate() {
        for (m, b) in kinds.iter().enumerate() {
            let mut world = World::new(a(), b());
            for path in ["x", "x.y", "d/1", "d/2"] {
                world.put(Side::A, path, path).await;
            }
            world.resync().await;
            world.assert_settled().await;
            world.put(Side::A, "x", "from a").await;
            world.put(Side::B, "x.y", "from b").await;
            world.delete(Side::B, "d/1").await;
            world.run().await;
            world
                .assert(&[("d/2", "d/2"), ("x", "from a"), ("x.y", "from b")])
                .await;
            assert_eq!(
                world.planned(world.options.clone()).await,
                [""; 0],
                "{n} {m}"
            );
        }
    }
}

#[tokio::test]
async fn by_checksum_a_touched_object_is_left_alone() {
    let mut world = World::new(memory(), memory());
    world.options.common.comparison = Comparison::Checksum;
    world.put(Side::A, "x", "content").await;
    world.put(Side::A, "y", "content").await;
    world.resync().await;
    world.put(Side::A, "x", "content").await;
    world.assert_settled().await;
    world.put(Side::B, "x", "CONTENT").await;
    world.run().await;
    world.assert(&[("x", "CONTENT"), ("y", "content")]).await;
}

#[tokio::test]
async fn by_size_only_sizes_count() {
    let mut world = World::with(&["x", "y"]).await;
    world.options.common.comparison = Comparison::SizeOnly;
    world.put(Side::A, "x", "BASE OF X").await;
    world.assert_settled().await;
    world.put(Side::A, "x", "longer than before").await;
    world.run().await;
    world
        .assert(&[("x", "longer than before"), ("y", "base of y")])
        .await;
}

#[tokio::test]
async fn a_rename_goes_over_as_a_new_object_and_a_deletion() {
    let mut world = World::with(&["old", "rest"]).await;
    world.put(Side::A, "sub/new", "base of old").await;
    world.delete(Side::A, "old").await;
    world.run().await;
    world
        .assert(&[("rest", "base of rest"), ("sub/new", "base of old")])
        .await;
}

#[tokio::test]
async fn a_directory_that_became_an_object_and_the_reverse() {
    let mut world = World::with(&["d/deep/1", "d/2", "f", "rest1", "rest2", "rest3"]).await;
    world.delete(Side::A, "d/deep/1").await;
    world.delete(Side::A, "d/2").await;
    let options = storage_core::RmdirOptions::default().recursive(true);
    extended(&world.a).rmdir(&path("d"), options).await.unwrap();
    world.put(Side::A, "d", "a file now").await;
    world.delete(Side::B, "f").await;
    world.put(Side::B, "f/in", "a directory now").await;
    world.run().await;
    let rest = ["rest1", "rest2", "rest3"].map(|name| (name, format!("base of {name}")));
    let mut expected = vec![("d", "a file now"), ("f/in", "a directory now")];
    expected.extend(rest.iter().map(|(name, content)| (*name, &**content)));
    world.assert(&expected).await;
    world.assert_settled().await;
}

#[tokio::test]
async fn empty_directories_follow_on_request() {
    let mut world = World::with(&["x"]).await;
    for dir in ["empty/deep", "kept"] {
        extended(&world.a).mkdir(&path(dir)).await.unwrap();
    }
    world.run().await;
    assert!(!contents(&world.b, "").await.contains_key("empty/"));
    world.options.common.create_empty_dirs = true;
    world.run().await;
    let dirs = ["empty/", "empty/deep/", "kept/", "x"];
    assert!(contents(&world.b, "").await.keys().eq(dirs));
    world.assert_settled().await;
    let options = storage_core::RmdirOptions::default().recursive(true);
    extended(&world.b)
        .rmdir(&path("empty"), options)
        .await
        .unwrap();
    world.put(Side::A, "kept/inside", "1").await;
    world.run().await;
    assert!(
        contents(&world.a, "")
            .await
            .keys()
            .eq(["kept/", "kept/inside", "x"])
    );
    world.assert_settled().await;
}

#[tokio::test]
async fn a_dry_run_tells_what_a_run_does_and_does_nothing() {
    let mut world = World::with(&["changed", "deleted", "conflict", "kept"]).await;
    world.put(Side::A, "changed", "anew").await;
    world.delete(Side::B, "deleted").await;
    world.put(Side::A, "conflict", "ours").await;
    world.put(Side::B, "conflict", "theirs").await;
    world.put(Side::B, "new", "1").await;
    let before = (world.both().await, contents(&world.state, "").await);
    let mut options = world.options.clone();
    options.common.dry_run = true;
    let told = world.planned(options).await;
    assert_eq!(
        (world.both().await, contents(&world.state, "").await),
        before
    );
    assert_eq!(
        told,
        [
            "update changed (size) on path2",
            "resolve conflict (both are kept)",
            "delete deleted on path1",
            "create new on path1",
        ]
    );
    assert_eq!(world.planned(world.options.clone()).await, told);
    world.assert_settled().await;
}

#[tokio::test]
async fn times_are_kept() {
    let world = World::with(&["x"]).await;
    put(&world.a, "y", "content", 77).await;
    put(&world.b, "x", "later", 78).await;
    world.run().await;
    assert_eq!(times(&world.b, "").await["y"], Some(at(77)));
    assert_eq!(times(&world.a, "").await["x"], Some(at(78)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_place_of_a_file_or_directory_is_no_deletion() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let open = async |dir: &tempfile::TempDir| -> crate::trees::Store {
        super::shared(storage_file::FileBackend::open(dir.path()).await.unwrap())
    };
    let mut world = World::new(open(&dirs[0]).await, open(&dirs[1]).await);
    for path in ["a", "d/1", "d/2", "d-", "e", "f"] {
        world.put(Side::A, path, path).await;
    }
    world.resync().await;
    let at = |name: &str| dirs[0].path().join(name);
    std::fs::remove_file(at("a")).unwrap();
    std::os::unix::fs::symlink("e", at("a")).unwrap();
    std::fs::rename(at("d"), dirs[0].path().with_extension("moved")).unwrap();
    std::os::unix::fs::symlink(dirs[0].path().with_extension("moved"), at("d")).unwrap();
    std::fs::remove_file(at("e")).unwrap();
    let told = world.planned(world.options.clone()).await;
    std::fs::remove_dir_all(dirs[0].path().with_extension("moved")).unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("skip a") && told[1].starts_with("skip d"),
        "{told:?}"
    );
    assert!(told[2].starts_with("delete e"), "{told:?}");
    let left = crate::trees::keys(&world.b, "").await;
    assert_eq!(left, ["a", "d-", "d/", "d/1", "d/2", "f"]);
}

#[tokio::test]
async fn what_is_replaced_or_deleted_is_kept_for_each_side() {
    let mut world = World::with(&["changed", "gone", "lost", "same"]).await;
    let kept = [memory(), memory()];
    world.options.backup_dirs = [Some(tree(&kept[0], "k")), Some(tree(&kept[1], "k"))];
    world.put(Side::A, "changed", "by a").await;
    world.delete(Side::A, "gone").await;
    world.delete(Side::B, "lost").await;
    world.run().await;
    world
        .assert(&[("changed", "by a"), ("same", "base of same")])
        .await;
    let [first, second] = [objects(&kept[0], "k").await, objects(&kept[1], "k").await];
    assert_eq!(first.keys().collect::<Vec<_>>(), ["lost"]);
    assert_eq!(second.keys().collect::<Vec<_>>(), ["changed", "gone"]);
    assert_eq!(second["changed"], "base of changed");
    world.assert_settled().await;
}
