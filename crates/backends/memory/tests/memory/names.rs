use storage_core::{
    Backend, BackendExt, Error, ExtendedBackend, ListOptions, Prefix, RmdirOptions, WriteMode,
    WriteOptions,
};
use storage_memory::MemoryBackend;

use crate::path;

async fn rename(backend: &MemoryBackend, from: &str, to: &str) -> Result<(), Error> {
    backend
        .rename(&path(from), &path(to), WriteOptions::default())
        .await
}

async fn keys(backend: &MemoryBackend) -> Vec<String> {
    let options = ListOptions::default().recursive(true).directories(true);
    let entries = backend
        .entries(Prefix::root(), options)
        .collect()
        .await
        .unwrap();
    entries.iter().map(|entry| entry.listing_key()).collect()
}

#[tokio::test]
async fn an_object_and_a_directory_exclude_each_other() {
    let backend = MemoryBackend::new();
    backend.put("d/x", "").await.unwrap();
    assert!(backend.put("d", "").await.unwrap_err().is_directory());
    assert!(backend.get("d").await.unwrap_err().is_directory());
    assert!(backend.remove("d").await.unwrap_err().is_directory());
    assert!(
        backend
            .put("d/x/y", "")
            .await
            .unwrap_err()
            .is_not_directory()
    );
    assert!(
        backend
            .put("d/x/y/z", "")
            .await
            .unwrap_err()
            .is_not_directory()
    );
    assert!(backend.get("d/x/y").await.unwrap_err().is_not_found());
    assert!(!backend.remove("d/x/y").await.unwrap());
    assert!(!backend.has("d").await.unwrap());
    let long = "n".repeat(300);
    backend.put(format!("{long}/x"), "").await.unwrap();
    assert!(backend.put(&long, "").await.unwrap_err().is_directory());
    let almost = "n".repeat(127);
    backend.put(format!("{almost}/x"), "").await.unwrap();
    assert!(backend.put(&almost, "").await.unwrap_err().is_directory());
}

#[tokio::test]
async fn directories_stay_when_they_become_empty() {
    let backend = MemoryBackend::new();
    backend.put("a/b/c", "").await.unwrap();
    backend.delete(&path("a/b/c")).await.unwrap();
    assert_eq!(keys(&backend).await, ["a/", "a/b/"]);
    let plain = RmdirOptions::default();
    assert!(
        backend
            .rmdir(&path("a"), plain)
            .await
            .unwrap_err()
            .is_not_empty()
    );
    backend.rmdir(&path("a/b"), plain).await.unwrap();
    assert!(
        backend
            .rmdir(&path("a/b"), plain)
            .await
            .unwrap_err()
            .is_not_found()
    );
    backend.put("o", "").await.unwrap();
    assert!(
        backend
            .rmdir(&path("o"), plain)
            .await
            .unwrap_err()
            .is_not_directory()
    );
}

#[tokio::test]
async fn an_unfinished_writer_leaves_no_directory() {
    let backend = MemoryBackend::new();
    let writer = backend
        .writer(&path("a/b"), WriteOptions::default())
        .await
        .unwrap();
    drop(writer);
    assert!(keys(&backend).await.is_empty());
}

#[tokio::test]
async fn a_directory_is_renamed_with_all_below_it() {
    let backend = MemoryBackend::new();
    for key in ["d/x", "d/e/y", "d-/z", "d0"] {
        backend.put(key, key.to_owned()).await.unwrap();
    }
    backend.mkdir(&path("d/empty")).await.unwrap();
    rename(&backend, "d", "n/m").await.unwrap();
    let expected = [
        "d-/",
        "d-/z",
        "d0",
        "n/",
        "n/m/",
        "n/m/e/",
        "n/m/e/y",
        "n/m/empty/",
        "n/m/x",
    ];
    assert_eq!(keys(&backend).await, expected);
    assert_eq!(backend.get("n/m/e/y").await.unwrap(), "d/e/y");
}

#[tokio::test]
async fn a_directory_takes_the_place_of_an_empty_directory_only() {
    let backend = MemoryBackend::new();
    backend.put("d/x", "").await.unwrap();
    backend.put("full/x", "").await.unwrap();
    backend.put("object", "").await.unwrap();
    backend.mkdir(&path("empty")).await.unwrap();
    assert!(
        rename(&backend, "d", "d/e")
            .await
            .unwrap_err()
            .is_invalid_path()
    );
    assert!(
        rename(&backend, "d", "full")
            .await
            .unwrap_err()
            .is_not_empty()
    );
    assert!(
        rename(&backend, "d", "object")
            .await
            .unwrap_err()
            .is_not_directory()
    );
    assert!(
        rename(&backend, "d", "object/d")
            .await
            .unwrap_err()
            .is_not_directory()
    );
    assert!(
        rename(&backend, "object", "d")
            .await
            .unwrap_err()
            .is_directory()
    );
    assert!(
        rename(&backend, "none", "d")
            .await
            .unwrap_err()
            .is_not_found()
    );
    let create = WriteOptions::from(WriteMode::CreateNew);
    let taken = backend.rename(&path("d"), &path("empty"), create).await;
    assert!(taken.unwrap_err().is_already_exists());
    rename(&backend, "d", "d").await.unwrap();
    rename(&backend, "d", "empty").await.unwrap();
    assert_eq!(
        keys(&backend).await,
        ["empty/", "empty/x", "full/", "full/x", "object"]
    );
}

#[tokio::test]
async fn a_rename_refuses_every_option_but_the_mode() {
    let backend = MemoryBackend::new();
    backend.put("a", "").await.unwrap();
    for options in [
        WriteOptions::default().content_type("x/y"),
        WriteOptions::default().size(0),
        WriteMode::Append.into(),
    ] {
        let renamed = backend.rename(&path("a"), &path("b"), options).await;
        assert!(renamed.unwrap_err().is_unsupported());
    }
    assert_eq!(keys(&backend).await, ["a"]);
}

#[tokio::test]
async fn a_flat_store_has_no_directories() {
    let backend = MemoryBackend::builder().directories(false).build();
    for key in ["x", "x/y", "x/y/z"] {
        backend.put(key, key.to_owned()).await.unwrap();
    }
    assert_eq!(keys(&backend).await, ["x", "x/y", "x/y/z"]);
    assert!(
        backend
            .mkdir(&path("d"))
            .await
            .unwrap_err()
            .is_unsupported()
    );
    let plain = RmdirOptions::default();
    assert!(
        backend
            .rmdir(&path("x"), plain)
            .await
            .unwrap_err()
            .is_unsupported()
    );
    rename(&backend, "x/y", "w/y").await.unwrap();
    backend
        .rmdir(&path("x"), plain.recursive(true))
        .await
        .unwrap();
    assert_eq!(keys(&backend).await, ["w/y", "x"]);
    assert!(rename(&backend, "w", "v").await.unwrap_err().is_not_found());
}
