use storage_core::{BackendExt, Operation};
use storage_faults::{Counting, Intercept};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Comparison, Event, Options};

use crate::trees::{FILLED, Store, events, fill, flat, masked, memory, objects, put, run, times};

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
