//! Jobs on one object under another name.

use std::sync::Arc;

use storage_core::{BackendExt, ErrorKind, Location, ObjectPath};
use storage_sync::{Job, Options, Summary, SyncError};

use crate::trees::{Store, at, flat, keys, masked, memory, put};

fn location(store: &Store, path: &str) -> Location {
    Location::new(Arc::clone(store), ObjectPath::new(path).unwrap())
}

async fn copy(from: &Location, to: &Location) -> Result<Summary, SyncError> {
    let job = Job::copy_file(from, to, Options::default())?;
    job.run().summary().await
}

#[tokio::test]
async fn copy_file_renames_on_the_way_and_a_second_run_sends_nothing() {
    let one = memory();
    for to in [
        memory(),
        flat(),
        masked(&["set_modified"]),
        Arc::clone(&one),
    ] {
        put(&one, "a/x", "content", 3).await;
        let (from, to_place) = (location(&one, "a/x"), location(&to, "b/c/y"));
        let first = copy(&from, &to_place).await.unwrap();
        assert_eq!((first.created, first.updated), (1, 0));
        assert_eq!(to.get("b/c/y").await.unwrap(), "content");
        let second = copy(&from, &to_place).await.unwrap();
        assert_eq!((second.created, second.updated, second.skipped), (0, 0, 1));
        put(&one, "a/x", "other", 4).await;
        let third = copy(&from, &to_place).await.unwrap();
        assert_eq!((third.created, third.updated), (0, 1));
        assert_eq!(to.get("b/c/y").await.unwrap(), "other");
    }
}

#[tokio::test]
async fn move_file_removes_the_source_within_a_store_and_between_two() {
    for (from, to) in [(memory(), memory()), {
        let one = memory();
        (Arc::clone(&one), one)
    }] {
        put(&from, "a/x", "content", 3).await;
        let job = Job::move_file(
            &location(&from, "a/x"),
            &location(&to, "y"),
            Options::default(),
        );
        job.unwrap().run().summary().await.unwrap();
        assert!(!from.has("a/x").await.unwrap());
        let info = to.try_stat("y").await.unwrap().unwrap();
        assert_eq!((info.size, info.modified), (Some(7), Some(at(3))));
        assert!(!keys(&to, "").await.contains(&"x".to_owned()));
    }
}

#[tokio::test]
async fn onto_itself_and_without_a_source_are_refused() {
    let store = memory();
    put(&store, "a", "x", 1).await;
    let itself = copy(&location(&store, "a"), &location(&store, "a")).await;
    assert!(matches!(itself, Err(SyncError::Overlap(_))), "{itself:?}");
    let missing = copy(&location(&store, "b"), &location(&store, "c")).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    let beside = copy(&location(&store, "a"), &location(&store, "a.copy")).await;
    assert_eq!(beside.unwrap().created, 1);
}

#[tokio::test]
async fn a_directory_in_the_place_is_an_error() {
    let store = memory();
    put(&store, "a", "x", 1).await;
    put(&store, "dir/b", "x", 1).await;
    let onto = copy(&location(&store, "a"), &location(&store, "dir")).await;
    assert_eq!(onto.unwrap_err().kind(), ErrorKind::IsDirectory);
}
