use std::time::Duration;

use storage_core::{Error, ErrorKind, Operation};
use storage_faults::{Failing, Intercept, Point};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Event, Filter, Job, Options};

use crate::trees::{
    Store, at, events, extended, flat, keys, memory, objects, planned, put, run, tree,
};

fn rules(text: &str) -> Filter {
    let filter = Filter::builder().rules("test", text).unwrap();
    filter.build().unwrap()
}

fn with(filter: Filter) -> Options {
    Options::default().filter(filter)
}

async fn filled(store: Store, prefix: &str, paths: &[&str]) -> Store {
    for path in paths {
        put(&store, &format!("{prefix}{path}"), "x", 1).await;
    }
    store
}

/// All pairs of stores with and without directories.
async fn pairs(source: &[&str], destination: &[&str]) -> Vec<(Store, Store)> {
    let mut pairs = Vec::new();
    for (from, to) in [(memory(), memory()), (memory(), flat()), (flat(), flat())] {
        let from = filled(from, "src/", source).await;
        pairs.push((from, filled(to, "dst/", destination).await));
    }
    pairs
}

#[tokio::test]
async fn what_is_excluded_is_neither_sent_nor_deleted() {
    let source = ["a.txt", "a.log", "keep/b.log", "cache/c", "d/cache/e/f"];
    let destination = ["old.log", "old.txt", "cache/old", "d/cache/e/old"];
    for (from, to) in pairs(&source, &destination).await {
        let options = with(rules("+ /keep/**\n- *.log\n- cache/\n"));
        let summary = run(Command::Sync, &from, &to, options).await.unwrap();
        let left = [
            "a.txt",
            "cache/old",
            "d/cache/e/old",
            "keep/b.log",
            "old.log",
        ];
        let mut found = keys(&to, "dst").await;
        found.retain(|key| !key.ends_with('/'));
        assert_eq!(found, left);
        assert_eq!((summary.created, summary.deleted), (2, 1));
    }
}

#[tokio::test]
async fn delete_excluded_deletes_at_the_destination_what_is_excluded() {
    let source = ["a.txt", "a.log", "cache/c"];
    for (from, to) in pairs(&source, &["a.log", "cache/c", "b.log"]).await {
        let options = with(rules("- *.log\n- cache/\n")).delete_excluded(true);
        run(Command::Sync, &from, &to, options).await.unwrap();
        assert_eq!(keys(&to, "dst").await, ["a.txt"]);
    }
}

#[tokio::test]
async fn an_excluded_directory_is_not_listed() {
    let from = MemoryBackend::new();
    let point = Point::on(Operation::List).path(|path| path.contains("secret"));
    let denied = || Error::new(ErrorKind::PermissionDenied, "injected");
    let from: Store = std::sync::Arc::new(Failing::always(point, denied).over(from));
    let from = filled(from, "src/", &["a/b", "secret/c", "d/secret/e"]).await;
    let to = memory();
    run(Command::Sync, &from, &to, with(rules("- secret/\n")))
        .await
        .unwrap();
    assert_eq!(keys(&to, "dst").await, ["a/", "a/b"]);
    let everything = with(rules("- *.log\n- other/\n"));
    assert!(run(Command::Sync, &from, &to, everything).await.is_err());
}

#[tokio::test]
async fn the_sources_attributes_decide_on_a_pair_and_its_own_on_what_stands_alone() {
    let (from, to) = (memory(), memory());
    put(&from, "src/large", vec![1; 100], 1).await;
    put(&from, "src/small", "new", 50).await;
    put(&to, "dst/large", "kept", 1).await;
    put(&to, "dst/small", vec![2; 100], 1).await;
    put(&to, "dst/alone-large", vec![3; 100], 1).await;
    put(&to, "dst/alone-small", "gone", 1).await;
    let small = Filter::builder().max_size(50).build().unwrap();
    run(Command::Sync, &from, &to, with(small)).await.unwrap();
    assert_eq!(keys(&to, "dst").await, ["alone-large", "large", "small"]);

    put(&from, "src/young", "y", 100).await;
    let old = Filter::builder().modified_until(at(60)).build().unwrap();
    run(Command::Sync, &from, &to, with(old)).await.unwrap();
    assert_eq!(keys(&to, "dst").await, ["large", "small"]);
    let young = Filter::builder().modified_since(at(60) + Duration::from_secs(1));
    run(Command::Copy, &from, &to, with(young.build().unwrap()))
        .await
        .unwrap();
    assert_eq!(keys(&to, "dst").await, ["large", "small", "young"]);
}

