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

/// A link to the source is no copy of it.
#[cfg(unix)]
#[tokio::test]
async fn a_move_onto_a_link_to_the_source_keeps_the_content() {
    for hard in [false, true] {
        for two_roots in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let open = || storage_file::FileBackend::open(dir.path());
            let store: Store = Arc::new(open().await.unwrap());
            let other: Store = match two_roots {
                true => Arc::new(open().await.unwrap()),
                false => Arc::clone(&store),
            };
            put(&store, "a/f", "precious", 3).await;
            std::fs::create_dir(dir.path().join("b")).unwrap();
            let link = dir.path().join("b/l");
            match hard {
                true => std::fs::hard_link(dir.path().join("a/f"), &link).unwrap(),
                false => std::os::unix::fs::symlink("../a/f", &link).unwrap(),
            }
            let (from, to) = (location(&store, "a/f"), location(&other, "b/l"));
            let job = Job::move_file(&from, &to, Options::default()).unwrap();
            job.run().summary().await.unwrap();
            assert_eq!(std::fs::read(&link).unwrap(), b"precious");
            assert!(link.symlink_metadata().unwrap().is_file());
            assert!(!store.has("a/f").await.unwrap());
        }
    }
}

/// A directory that is mounted twice: the destination is the source.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_move_onto_the_same_directory_mounted_again_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    std::fs::create_dir(&a).unwrap();
    std::fs::create_dir(&b).unwrap();
    let mount = |arguments: &[&std::ffi::OsStr]| {
        let run = std::process::Command::new(arguments[0])
            .args(&arguments[1..])
            .output();
        run.is_ok_and(|output| output.status.success())
    };
    if !mount(&["mount".as_ref(), "--bind".as_ref(), a.as_ref(), b.as_ref()]) {
        eprintln!("skipped: mounting a directory takes the rights of root");
        return;
    }
    let from: Store = Arc::new(storage_file::FileBackend::open(&a).await.unwrap());
    let to: Store = Arc::new(storage_file::FileBackend::open(&b).await.unwrap());
    put(&from, "f", "precious", 3).await;
    let job = Job::new(
        storage_sync::Command::Move,
        Arc::clone(&from).into(),
        to.into(),
        Options::default(),
    );
    let summary = job.unwrap().run().summary().await;
    let kept = std::fs::read(a.join("f"));
    assert!(mount(&["umount".as_ref(), b.as_ref()]));
    assert_eq!(kept.unwrap(), b"precious");
    assert!(summary.is_err(), "{summary:?}");
}
