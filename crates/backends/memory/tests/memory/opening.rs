use std::sync::Arc;

use storage_core::{Backend, BackendExt, Config, Registry};
use storage_memory::{MemoryBackend, MemoryFactory};

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("memory", MemoryFactory).unwrap();
    registry
}

#[tokio::test]
async fn every_opening_is_a_store_of_its_own_and_a_clone_is_not() {
    let registry = registry();
    let one = registry.open_uri("memory://").await.unwrap();
    let two = registry.open_uri("memory:///").await.unwrap();
    one.put("a", "x").await.unwrap();
    assert!(!two.has("a").await.unwrap());

    let handle = MemoryBackend::new();
    let clone = handle.clone();
    handle.put("a", "x").await.unwrap();
    handle.close().await.unwrap();
    handle.close().await.unwrap();
    assert!(handle.get("a").await.unwrap_err().is_backend_closed());
    assert_eq!(clone.get("a").await.unwrap(), "x");
}

#[tokio::test]
async fn settings_are_taken_and_others_refused() {
    let registry = registry();
    let small = registry
        .open_uri("memory://?max_bytes=1Ki&directories=false")
        .await
        .unwrap();
    assert!(
        small
            .put("a", vec![0; 1025])
            .await
            .unwrap_err()
            .is_quota_exceeded()
    );
    assert!(!small.extended().unwrap().features().directories);
    let unknown = registry
        .open("memory", Config::from_iter([("size", "1")]))
        .await;
    assert!(unknown.unwrap_err().to_string().contains("\"size\""));
    for uri in ["memory://name", "memory:///path"] {
        let error = registry.open_uri(uri).await.unwrap_err();
        assert_eq!(error.kind(), storage_core::ErrorKind::Config);
    }
}

#[tokio::test]
async fn the_debug_form_shows_no_content() {
    let backend = Arc::new(MemoryBackend::new());
    backend.put("key", "content").await.unwrap();
    let shown = format!("{backend:?}");
    assert!(
        shown.contains("len: 1") && !shown.contains("content"),
        "{shown}"
    );
}
