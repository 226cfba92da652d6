//! Listings from a manifest.

use std::sync::Arc;

use storage_core::{
    Backend, BackendExt, Config, ErrorKind, HashType, ListOptions, ObjectInfo, Prefix, Registry,
    Result,
};
use storage_http::{HttpBackend, HttpFactory};
use storage_memory::MemoryBackend;
use storage_static_server::StaticServer;

const MANIFEST: &str = r#"{"event":"entry","path":"b/c","size":3,"modified":"2026-11-21T19:32:40.6Z"}
{"event":"entry","path":"b","is_dir":true}
{"event":"entry","path":"a","size":2,"hashes":{"crc32c":"01020304"}}
{"event":"summary","errors":0}
"#;

async fn all(backend: &HttpBackend) -> Result<Vec<ObjectInfo>> {
    let options = ListOptions::default().recursive(true).limit(1);
    backend.entries(Prefix::root(), options).collect().await
}

#[tokio::test]
async fn a_manifest_lists_what_no_index_shows() -> Result<()> {
    let memory = MemoryBackend::builder().directories(false).build();
    memory.put("lists/all.ndjson", MANIFEST).await?;
    memory.put("a", "12").await?;
    let served = StaticServer::start(Arc::new(memory.clone())).await?;
    let mut registry = Registry::new();
    registry.register("http", HttpFactory)?;
    let uri = format!("{}?manifest=lists/all.ndjson", served.url());
    let opened = registry.open_uri(&uri).await?;
    assert_eq!(opened.get("a").await?, "12");
    let level = opened
        .entries(Prefix::root(), ListOptions::default())
        .collect()
        .await?;
    assert_eq!(
        level
            .iter()
            .map(ObjectInfo::listing_key)
            .collect::<Vec<_>>(),
        ["a", "b/"]
    );

    let backend = HttpBackend::builder(served.url())
        .manifest("lists/all.ndjson")
        .open()
        .await?;
    let entries = all(&backend).await?;
    assert_eq!(
        entries
            .iter()
            .map(|entry| entry.path.as_str())
            .collect::<Vec<_>>(),
        ["a", "b/c"]
    );
    assert!(entries[0].hashes.get(HashType::Crc32c).is_some());
    assert_eq!((entries[1].size, entries[0].modified), (Some(3), None));

    memory
        .put("lists/all.ndjson", "{\"path\":\"new\"}\n")
        .await?;
    assert_eq!(
        all(&backend).await?.len(),
        1,
        "a change of the manifest is not seen"
    );
    memory
        .put(
            "lists/all.ndjson",
            "{\"path\":\"new\"}\n{\"path\":\"/new\"}",
        )
        .await?;
    let error = all(&backend).await.unwrap_err();
    assert!(
        error.is_corrupt() && error.to_string().contains("line 2"),
        "{error}"
    );
    memory.remove("lists/all.ndjson").await?;
    assert!(all(&backend).await.unwrap_err().is_not_found());
    Ok(())
}

#[tokio::test]
async fn a_manifest_that_cannot_be_is_refused_on_opening() -> Result<()> {
    let served = StaticServer::start(Arc::new(MemoryBackend::new())).await?;
    for (manifest, kind) in [
        ("missing", ErrorKind::NotFound),
        ("file:///etc/passwd", ErrorKind::Config),
        ("http://me:hush@127.0.0.1/x", ErrorKind::Config),
    ] {
        let config = Config::new()
            .with("endpoint", served.url())
            .with("manifest", manifest);
        let mut registry = Registry::new();
        registry.register("http", HttpFactory)?;
        let error = registry.open("http", config).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn everything_that_writes_is_refused() -> Result<()> {
    let served = StaticServer::start(Arc::new(MemoryBackend::new())).await?;
    let backend = HttpBackend::builder(served.url()).open().await?;
    assert!(backend.put("x", "y").await.unwrap_err().is_unsupported());
    assert!(backend.append("x", "y").await.unwrap_err().is_unsupported());
    assert!(backend.remove("x").await.unwrap_err().is_unsupported());
    assert!(
        backend
            .writer(&"x".parse()?, Default::default())
            .await
            .is_err()
    );
    backend.close().await?;
    assert_eq!(
        backend.remove("x").await.unwrap_err().kind(),
        ErrorKind::BackendClosed
    );
    Ok(())
}