#[tokio::test]
async fn times_that_are_kept_in_metadata_are_those_that_count() {
    let (from, between) = (memory(), crate::trees::masked(&["set_modified"]));
    put(&from, "src/old", "x", 1).await;
    put(&from, "src/young", "x", 100).await;
    run(Command::Copy, &from, &between, Options::default())
        .await
        .unwrap();
    let to = memory();
    let old = Filter::builder().modified_until(at(60)).build().unwrap();
    let back = storage_sync::Job::new(
        Command::Copy,
        crate::trees::tree(&between, "dst"),
        crate::trees::tree(&to, ""),
        with(old),
    );
    back.unwrap().run().summary().await.unwrap();
    assert_eq!(keys(&to, "").await, ["old"]);
}

#[tokio::test]
async fn a_marker_on_either_side_excludes_the_directory_on_both() {
    let source = [
        "a/.skip",
        "a/1",
        "a/b/2",
        "c/1",
        "d/e/.skip",
        "d/e/1",
        "d/f",
        "a.x",
        "a0",
    ];
    let destination = ["a/old", "a/b/old", "c/.skip", "c/old", "d/old"];
    for (from, to) in pairs(&source, &destination).await {
        let marked = Filter::builder()
            .exclude_if_present(".skip")
            .build()
            .unwrap();
        let options = with(marked).page_size(1);
        run(Command::Sync, &from, &to, options.clone())
            .await
            .unwrap();
        let mut found = keys(&to, "dst").await;
        found.retain(|key| !key.ends_with('/'));
        assert_eq!(
            found,
            ["a.x", "a/b/old", "a/old", "a0", "c/.skip", "c/old", "d/f"]
        );
        run(Command::Sync, &from, &to, options.delete_excluded(true))
            .await
            .unwrap();
        let mut found = keys(&to, "dst").await;
        found.retain(|key| !key.ends_with('/'));
        assert_eq!(found, ["a.x", "a0", "c/1", "d/f"]);
    }
}

#[tokio::test]
async fn what_lies_too_deep_is_left_alone() {
    for (from, to) in pairs(&["a", "b/c", "b/d/e"], &["x", "b/x", "b/d/x"]).await {
        let filter = Filter::builder().max_depth(2).build().unwrap();
        for options in [
            with(filter.clone()),
            // What is not looked at is not deleted either.
            with(filter).delete_excluded(true),
        ] {
            run(Command::Sync, &from, &to, options).await.unwrap();
            let mut found = keys(&to, "dst").await;
            found.retain(|key| !key.ends_with('/'));
            assert_eq!(found, ["a", "b/c", "b/d/x"]);
        }
    }
}

#[tokio::test]
async fn a_directory_whose_files_are_out_of_bounds_is_an_empty_one() {
    let from = filled(memory(), "src/", &["a", "b/c/d"]).await;
    let to = memory();
    let small = Filter::builder().min_size(2).build().unwrap();
    let options = with(small).create_empty_dirs(true);
    run(Command::Copy, &from, &to, options).await.unwrap();
    assert_eq!(keys(&to, "").await, ["dst/", "dst/b/", "dst/b/c/"]);
}

#[tokio::test]
async fn a_list_of_files_is_what_a_sync_works_on() {
    for (from, to) in pairs(&["a/b", "a/c", "d"], &["a/gone", "a/other"]).await {
        let filter = Filter::builder()
            .files("a/b\na/gone\nmissing\n")
            .build()
            .unwrap();
        run(Command::Sync, &from, &to, with(filter)).await.unwrap();
        let mut found = keys(&to, "dst").await;
        found.retain(|key| !key.ends_with('/'));
        assert_eq!(found, ["a/b", "a/other"]);
    }
}

