use storage_core::{Backend, BackendExt, ListOptions, Prefix};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::prefix::Prefixed;

use crate::path;

#[tokio::test]
async fn nothing_outside_is_seen_and_errors_name_the_path_above() {
    let store = MemoryBackend::new();
    for key in ["data/a", "data/b/c", "database/x", "dat"] {
        store.put(key, key).await.unwrap();
    }
    let backend = store
        .clone()
        .layer(Prefixed::new(Prefix::new("data").unwrap()));
    let everything = ListOptions::default().recursive(true);
    let entries = backend.entries(Prefix::root(), everything).collect().await;
    let keys: Vec<_> = entries.unwrap().into_iter().map(|e| e.path).collect();
    assert_eq!(keys, [path("a"), path("b/c")]);
    assert_eq!(backend.get("b/c").await.unwrap(), "data/b/c");
    let error = backend.get("x").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("data"), "{error:?}");
    assert_eq!(error.path(), Some("x"));
    let opened = backend.open("a").await.unwrap();
    assert_eq!(opened.info().path, path("a"));
}

#[tokio::test]
async fn the_identity_has_the_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let files = storage_file::FileBackend::open(folder.path())
        .await
        .unwrap();
    let below = files.identity().unwrap();
    let prefixed = files.layer(Prefixed::new(Prefix::new("a b").unwrap()));
    assert_eq!(prefixed.identity().unwrap(), format!("{below}a b/"));
}
