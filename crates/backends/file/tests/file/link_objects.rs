//! Links as objects of their own.
#![cfg(all(target_os = "linux", not(storage_file_portable)))]

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use storage_core::{
    AttributePolicy, Backend, BackendExt, ByteRange, ExtendedBackend, HashType, ReadOptions,
    WriteMode, WriteOptions,
};
use storage_file::{FileBackend, Fsync, SymbolicLinks};

use crate::{keys, path, temporary_files};

async fn fresh() -> (tempfile::TempDir, FileBackend) {
    let dir = tempfile::tempdir().unwrap();
    let builder = FileBackend::builder(dir.path()).fsync(Fsync::None);
    let backend = builder.links(SymbolicLinks::Objects).open().await.unwrap();
    (dir, backend)
}

#[tokio::test]
async fn links_are_listed_and_read_as_objects() {
    let (dir, backend) = fresh().await;
    backend.put("d/x", "1").await.unwrap();
    for (target, link) in [
        ("d/x", "a"),
        ("d", "b"),
        ("nowhere", "c"),
        ("/etc", "d/out"),
    ] {
        symlink(target, dir.path().join(link)).unwrap();
    }
    backend.put("a.b", "2").await.unwrap();
    let expected = [
        "a.b",
        "a.rclonelink",
        "b.rclonelink",
        "c.rclonelink",
        "d/",
        "d/out.rclonelink",
        "d/x",
    ];
    assert_eq!(keys(&backend).await, expected);
    for (object, target) in [
        ("a.rclonelink", "d/x"),
        ("c.rclonelink", "nowhere"),
        ("d/out.rclonelink", "/etc"),
    ] {
        assert_eq!(backend.get(object).await.unwrap(), target);
        let info = backend.stat(&path(object)).await.unwrap();
        assert_eq!(info.size, Some(target.len() as u64));
        assert!(info.version.is_some() && info.modified.is_some());
        assert!(backend.exists(&path(object)).await.unwrap());
    }
    let part = ReadOptions::default().range(ByteRange::from(1..3));
    let read = Backend::read(&backend, &path("c.rclonelink"), part).await;
    assert_eq!(read.unwrap(), "ow");
    // Neither under its own name, nor as a way to something else.
    for hidden in ["a", "b/x", "d/out/passwd"] {
        assert!(backend.get(hidden).await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn an_object_is_written_as_the_link_that_it_stands_for() {
    let (dir, backend) = fresh().await;
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 5);
    let options = WriteOptions::default()
        .modified(time)
        .verify(HashType::Crc32c)
        .content_type("text/plain")
        .attributes(AttributePolicy::IfSupported);
    let link = path("d/e/l.rclonelink");
    let payload = || "../else where".into();
    let written = Backend::write(&backend, &link, payload(), options).await;
    let written = written.unwrap();
    assert_eq!((written.size, written.modified), (13, Some(time)));
    assert!(written.hashes.get(HashType::Crc32c).is_some());
    let at = dir.path().join("d/e/l");
    assert_eq!(fs::read_link(&at).unwrap().to_str(), Some("../else where"));

    // By a stream, in place of another link.
    let mut writer = backend
        .writer(&link, WriteOptions::default())
        .await
        .unwrap();
    for piece in ["/a", "bs"] {
        writer.write_bytes(piece.into()).await.unwrap();
    }
    writer.finish().await.unwrap();
    assert_eq!(fs::read_link(&at).unwrap().to_str(), Some("/abs"));
    backend.set_modified(&link, time).await.unwrap();
    let found = fs::symlink_metadata(&at).unwrap().modified().unwrap();
    assert_eq!(found, time);

    let to = path("copy.rclonelink");
    backend
        .copy(&link, &to, WriteOptions::default())
        .await
        .unwrap();
    backend
        .rename(&link, &path("moved.rclonelink"), WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(
        keys(&backend).await,
        ["copy.rclonelink", "d/", "d/e/", "moved.rclonelink"]
    );
    assert!(backend.delete(&to).await.unwrap());
    assert!(!backend.delete(&to).await.unwrap());
    assert!(temporary_files(&dir.path().join("d/e")).is_empty());
}

#[tokio::test]
async fn what_is_no_link_is_refused_and_nothing_is_lost() {
    let (dir, backend) = fresh().await;
    let link = path("l.rclonelink");
    for content in [String::new(), "a\0b".to_owned(), "x".repeat(5000)] {
        let error = backend.put(&*link, content).await.unwrap_err();
        assert!(error.is_invalid_path(), "{error}");
    }
    let big = "x".repeat(3 << 20);
    assert!(
        backend
            .put(&*link, big)
            .await
            .unwrap_err()
            .is_invalid_path()
    );
    let append = Backend::write(&backend, &link, "t".into(), WriteMode::Append.into()).await;
    assert!(append.unwrap_err().is_unsupported());
    // A file and a directory stay in their places.
    backend.put("l", "file").await.unwrap();
    let error = backend.put(&*link, "t").await.unwrap_err();
    assert!(error.is_not_directory(), "{error}");
    assert_eq!(backend.get("l").await.unwrap(), "file");
    backend.put("k/x", "1").await.unwrap();
    let error = backend.put("k.rclonelink", "t").await.unwrap_err();
    assert!(error.is_directory(), "{error}");
    assert!(temporary_files(dir.path()).is_empty());

    // Nothing is written through a link; a file takes the place of one.
    symlink("k", dir.path().join("way")).unwrap();
    let error = backend.put("way/y", "1").await.unwrap_err();
    assert!(error.is_not_directory(), "{error}");
    assert!(!dir.path().join("k/y").exists());
    let new = WriteOptions::from(WriteMode::CreateNew);
    let taken = Backend::write(&backend, &path("way"), "2".into(), new).await;
    assert!(taken.unwrap_err().is_not_directory());
    backend.put("way", "2").await.unwrap();
    assert!(dir.path().join("way").symlink_metadata().unwrap().is_file());
    assert!(dir.path().join("k/x").is_file());
}

#[tokio::test]
async fn a_link_is_replaced_on_condition() {
    let (dir, backend) = fresh().await;
    let link = path("l.rclonelink");
    let first = backend.put(&*link, "a").await.unwrap().version.unwrap();
    let on = |version: &storage_core::Version| WriteMode::IfVersion(version.clone()).into();
    let second = Backend::write(&backend, &link, "b".into(), on(&first)).await;
    let second = second.unwrap().version.unwrap();
    let late = Backend::write(&backend, &link, "c".into(), on(&first)).await;
    assert!(late.unwrap_err().is_precondition_failed());
    assert_eq!(
        fs::read_link(dir.path().join("l")).unwrap().to_str(),
        Some("b")
    );
    backend.delete(&link).await.unwrap();
    let gone = Backend::write(&backend, &link, "c".into(), on(&second)).await;
    assert!(gone.unwrap_err().is_precondition_failed());
    let new = || WriteMode::CreateNew.into();
    Backend::write(&backend, &link, "d".into(), new())
        .await
        .unwrap();
    let taken = Backend::write(&backend, &link, "e".into(), new()).await;
    assert!(taken.unwrap_err().is_already_exists());
    assert!(temporary_files(dir.path()).is_empty());
}
