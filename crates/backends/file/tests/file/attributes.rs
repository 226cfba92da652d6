use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use storage_core::{
    Backend, BackendExt, ExtendedBackend, HashType, Payload, ReadOptions, WriteMode, WriteOptions,
};
use storage_file::FileBackend;

use crate::{fresh, path};

fn hashed() -> WriteOptions {
    WriteOptions::default().hashes(HashType::Blake3)
}

/// Hashes vouch for the bytes they were made of: not for what a foreign program put in their place.
#[tokio::test]
async fn hashes_of_a_file_changed_in_place_are_not_given_out() {
    let (dir, backend) = fresh().await;
    let key = path("key");
    backend.write(&key, "abc".into(), hashed()).await.unwrap();
    let before = backend.stat(&key).await.unwrap();
    assert_eq!(before.hashes.types(), HashType::Blake3.into());
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(dir.path().join("key"))
        .unwrap();
    std::io::Write::write_all(&mut &file, b"xyz").unwrap();
    let after = backend.stat(&key).await.unwrap();
    assert!(after.hashes.is_empty());
    assert_ne!(after.version, before.version);
    let verified = backend
        .read(&key, ReadOptions::default().verify(true))
        .await;
    assert!(verified.unwrap_err().is_unsupported());
}

#[tokio::test]
async fn hashes_follow_a_new_modified_time() {
    let (_dir, backend) = fresh().await;
    let key = path("key");
    backend.write(&key, "abc".into(), hashed()).await.unwrap();
    let time = UNIX_EPOCH + Duration::new(1, 5);
    backend.set_modified(&key, time).await.unwrap();
    let info = backend.stat(&key).await.unwrap();
    assert_eq!(info.modified, Some(time));
    assert_eq!(info.hashes.types(), HashType::Blake3.into());
}

/// Bit rot that leaves the times alone is what verification is for.
#[tokio::test]
async fn verification_finds_bytes_changed_behind_the_time_stamp() {
    let (dir, backend) = fresh().await;
    for (name, size) in [("small", 3), ("large", 3 << 20)] {
        let key = path(name);
        backend
            .write(&key, vec![7; size].into(), hashed())
            .await
            .unwrap();
        let modified = backend.stat(&key).await.unwrap().modified.unwrap();
        let at = dir.path().join(name);
        let file = std::fs::OpenOptions::new().write(true).open(at).unwrap();
        std::io::Write::write_all(&mut &file, b"x").unwrap();
        file.set_modified(modified).unwrap();
        let verify = ReadOptions::default().verify(true);
        let whole = backend.read(&key, verify.clone()).await;
        assert!(whole.unwrap_err().is_corrupt());
        let streamed = async { backend.reader(&key, verify).await?.bytes().await };
        assert!(streamed.await.unwrap_err().is_corrupt());
        assert_eq!(backend.get(name).await.unwrap().len(), size);
    }
}

/// Inodes come back at once and the kernel's stamps are coarse: no two writes may look alike, also
/// when the caller sets the same modified time every time.
#[tokio::test]
async fn versions_never_repeat() {
    for modified in [None, Some(UNIX_EPOCH)] {
        let (_dir, backend) = fresh().await;
        let mut seen = HashSet::new();
        for round in 0..2000 {
            let mut options = WriteOptions::default();
            if let Some(modified) = modified {
                options = options.modified(modified);
            }
            if round % 10 == 9 {
                backend.remove("key").await.unwrap();
                options = options.mode(WriteMode::CreateNew);
            }
            let written = backend
                .write(&path("key"), "same".into(), options)
                .await
                .unwrap();
            assert!(seen.insert(written.version.unwrap()), "round {round}");
        }
    }
}

/// A file that was read is copied by the system, whichever backend it came from.
#[tokio::test]
async fn a_reader_is_a_payload_of_another_backend() {
    let ((_one, from), (_two, to)) = (fresh().await, fresh().await);
    let content: Vec<u8> = (0..5 << 20).map(|at: u32| (at % 251) as u8).collect();
    from.put("key", content.clone()).await.unwrap();
    for (range, hashes) in [
        (0..content.len(), false),
        (7..3_000_000, false),
        (1..4_000_000, true),
    ] {
        let options = ReadOptions::from(range.start as u64..range.end as u64);
        let reader = from.reader(&path("key"), options).await.unwrap();
        let payload = reader.into_payload().unwrap();
        assert!(payload.as_file().is_some());
        let mut options = WriteOptions::default();
        if hashes {
            options = hashed();
        }
        for mode in [WriteMode::Replace, WriteMode::Append] {
            let key = path(if mode == WriteMode::Append {
                "log"
            } else {
                "copy"
            });
            if hashes && mode == WriteMode::Append {
                continue;
            }
            to.remove(&key).await.unwrap();
            let written = to
                .write(&key, payload.clone(), options.clone().mode(mode))
                .await;
            assert_eq!(written.unwrap().size, range.len() as u64);
            assert_eq!(to.get(&key).await.unwrap(), content[range.clone()]);
        }
    }
}

#[tokio::test]
async fn a_payload_cut_meanwhile_publishes_nothing() {
    let ((dir, from), (_two, to)) = (fresh().await, fresh().await);
    from.put("key", vec![1; 3 << 20]).await.unwrap();
    let payload: Payload = from.open("key").await.unwrap().into_payload().unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(dir.path().join("key"))
        .unwrap();
    let mut reader = from.open("key").await.unwrap();
    file.set_len(1 << 20).unwrap();
    for options in [WriteOptions::default(), hashed()] {
        let error = to
            .write(&path("copy"), payload.clone(), options)
            .await
            .unwrap_err();
        assert!(error.is_corrupt(), "{error}");
        assert!(!to.has("copy").await.unwrap());
    }
    let mut last = Ok(());
    while let Some(chunk) = reader.chunk().await {
        last = chunk.map(|_| ());
    }
    assert!(last.unwrap_err().is_corrupt());
}

#[tokio::test]
async fn configured_modes_are_taken_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let builder = FileBackend::builder(&root).dir_mode(0o777).file_mode(0o606);
    let backend = builder.open().await.unwrap();
    backend.put("a/b/key", "x").await.unwrap();
    let mode = |at: &str| {
        std::fs::metadata(root.join(at))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777
    };
    assert_eq!(
        [mode("a"), mode("a/b"), mode("a/b/key")],
        [0o777, 0o777, 0o606]
    );
    assert!(
        FileBackend::builder(&root)
            .file_mode(0o10000)
            .open()
            .await
            .is_err()
    );
    let missing = FileBackend::builder(dir.path().join("no")).create(false);
    assert!(missing.open().await.unwrap_err().is_not_found());
    let file = FileBackend::open(root.join("a/b/key")).await;
    assert!(file.unwrap_err().is_not_directory());
}
