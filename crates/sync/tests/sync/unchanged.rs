use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use storage_core::{BackendExt, ObjectInfo, ObjectPath, Operation};
use storage_faults::{Call, Counting, Intercept};
use storage_file::FileBackend;
use storage_memory::MemoryBackend;
use storage_sync::{Command, Comparison, Event, Options};

use crate::trees::{
    FILLED, Store, at, events, fill, flat, masked, memory, objects, put, run, times,
};

/// Sources and destinations of every kind, the store underneath last.
fn destinations() -> Vec<(&'static str, Store)> {
    vec![
        ("memory", memory()),
        ("flat", flat()),
        ("times in metadata", masked(&["set_modified"])),
        (
            "neither times nor metadata",
            masked(&["set_modified", "custom_metadata"]),
        ),
        (
            "nothing kept at all",
            masked(&["set_modified", "custom_metadata", "hashes", "versions"]),
        ),
    ]
}

#[tokio::test]
async fn second_run_transfers_nothing_on_every_pair() {
    for command in [Command::Sync, Command::Copy] {
        for (name, to) in destinations() {
            for (source, from) in [("memory", memory()), ("flat", flat())] {
                fill(&from, "src/").await;
                let first = run(command, &from, &to, Options::default()).await.unwrap();
                assert_eq!(
                    first.created,
                    if source == "memory" { FILLED } else { 0 },
                    "{name}"
                );
                assert_eq!(objects(&from, "src").await, objects(&to, "dst").await);
                let second = run(command, &from, &to, Options::default()).await.unwrap();
                let changed = second.created + second.updated + second.deleted + second.bytes;
                assert_eq!((changed, second.skipped), (0, FILLED), "{source} to {name}");
            }
        }
    }
}

#[tokio::test]
async fn second_run_from_a_store_with_times_in_metadata_transfers_nothing() {
    let (from, between, to) = (memory(), masked(&["set_modified"]), memory());
    fill(&from, "src/").await;
    crate::trees::run(Command::Copy, &from, &between, Options::default())
        .await
        .unwrap();
    let back = |options| {
        let source = crate::trees::tree(&between, "dst");
        let destination = crate::trees::tree(&to, "back");
        storage_sync::Job::new(Command::Copy, source, destination, options)
            .unwrap()
            .run()
            .summary()
    };
    assert_eq!(back(Options::default()).await.unwrap().created, FILLED);
    assert_eq!(
        times(&from, "src").await,
        times(&to, "back").await,
        "through the metadata"
    );
    assert_eq!(back(Options::default()).await.unwrap().skipped, FILLED);
}

#[tokio::test]
async fn modified_time_is_preserved() {
    let (from, to) = (memory(), memory());
    fill(&from, "src/").await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(times(&from, "src").await, times(&to, "dst").await);
}

#[tokio::test]
async fn modified_time_is_kept_in_metadata_where_the_store_has_none() {
    let (from, to) = (memory(), masked(&["set_modified"]));
    put(&from, "src/a", "x", 5).await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    let kept = to.try_stat("dst/a").await.unwrap().unwrap().metadata;
    assert_eq!(
        kept.get("mtime").map(String::as_str),
        Some("2023-11-14T22:13:25.123456789Z")
    );
}

#[tokio::test]
async fn a_run_says_when_it_compares_by_content_for_lack_of_times() {
    for (to, expected) in [
        (memory(), Comparison::SizeAndTime),
        (masked(&["set_modified"]), Comparison::SizeAndTime),
        (
            masked(&["set_modified", "custom_metadata"]),
            Comparison::Checksum,
        ),
    ] {
        let from = memory();
        fill(&from, "src/").await;
        let events = events(Command::Sync, &from, &to, Options::default()).await;
        let Some(Event::Started { comparison, .. }) = events.first() else {
            panic!("the first event is {:?}", events.first());
        };
        assert_eq!(*comparison, expected);
    }
}

#[tokio::test]
async fn an_unchanged_tree_costs_listings_and_nothing_else() {
    let counting = Counting::new();
    let from: Store = std::sync::Arc::new(counting.over(MemoryBackend::new()));
    let to: Store = std::sync::Arc::new(counting.over(MemoryBackend::new()));
    fill(&from, "src/").await;
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    counting.reset();
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(counting.calls(), counting.of(Operation::List).calls);
}

/// An object store that lists entity tags but no metadata.
#[derive(Debug, Clone)]
struct Tags(&'static str);

impl Intercept for Tags {
    fn edit_info(&self, info: &mut ObjectInfo) {
        info.metadata.clear();
        info.etag = Some(self.0.into());
    }
}

#[tokio::test]
async fn an_entity_tag_saves_a_request_for_a_small_object_that_is_no_newer() {
    const MD5_OF_X: &str = "\"9dd4e461268c8034f5c8564e155c67a6\"";
    let soon = SystemTime::now() + Duration::from_secs(60);
    for (tag, modified, asked) in [
        (MD5_OF_X, at(5), false),
        ("\"0dd4e461268c8034f5c8564e155c67a6\"", at(5), true),
        ("\"9dd4e461268c8034f5c8564e155c67a6-2\"", at(5), true),
        (MD5_OF_X, soon, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let from: Store = Arc::new(FileBackend::open(folder.path()).await.unwrap());
        let inner = masked(&["set_modified"]);
        from.put("src/a", "x").await.unwrap();
        let source = from.as_extended().unwrap();
        let path = ObjectPath::new("src/a").unwrap();
        source.set_modified(&path, modified).await.unwrap();
        run(Command::Sync, &from, &inner, Options::default())
            .await
            .unwrap();
        let counting = Counting::new();
        let to: Store = Arc::new(counting.over(Tags(tag).over(inner)));
        run(Command::Sync, &from, &to, Options::default().dry_run(true))
            .await
            .unwrap();
        let requests = counting.of(Operation::Stat).calls;
        assert_eq!(requests > 0, asked, "{tag} {modified:?}");
    }
}

/// An object store whose listings leave modified times out.
#[derive(Debug, Clone, Default)]
struct BareListings(Arc<AtomicBool>);

#[storage_core::async_trait]
impl Intercept for BareListings {
    async fn before(&self, call: &mut Call<'_>) -> storage_core::Result<()> {
        let lists = call.operation() == Operation::List;
        self.0.store(lists, Ordering::SeqCst);
        Ok(())
    }

    fn edit_info(&self, info: &mut ObjectInfo) {
        if self.0.load(Ordering::SeqCst) {
            info.modified = None;
        }
    }
}

#[tokio::test]
async fn a_time_that_the_listing_lacks_costs_a_request_and_no_content() {
    let (from, inner) = (memory(), flat());
    put(&from, "src/a", "x", 5).await;
    run(Command::Sync, &from, &inner, Options::default())
        .await
        .unwrap();
    let counting = Counting::new();
    let to: Store = Arc::new(counting.over(BareListings::default().over(inner)));
    let again = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(
        (again.skipped, again.updated, again.read_to_compare),
        (1, 0, 0)
    );
    assert_eq!(counting.of(Operation::Stat).calls, 1);
    assert_eq!(counting.of(Operation::Read).calls, 0);
}
