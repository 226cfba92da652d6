use std::sync::Arc;

use storage_core::{Backend, BackendExt, ExtendedBackend, RmdirOptions, WriteMode, WriteOptions};
use storage_memory::MemoryBackend;

use crate::path;

fn with_budget(bytes: u64) -> MemoryBackend {
    MemoryBackend::builder().max_bytes(bytes).build()
}

#[tokio::test]
async fn a_write_over_the_budget_is_refused_and_changes_nothing() {
    let backend = with_budget(10);
    backend.put("a", "12345678").await.unwrap();
    for refused in [
        backend.put("b", "123").await,
        backend.append("a", "123").await,
        backend
            .copy(&path("a"), &path("b"), WriteOptions::default())
            .await,
    ] {
        let error = refused.unwrap_err();
        assert!(error.is_quota_exceeded(), "{error:?}");
    }
    assert_eq!((backend.len(), backend.total_bytes()), (1, 8));
    assert_eq!(backend.get("a").await.unwrap(), "12345678");
    backend.append("a", "90").await.unwrap();
    backend.put("a", "abcdefghij").await.unwrap();
    assert_eq!(backend.total_bytes(), 10);
}

#[tokio::test]
async fn what_is_removed_is_given_back() {
    let backend = with_budget(10);
    let full = "0123456789";
    backend.put("d/a", full).await.unwrap();
    assert!(backend.delete(&path("d/a")).await.unwrap());
    backend.put("d/b", full).await.unwrap();
    let recursive = RmdirOptions::default().recursive(true);
    backend.rmdir(&path("d"), recursive).await.unwrap();
    backend.put("c", full).await.unwrap();
    backend.clear();
    backend.put("e", "01234").await.unwrap();
    backend.put("f", "56789").await.unwrap();
    backend
        .rename(&path("e"), &path("f"), WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(backend.total_bytes(), 5);
    backend.put("f", "").await.unwrap();
    assert_eq!(backend.total_bytes(), 0);
}

#[tokio::test]
async fn an_unfinished_writer_counts_until_it_is_gone() {
    let backend = with_budget(1 << 20);
    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(vec![0; 1 << 20].into()).await.unwrap();
    assert!(backend.put("b", "1").await.unwrap_err().is_quota_exceeded());
    drop(writer);
    assert_eq!(backend.total_bytes(), 0);
    backend.put("b", "1").await.unwrap();

    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    let error = writer
        .write_bytes(vec![0; 1 << 20].into())
        .await
        .unwrap_err();
    assert!(error.is_quota_exceeded());
    assert_eq!(backend.total_bytes(), 1);

    // A writer that loses at the end gives back what it had taken.
    let mut writer = backend
        .writer(&path("c"), WriteMode::CreateNew.into())
        .await
        .unwrap();
    writer.write_bytes(vec![0; 1000].into()).await.unwrap();
    backend.put("c", "first").await.unwrap();
    assert!(writer.finish().await.unwrap_err().is_already_exists());
    assert_eq!(backend.total_bytes(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_writers_never_overshoot() {
    let backend = Arc::new(with_budget(1000));
    let tasks: Vec<_> = (0..64u32)
        .map(|n| {
            let backend = Arc::clone(&backend);
            tokio::spawn(async move {
                for round in 0..50 {
                    let key = format!("{}", (n + round) % 20);
                    let bytes = vec![0; 1 + (n as usize * 7 + round as usize) % 120];
                    let written = match n % 3 {
                        0 => backend.put(&key, bytes).await.err(),
                        1 => backend.append(&key, bytes).await.err(),
                        _ => backend.remove(&key).await.err(),
                    };
                    assert!(written.is_none_or(|error| error.is_quota_exceeded()));
                    assert!(backend.total_bytes() <= 1000);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut sum = 0;
    for n in 0..20 {
        sum += backend
            .get(n.to_string())
            .await
            .map_or(0, |bytes| bytes.len() as u64);
    }
    assert_eq!(backend.total_bytes(), sum);
    backend.clear();
    assert_eq!(backend.total_bytes(), 0);
}
