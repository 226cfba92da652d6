use storage_core::BackendExt;
use storage_sync::{Command, Job, Options};

use crate::trees::{contents, flat, memory, put, run, tree};

const ODD: [&str; 19] = [
    "a b",
    "a%20b",
    "a#1",
    "..foo",
    "a..b",
    "...",
    " ",
    "~",
    "ü/ñ",
    "a\\b",
    "a\nb",
    "a/b?c",
    "*",
    "a&b=c",
    "日本語/名前",
    "-rf",
    "e\u{301}",
    "é",
    "a:b|c<d>",
];

#[tokio::test]
async fn odd_names_arrive_as_they_are() {
    let (from, to) = (memory(), memory());
    let long = format!("{}/{}", "x".repeat(200), "y".repeat(200));
    for name in ODD.iter().copied().chain([long.as_str()]) {
        put(&from, &format!("src/{name}"), name.to_owned(), 1).await;
    }
    let first = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(first.created, ODD.len() as u64 + 1);
    assert_eq!(contents(&from, "src").await, contents(&to, "dst").await);
    let second = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(second.skipped, ODD.len() as u64 + 1);
}

#[tokio::test]
async fn a_flat_store_may_hold_an_object_beside_its_directory() {
    let (from, to) = (flat(), flat());
    for name in ["x", "x/y", "x.z", "x/y/z"] {
        put(&from, &format!("src/{name}"), name, 1).await;
    }
    put(&to, "dst/x/extra", "x", 1).await;
    let first = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!((first.created, first.deleted), (4, 1));
    assert_eq!(contents(&from, "src").await, contents(&to, "dst").await);
    let second = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(second.skipped, 4);
}

#[tokio::test]
async fn prefixes_are_whole_segments() {
    let (from, to) = (memory(), memory());
    put(&from, "data/a", "x", 1).await;
    put(&from, "database/b", "x", 1).await;
    put(&to, "database/c", "x", 1).await;
    let job = Job::new(
        Command::Sync,
        tree(&from, "data"),
        tree(&to, "data"),
        Options::default(),
    );
    let summary = job.unwrap().run().summary().await.unwrap();
    assert_eq!((summary.created, summary.deleted), (1, 0));
    assert!(to.has("database/c").await.unwrap());
    let whole = Job::new(
        Command::Sync,
        tree(&from, ""),
        tree(&to, ""),
        Options::default(),
    );
    let summary = whole.unwrap().run().summary().await.unwrap();
    assert_eq!(
        (summary.created, summary.deleted, summary.skipped),
        (1, 1, 1)
    );
}
