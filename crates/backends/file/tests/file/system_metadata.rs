//! What the system keeps of files, as metadata.
#![cfg(all(target_os = "linux", not(storage_file_portable)))]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use storage_core::{AttributePolicy, Backend, ExtendedBackend, Metadata, WriteMode, WriteOptions};
use storage_file::{FileBackend, Fsync};

use crate::{has_attributes, path};

async fn fresh() -> (tempfile::TempDir, FileBackend) {
    let dir = tempfile::tempdir().unwrap();
    let builder = FileBackend::builder(dir.path()).fsync(Fsync::None);
    let backend = builder.system_metadata(true).open().await.unwrap();
    (dir, backend)
}

fn metadata(entries: &[(&str, &str)]) -> Metadata {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    entries.iter().map(owned).collect()
}

#[tokio::test]
async fn what_is_written_is_what_the_system_has_and_what_is_told() {
    let (dir, backend) = fresh().await;
    if !has_attributes(&backend) {
        return;
    }
    let given = metadata(&[
        ("mode", "100640"),
        ("atime", "2001-02-03T04:05:06.000000007Z"),
        ("mtime", "2002-02-03T04:05:06.000000008Z"),
        ("colour", "blue"),
        ("xattr-a_2eb", "text"),
        ("xattr16-bin", "00ff"),
    ]);
    for big in [false, true] {
        let content = "x".repeat(if big { 3 << 20 } else { 3 });
        let options = WriteOptions::default().metadata(given.clone());
        let mut writer = backend.writer(&path("f"), options).await.unwrap();
        writer.write_bytes(content.into()).await.unwrap();
        writer.finish().await.unwrap();
        let file = dir.path().join("f");
        let found = fs::metadata(&file).unwrap();
        assert_eq!(found.mode() & 0o7777, 0o640);
        assert_eq!((found.mtime_nsec(), found.atime_nsec()), (8, 7));
        let info = backend.stat(&path("f")).await.unwrap();
        for (key, value) in &given {
            assert_eq!(info.metadata.get(key), Some(value), "{key}");
        }
        assert_eq!(info.metadata["uid"], found.uid().to_string());
        assert!(info.metadata.contains_key("btime"));
        let reader = backend
            .reader(&path("f"), Default::default())
            .await
            .unwrap();
        assert_eq!(reader.info().metadata["xattr-a_2eb"], "text");
    }
    // A copy has all of it, and a time that is given goes before one in the metadata.
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    backend
        .copy(
            &path("f"),
            &path("g"),
            WriteOptions::default().modified(time),
        )
        .await
        .unwrap();
    let info = backend.stat(&path("g")).await.unwrap();
    assert_eq!(info.modified, Some(time));
    assert_eq!(
        (&*info.metadata["mode"], &*info.metadata["colour"]),
        ("100640", "blue")
    );
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_or_left_out_as_asked() {
    let (_dir, backend) = fresh().await;
    let odd = WriteOptions::default().metadata(metadata(&[("mode", "rw"), ("uid", "me")]));
    let written = Backend::write(&backend, &path("f"), "1".into(), odd.clone()).await;
    let error = written.unwrap_err();
    assert!(
        error.kind() == storage_core::ErrorKind::Config && error.to_string().contains("me"),
        "{error}"
    );
    let lenient = odd.attributes(AttributePolicy::IfSupported);
    Backend::write(&backend, &path("f"), "1".into(), lenient)
        .await
        .unwrap();
    let append = WriteOptions::from(WriteMode::Append).metadata(metadata(&[("a", "b")]));
    let appended = Backend::write(&backend, &path("f"), "1".into(), append).await;
    assert!(appended.unwrap_err().is_unsupported());
}

/// Rights to run as somebody else go with the owner that they were given by.
#[tokio::test]
async fn a_foreign_owner_leaves_no_set_id_bits() {
    let (dir, backend) = fresh().await;
    let given = metadata(&[("mode", "104755"), ("uid", "12345"), ("gid", "12345")]);
    let options = WriteOptions::default().metadata(given);
    let options = options.attributes(AttributePolicy::IfSupported);
    Backend::write(&backend, &path("f"), "1".into(), options)
        .await
        .unwrap();
    let found = fs::metadata(dir.path().join("f")).unwrap();
    let is_set = found.mode() & 0o4000 != 0;
    assert_eq!(
        found.uid() == 12345,
        is_set,
        "{:o} of {}",
        found.mode(),
        found.uid()
    );
}
