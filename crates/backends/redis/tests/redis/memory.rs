//! Room for bytes on their way, which nobody may hold while others wait for it.

use std::time::Duration;

use storage_core::{Backend, BackendExt, ExtendedBackend, ReadOptions, WriteOptions};

use crate::server::{prefix, shared};
use crate::{path, pattern};

/// Far more than any of this takes: ends a test that would wait for ever.
const FOR_EVER: Duration = Duration::from_secs(60);

#[tokio::test]
async fn readers_that_pause_leave_room_to_others() {
    let Some(address) = shared() else {
        return;
    };
    let builder = address.builder().prefix(prefix());
    let backend = builder.memory_limit(1 << 20).open().await.unwrap();
    let content = pattern((5 << 20) + 7);
    let work = async {
        backend.put("a", content.clone()).await.unwrap();
        let mut paused = Vec::new();
        for _ in 0..3 {
            let options = ReadOptions::default();
            let mut reader = backend.reader(&path("a"), options).await.unwrap();
            reader.chunk().await.unwrap().unwrap();
            paused.push(reader);
        }
        let options = WriteOptions::default();
        backend.copy(&path("a"), &path("b"), options).await.unwrap();
        assert!(backend.get("b").await.unwrap() == content);
    };
    tokio::time::timeout(FOR_EVER, work).await.unwrap();
}

#[tokio::test]
async fn many_copies_at_once_end() {
    let Some(address) = shared() else {
        return;
    };
    let builder = address.builder().prefix(prefix());
    let backend = builder.memory_limit(8 << 20).open().await.unwrap();
    let content = pattern(3 << 20);
    backend.put("a", content.clone()).await.unwrap();
    let from = path("a");
    let copies = (0..30).map(|number| {
        let (backend, from) = (&backend, &from);
        async move {
            let to = path(&format!("copy {number}"));
            backend.copy(from, &to, WriteOptions::default()).await
        }
    });
    let copies = futures_util::future::join_all(copies);
    for copied in tokio::time::timeout(FOR_EVER, copies).await.unwrap() {
        assert_eq!(copied.unwrap().size, content.len() as u64);
    }
}