#[tokio::test]
async fn a_move_and_a_check_leave_out_what_is_excluded() {
    let (from, to) = (memory(), memory());
    let from = filled(from, "src/", &["a.txt", "b.log", "c/d.txt"]).await;
    let options = with(rules("- *.log\n"));
    let moved = run(Command::Move, &from, &to, options.clone())
        .await
        .unwrap();
    assert_eq!(moved.renamed + moved.created, 2);
    assert_eq!(keys(&from, "src").await, ["b.log", "c/"]);
    put(&to, "dst/e.log", "x", 1).await;
    let checked = events(Command::Check, &from, &to, options).await;
    let named = checked.iter().filter(|event| {
        let missing = matches!(event, Event::MissingOnDestination { .. });
        missing || matches!(event, Event::MissingOnSource { path } if path.ends_with(".log"))
    });
    assert_eq!(named.count(), 0);
}

#[tokio::test]
async fn empty_directories_follow_the_filter() {
    let (from, to) = (memory(), memory());
    for path in ["src/a", "src/cache", "src/b/cache"] {
        extended(&from).mkdir(&path.parse().unwrap()).await.unwrap();
    }
    put(&from, "src/x", "x", 1).await;
    for path in ["dst/cache/deep", "dst/gone"] {
        extended(&to).mkdir(&path.parse().unwrap()).await.unwrap();
    }
    let options = with(rules("- cache/\n")).create_empty_dirs(true);
    run(Command::Sync, &from, &to, options).await.unwrap();
    assert_eq!(
        keys(&to, "dst").await,
        ["a/", "b/", "cache/", "cache/deep/", "x"]
    );
}

#[tokio::test]
async fn stores_with_and_without_directories_choose_the_same() {
    let mut paths = Vec::new();
    for first in ["a", "b", "a.x", "c d"] {
        paths.push(format!("{first}-"));
        for second in ["a", "b", "é.x"] {
            paths.extend(["1.x", "2.y"].map(|third| format!("{first}/{second}/{third}")));
        }
    }
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    let tree = filled(memory(), "src/", &paths).await;
    let bucket = filled(flat(), "src/", &paths).await;
    for text in [
        "- /a/**",
        "+ /a/b/*\n- *",
        "- b/\n+ *.x\n- *",
        "+ {a,b}/**.x\n- **",
        "- *.x",
        "+ a/\n- *.y",
        "- {{a|b}}/",
    ] {
        for limit in [1, 3, 1000] {
            let options = with(rules(text)).page_size(limit);
            let plan =
                async |from| planned(&events(Command::Sync, from, &flat(), options.clone()).await);
            assert_eq!(plan(&tree).await, plan(&bucket).await, "{text}");
            let expected = paths
                .iter()
                .filter(|path| rules(text).includes_all_of(path))
                .count();
            assert_eq!(plan(&tree).await.len(), expected, "{text}");
        }
    }
}

#[tokio::test]
async fn an_excluded_single_object_is_left_alone_at_the_destination_too() {
    for delete_excluded in [false, true] {
        let (from, to) = (memory(), memory());
        put(&from, "src/a.tmp", "new", 2).await;
        put(&to, "dst/a.tmp", "old", 1).await;
        let filter = Filter::builder().exclude("*.tmp").unwrap();
        let options = Options::default()
            .filter(filter.build().unwrap())
            .allow_empty_source(true)
            .delete_excluded(delete_excluded);
        let (one, dst) = (tree(&from, "src/a.tmp"), tree(&to, "dst"));
        let job = Job::new(Command::Sync, one, dst, options).unwrap();
        let summary = job.run().summary().await.unwrap();
        assert_eq!(summary.deleted, u64::from(delete_excluded));
        assert_eq!(objects(&to, "dst").await.is_empty(), delete_excluded);
    }
}
