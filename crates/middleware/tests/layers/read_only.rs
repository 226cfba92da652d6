use storage_core::{
    Backend, BackendExt, Features, ListOptions, Prefix, Result, RmdirOptions, WriteMode,
    WriteOptions,
};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::read_only::ReadOnly;

use crate::path;

fn refused<T>(outcome: Result<T>) {
    let error = outcome.err().unwrap();
    assert!(error.is_unsupported() && error.path().is_some(), "{error}");
}

#[tokio::test]
async fn what_changes_the_store_is_refused_and_the_rest_is_not() {
    let store = MemoryBackend::new();
    store.put("a/b", "hello").await.unwrap();
    let version = store.try_stat("a/b").await.unwrap().unwrap().version;
    let backend = store.clone().layer(ReadOnly);
    let extended = backend.extended().unwrap();
    let (at, to) = (path("a/b"), path("c"));
    let options = WriteOptions::default;
    for mode in [WriteMode::Replace, WriteMode::CreateNew, WriteMode::Append] {
        refused(backend.write(&to, "x".into(), mode.into()).await);
    }
    refused(backend.writer(&to, options()).await);
    refused(backend.delete(&at).await);
    refused(extended.mkdir(&to).await);
    refused(
        extended
            .rmdir(&path("a"), RmdirOptions::default().recursive(true))
            .await,
    );
    refused(extended.copy(&at, &to, options()).await);
    refused(extended.rename(&at, &to, options()).await);
    refused(extended.set_modified(&at, std::time::UNIX_EPOCH).await);

    assert_eq!(backend.get("a/b").await.unwrap(), "hello");
    let now = backend.try_stat("a/b").await.unwrap().unwrap();
    assert_eq!(now.version, version);
    let everything = ListOptions::default().recursive(true);
    let listed = backend.entries(Prefix::root(), everything).collect().await;
    assert_eq!(listed.unwrap().len(), 1);
    let kept = Features::NONE
        .with_range_read(true)
        .with_versions(true)
        .with_hashes(true)
        .with_directories(true);
    assert_eq!(extended.features(), kept);
    backend.close().await.unwrap();
    assert!(backend.put("a", "x").await.unwrap_err().is_backend_closed());
}
