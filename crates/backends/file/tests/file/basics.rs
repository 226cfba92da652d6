use storage_core::*;
use storage_file::FileBackend;

async fn backend() -> (tempfile::TempDir, FileBackend) {
    let dir = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(dir.path()).await.unwrap();
    (dir, backend)
}

fn names(dir: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn objects_come_back_and_leave_nothing_else() {
    let (dir, backend) = backend().await;
    let big = vec![7u8; 3 << 20];
    backend.put("a/b/small", "hello").await.unwrap();
    backend.put("a/big", big.clone()).await.unwrap();
    assert_eq!(backend.get("a/b/small").await.unwrap(), "hello");
    assert_eq!(backend.get("a/big").await.unwrap(), big);
    let streamed = backend.open("a/big").await.unwrap().bytes().await.unwrap();
    assert_eq!(streamed, big);
    assert_eq!(backend.read_range("a/b/small", 1..3).await.unwrap(), "el");
    assert_eq!(names(&dir.path().join("a")), ["b", "big"]);
    let mut writer = backend
        .writer(&ObjectPath::new("w").unwrap(), WriteOptions::default())
        .await
        .unwrap();
    for _ in 0..5 {
        writer.write_bytes(big.clone().into()).await.unwrap();
    }
    let written = writer.finish().await.unwrap();
    assert_eq!(written.size, 15 << 20);
    let all = backend
        .entries(
            Prefix::root(),
            ListOptions::default().recursive(true).limit(1),
        )
        .collect()
        .await
        .unwrap();
    let keys: Vec<_> = all.iter().map(|info| info.path.as_str()).collect();
    assert_eq!(keys, ["a/b/small", "a/big", "w"]);
    assert!(backend.remove("a/big").await.unwrap());
    assert!(!backend.remove("a/big").await.unwrap());
    assert!(backend.remove("a").await.unwrap_err().is_directory());
}

#[tokio::test]
async fn attributes_are_kept_by_copy_and_rename() {
    let (_dir, backend) = backend().await;
    let path = ObjectPath::new("x").unwrap();
    let options = WriteOptions::default()
        .content_type("text/plain")
        .cache_control("no-store")
        .metadata([("k".to_owned(), "v=w".to_owned())].into())
        .hashes(HashType::Sha256)
        .modified(std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 123_456_789));
    let written = backend.write(&path, "abc".into(), options).await.unwrap();
    let info = backend.stat(&path).await.unwrap();
    assert_eq!(info.version, written.version);
    assert_eq!(info.hashes, written.hashes);
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    let copy = ObjectPath::new("d/y").unwrap();
    backend
        .copy(&path, &copy, WriteOptions::default())
        .await
        .unwrap();
    let moved = ObjectPath::new("e/z").unwrap();
    backend
        .rename(&copy, &moved, WriteOptions::default())
        .await
        .unwrap();
    let again = backend.stat(&moved).await.unwrap();
    assert_eq!(again.metadata, info.metadata);
    assert_eq!(again.hashes, info.hashes);
    assert_eq!(again.modified, info.modified);
    assert_eq!(again.cache_control, info.cache_control);
    assert!(backend.stat(&copy).await.unwrap_err().is_not_found());
    backend
        .set_modified(&moved, std::time::UNIX_EPOCH)
        .await
        .unwrap();
    let again = backend.stat(&moved).await.unwrap();
    assert_eq!(again.hashes, info.hashes);
    assert_eq!(again.modified, Some(std::time::UNIX_EPOCH));
    backend.append("e/z", "d").await.unwrap();
    let again = backend.stat(&moved).await.unwrap();
    assert!(again.hashes.is_empty());
    assert_eq!(again.content_type, info.content_type);
}
