use std::sync::Arc;
use std::time::{Duration, SystemTime};

use storage_core::{
    Backend, BackendExt, Bytes, ExtendedBackend, HashType, Metadata, Payload, PayloadSource,
    ReadOptions, WriteMode, WriteOptions,
};
use storage_memory::MemoryBackend;

use crate::path;

#[tokio::test]
async fn bytes_go_in_and_out_without_a_copy() {
    let backend = MemoryBackend::new();
    let given = Bytes::from(vec![1; 100_000]);
    backend.put("a", given.clone()).await.unwrap();
    let whole = backend.get("a").await.unwrap();
    assert_eq!(whole.as_ptr(), given.as_ptr());
    let part = backend.read_range("a", 500..600).await.unwrap();
    assert_eq!(part.as_ptr(), given[500..].as_ptr());
    let streamed = backend.open("a").await.unwrap().bytes().await.unwrap();
    assert_eq!(streamed.as_ptr(), given.as_ptr());
}

#[tokio::test]
async fn a_streamed_object_is_handed_on_piece_by_piece_without_a_copy() {
    let backend = MemoryBackend::new();
    let chunk = Bytes::from(vec![3; 1 << 20]);
    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    for _ in 0..3 {
        writer.write_bytes(chunk.clone()).await.unwrap();
    }
    writer.finish().await.unwrap();
    let payload = backend.open("a").await.unwrap().into_payload().unwrap();
    backend.put("b", payload).await.unwrap();
    let mut reader = backend.open("b").await.unwrap();
    for _ in 0..3 {
        let piece = reader.chunk().await.unwrap().unwrap();
        assert_eq!((piece.as_ptr(), piece.len()), (chunk.as_ptr(), 1 << 20));
    }
    assert!(reader.chunk().await.is_none());
}

#[tokio::test]
async fn readers_keep_their_snapshot() {
    let backend = MemoryBackend::new();
    backend.put("a", "one").await.unwrap();
    backend.append("a", vec![0; 100_000]).await.unwrap();
    backend.append("a", "two").await.unwrap();
    let reader = backend.open("a").await.unwrap();
    backend.append("a", "three").await.unwrap();
    backend.clear();
    let bytes = reader.bytes().await.unwrap();
    assert_eq!(bytes.len(), 100_006);
    assert!(bytes.ends_with(b"\0two"));
}

#[tokio::test]
async fn an_append_to_a_copy_or_to_its_source_changes_the_other_not() {
    let backend = MemoryBackend::new();
    backend.put("a", vec![1; 70_000]).await.unwrap();
    backend.append("a", vec![2; 70_000]).await.unwrap();
    backend.copy_path("a", "b").await.unwrap();
    backend.append("a", "source").await.unwrap();
    backend.append("b", "copy").await.unwrap();
    assert!(backend.get("a").await.unwrap().ends_with(b"\x02source"));
    assert!(backend.get("b").await.unwrap().ends_with(b"\x02copy"));
}

#[tokio::test]
async fn a_copy_keeps_attributes_and_the_options_override_them() {
    let backend = MemoryBackend::new();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let metadata = Metadata::from([("k".to_owned(), "v".to_owned())]);
    let options = WriteOptions::default()
        .content_type("text/plain")
        .cache_control("no-store")
        .metadata(metadata.clone())
        .modified(long_ago)
        .hashes(HashType::Md5);
    backend
        .write(&path("a"), "abc".into(), options)
        .await
        .unwrap();
    let options = WriteOptions::default()
        .content_type("text/css")
        .hashes(HashType::Crc32c);
    backend.copy(&path("a"), &path("b"), options).await.unwrap();
    let copy = backend.stat(&path("b")).await.unwrap();
    assert_eq!(copy.content_type.as_deref(), Some("text/css"));
    assert_eq!(copy.cache_control.as_deref(), Some("no-store"));
    assert_eq!((copy.metadata, copy.modified), (metadata, Some(long_ago)));
    assert_eq!(
        copy.hashes.get_hex(HashType::Crc32c).as_deref(),
        Some("364b3fb7")
    );
    assert!(copy.hashes.get(HashType::Md5).is_some());
}

#[tokio::test]
async fn an_append_keeps_attributes_but_not_digests() {
    let backend = MemoryBackend::new();
    let options = WriteOptions::default()
        .content_type("text/plain")
        .hashes(HashType::Md5);
    backend
        .write(&path("a"), "abc".into(), options)
        .await
        .unwrap();
    let written = backend.append("a", "def").await.unwrap();
    assert_eq!(written.size, 6);
    let info = backend.stat(&path("a")).await.unwrap();
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert!(info.hashes.is_empty());
    let verified = backend
        .read(&path("a"), ReadOptions::default().verify(true))
        .await;
    assert!(verified.unwrap_err().is_unsupported());
}

struct Liar(u64);

impl PayloadSource for Liar {
    fn len(&self) -> u64 {
        self.0
    }

    fn stream(&self) -> storage_core::ByteStream {
        Payload::from("four").stream()
    }
}

#[tokio::test]
async fn a_source_that_gives_another_number_of_bytes_publishes_nothing() {
    let backend = MemoryBackend::new();
    let lie = Payload::from_source(Arc::new(Liar(5)));
    assert!(backend.put("a", lie).await.unwrap_err().is_corrupt());
    assert!(backend.is_empty());
    backend
        .put("a", Payload::from_source(Arc::new(Liar(4))))
        .await
        .unwrap();
    assert_eq!(backend.get("a").await.unwrap(), "four");
}

#[tokio::test]
async fn verified_reads_give_the_bytes() {
    let backend = MemoryBackend::new();
    let options = WriteOptions::default().hashes(HashType::Sha256);
    let rope = Payload::from(vec![
        Bytes::from(vec![1; 70_000]),
        Bytes::from(vec![2; 70_000]),
    ]);
    backend.write(&path("a"), rope, options).await.unwrap();
    let options = ReadOptions::default().verify(true);
    let bytes = backend.read(&path("a"), options.clone()).await.unwrap();
    assert_eq!(bytes.len(), 140_000);
    let part = backend.read(&path("a"), options.range(0..3)).await;
    assert!(part.unwrap_err().is_unsupported());
}

#[tokio::test]
async fn versions_of_two_stores_differ() {
    let (one, two) = (MemoryBackend::new(), MemoryBackend::new());
    let version = one.put("a", "x").await.unwrap().version.unwrap();
    two.put("a", "x").await.unwrap();
    let error = two.put_if("a", "y", Some(version)).await.unwrap_err();
    assert!(error.is_precondition_failed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_creators_one_wins_and_no_increment_is_lost() {
    let backend = Arc::new(MemoryBackend::new());
    let tasks: Vec<_> = (0..64u32)
        .map(|n| {
            let backend = Arc::clone(&backend);
            tokio::spawn(async move {
                let options = WriteOptions::from(WriteMode::CreateNew);
                let created = backend
                    .write(&path("new"), n.to_string().into(), options)
                    .await;
                increment(&backend).await;
                created.is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += u32::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
    assert_eq!(backend.get("count").await.unwrap(), "64");
}

async fn increment(backend: &MemoryBackend) {
    loop {
        let (count, version) = match backend.open("count").await {
            Ok(reader) => {
                let version = reader.info().version.clone();
                let bytes = reader.bytes().await.unwrap();
                (
                    std::str::from_utf8(&bytes).unwrap().parse().unwrap(),
                    version,
                )
            }
            Err(_) => (0u32, None),
        };
        if backend
            .put_if("count", (count + 1).to_string(), version)
            .await
            .is_ok()
        {
            return;
        }
    }
}
