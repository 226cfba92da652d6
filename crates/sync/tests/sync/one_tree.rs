//! Jobs on one tree: deletion, digests, checksum files, size, directories.

use storage_core::{BackendExt, ErrorKind, HashType, ObjectPath};
use storage_sync::{Command, Event, Job, Options, Size, Sums, SyncError, purge, rmdirs};

use crate::trees::{FILLED, Store, events, fill, flat, keys, memory, put, run, tree};

async fn collect(job: Job) -> Vec<Event> {
    let (mut run, mut events) = (job.run(), Vec::new());
    while let Some(event) = run.next().await {
        events.push(event);
    }
    events
}

/// One line for each comparison, and the digests.
fn lines(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| match event {
        Event::Match { path, .. } => Some(format!("= {path}")),
        Event::Differ { path, difference } => Some(format!("* {path} {difference}")),
        Event::MissingOnSource { path } => Some(format!("- {path}")),
        Event::MissingOnDestination { path } => Some(format!("+ {path}")),
        Event::Hashed { path, digest } => {
            Some(format!("{} {path}", digest.get_hex(HashType::Md5).unwrap()))
        }
        Event::Failed(failure) => Some(format!("! {failure}")),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

#[tokio::test]
async fn delete_takes_every_object_and_leaves_the_directories() {
    for store in [memory(), flat()] {
        fill(&store, "t/").await;
        put(&store, "other", "x", 1).await;
        let dry = Job::delete(tree(&store, "t"), Options::default().dry_run(true)).unwrap();
        assert_eq!(dry.run().summary().await.unwrap().deleted, FILLED);
        assert_eq!(
            keys(&store, "")
                .await
                .iter()
                .filter(|k| !k.ends_with('/'))
                .count() as u64,
            FILLED + 1
        );
        let job = Job::delete(tree(&store, "t"), Options::default()).unwrap();
        let summary = job.run().summary().await.unwrap();
        assert_eq!((summary.deleted, summary.directories_removed), (FILLED, 0));
        assert!(store.has("other").await.unwrap());
    }
}

#[tokio::test]
async fn delete_removes_empty_directories_on_request() {
    let store = memory();
    fill(&store, "t/").await;
    let options = Options::default().rmdirs(true);
    let job = Job::delete(tree(&store, "t"), options.clone()).unwrap();
    job.run().summary().await.unwrap();
    assert_eq!(keys(&store, "").await, ["t/"], "the root stays");
    let refused = Job::delete(tree(&flat(), "t"), options).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn delete_of_nothing_or_of_an_object_is_an_error() {
    let store = memory();
    put(&store, "object", "x", 1).await;
    for (prefix, kind) in [
        ("missing", ErrorKind::NotFound),
        ("object", ErrorKind::NotDirectory),
    ] {
        let job = Job::delete(tree(&store, prefix), Options::default()).unwrap();
        assert_eq!(
            job.run().summary().await.unwrap_err().kind(),
            kind,
            "{prefix}"
        );
    }
    assert!(store.has("object").await.unwrap());
}

#[tokio::test]
async fn delete_honours_its_guard() {
    let store = memory();
    fill(&store, "t/").await;
    let job = Job::delete(tree(&store, "t"), Options::default().max_delete(FILLED - 1)).unwrap();
    assert!(job.run().summary().await.is_err());
    let size = Size::of(tree(&store, "t"), Options::default())
        .await
        .unwrap();
    assert_eq!(size.objects, FILLED);
}

#[tokio::test]
async fn digests_come_in_order_and_are_right() {
    let store = memory();
    put(&store, "t/foo", "foo", 1).await;
    put(&store, "t/b/bar", "bar", 1).await;
    let want = [
        "37b51d194a7513e45b56f6524f2d51f2 b/bar",
        "acbd18db4cc2f85cedef654fccc4a4d8 foo",
    ];
    for download in [false, true] {
        let options = Options::default().download(download);
        let job = Job::hash_sum(tree(&store, "t"), HashType::Md5, options).unwrap();
        assert_eq!(lines(&collect(job).await), want);
    }
    let one = Job::hash_sum(tree(&store, "t/foo"), HashType::Md5, Options::default()).unwrap();
    assert_eq!(lines(&collect(one).await), want[1..]);
    let none = Job::hash_sum(tree(&store, "no"), HashType::Md5, Options::default()).unwrap();
    assert!(
        matches!(&collect(none).await[1], Event::Failed(f) if f.error.kind() == ErrorKind::NotFound)
    );
}

#[tokio::test]
async fn a_checksum_file_is_compared_like_a_tree() {
    let text = "37b51d194a7513e45b56f6524f2d51f2  b/bar
acbd18db4cc2f85cedef654fccc4a4d8  foo
acbd18db4cc2f85cedef654fccc4a4d8  gone
acbd18db4cc2f85cedef654fccc4a4d8  other
";
    let store = memory();
    for (path, content) in [
        ("t/foo", "foo"),
        ("t/b/bar", "bar"),
        ("t/other", "else"),
        ("t/extra", ""),
    ] {
        put(&store, path, content, 1).await;
    }
    let verify = |options| {
        let sums = Sums::parse(text, None).unwrap();
        let job = Job::verify(sums, tree(&store, "t"), options).unwrap();
        async move { lines(&collect(job).await) }
    };
    let all = ["= b/bar", "- extra", "= foo", "+ gone", "* other content"];
    assert_eq!(verify(Options::default()).await, all);
    assert_eq!(verify(Options::default().download(true)).await, all);
    let one_way: Vec<_> = all
        .into_iter()
        .filter(|line| !line.starts_with('-'))
        .collect();
    assert_eq!(verify(Options::default().one_way(true)).await, one_way);
}

/// More lines than a page, so that the listing goes on from a cursor.
#[tokio::test]
async fn a_long_checksum_file_is_compared_to_its_end() {
    let store = memory();
    let digest = "acbd18db4cc2f85cedef654fccc4a4d8";
    let mut text = String::new();
    for n in 0..2500 {
        text.push_str(&format!("{digest}  {}/{n}\n", n % 7));
        put(&store, &format!("{}/{n}", n % 7), "foo", 1).await;
    }
    let sums = Sums::parse(&text, None).unwrap();
    let job = Job::verify(sums, tree(&store, ""), Options::default()).unwrap();
    let summary = job.run().summary().await.unwrap();
    assert_eq!(summary.matches, 2500);
    assert!(summary.is_clean());
}

#[tokio::test]
async fn diff_compares_as_sync_does_and_changes_nothing() {
    let (from, to) = (memory(), memory());
    for (path, content, seconds) in [
        ("src/same", "1", 1),
        ("src/time", "1", 1),
        ("src/content", "1", 1),
        ("src/left", "", 1),
    ] {
        put(&from, path, content, seconds).await;
    }
    for (path, content, seconds) in [
        ("dst/same", "2", 1),
        ("dst/time", "1", 2),
        ("dst/content", "2", 2),
        ("dst/right", "", 1),
    ] {
        put(&to, path, content, seconds).await;
    }
    let found = lines(&events(Command::Diff, &from, &to, Options::default()).await);
    // Equal size and time are the same to a sync, whatever the content.
    assert_eq!(
        found,
        [
            "* content content",
            "+ left",
            "- right",
            "= same",
            "* time modified time"
        ]
    );
    let summary = run(Command::Diff, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!((summary.differs, summary.created), (2, 0));
}

#[tokio::test]
async fn size_counts_objects_and_bytes() {
    let store = memory();
    fill(&store, "t/").await;
    let size = |store: &Store, prefix: &str| Size::of(tree(store, prefix), Options::default());
    let found = size(&store, "t").await.unwrap();
    assert_eq!((found.objects, found.of_unknown_size), (FILLED, 0));
    assert!(found.bytes > 3 << 20);
    assert_eq!(size(&store, "t/big").await.unwrap().objects, 1);
    assert!(matches!(
        size(&store, "no").await,
        Err(SyncError::SourceMissing(_))
    ));
}

#[tokio::test]
async fn purge_leaves_nothing_of_a_tree_and_all_beside_it() {
    for store in [memory(), flat()] {
        fill(&store, "t/").await;
        put(&store, "t.x", "x", 1).await;
        let purged = purge(&tree(&store, "t"), Options::default()).await.unwrap();
        assert_eq!(purged, FILLED);
        assert_eq!(keys(&store, "").await, ["t.x"]);
    }
    let missing = purge(&tree(&memory(), "t"), Options::default()).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

fn paths(paths: &[ObjectPath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn rmdirs_removes_what_holds_no_object() {
    let store = memory();
    let extended = store.as_extended().unwrap();
    for path in ["t/a/b/c", "t/d/e", "t/d-", "t/full/empty", "u"] {
        extended
            .mkdir(&ObjectPath::new(path).unwrap())
            .await
            .unwrap();
    }
    put(&store, "t/full/object", "x", 1).await;
    put(&store, "t/d/e0", "x", 1).await;
    let removed = paths(&rmdirs(&tree(&store, "t"), false).await.unwrap());
    assert_eq!(
        removed,
        ["t/a/b/c", "t/a/b", "t/a", "t/d-", "t/d/e", "t/full/empty"]
    );
    assert_eq!(
        keys(&store, "").await,
        ["t/", "t/d/", "t/d/e0", "t/full/", "t/full/object", "u/"]
    );
    assert!(rmdirs(&tree(&store, "u"), true).await.unwrap().is_empty());
    assert_eq!(
        paths(&rmdirs(&tree(&store, "u"), false).await.unwrap()),
        ["u"]
    );
    assert!(rmdirs(&tree(&store, "u"), false).await.is_err());
}

#[tokio::test]
async fn a_checksum_file_is_compared_where_the_store_keeps_other_hashes() {
    let store = memory();
    for (path, content) in [("foo", "foo"), ("other", "else")] {
        let options = storage_core::WriteOptions::default().hashes(storage_core::HashType::Sha256);
        let path = storage_core::ObjectPath::new(path).unwrap();
        store.write(&path, content.into(), options).await.unwrap();
    }
    let text = "acbd18db4cc2f85cedef654fccc4a4d8  foo\nacbd18db4cc2f85cedef654fccc4a4d8  other\n";
    let sums = Sums::parse(text, None).unwrap();
    let job = Job::verify(sums, tree(&store, ""), Options::default()).unwrap();
    assert_eq!(lines(&collect(job).await), ["= foo", "* other content"]);
}
