use storage_core::{Backend, BackendExt, Result, WriteOptions};
use storage_faults::{Crash, Intercept};
use storage_memory::MemoryBackend;

use crate::{path, stream};

/// Some work of every sort; stops at the first error.
async fn work(backend: &dyn Backend) -> Result<()> {
    backend.put("a", "old").await?;
    stream(backend, "b", 3).await?;
    backend.put("a", "new").await?;
    backend.open("b").await?.bytes().await?;
    backend.remove("a").await?;
    backend.close().await
}

#[tokio::test]
async fn a_crash_at_every_step_leaves_whole_objects() {
    let counter = Crash::never();
    work(&counter.over(MemoryBackend::new())).await.unwrap();
    let steps = counter.steps();
    assert!(steps > 10, "{steps}");
    for (n, effect) in (1..=steps).flat_map(|n| [(n, false), (n, true)]) {
        let store = MemoryBackend::new();
        let crash = if effect {
            Crash::after(n)
        } else {
            Crash::before(n)
        };
        let backend = crash.over(store.clone());
        let error = work(&backend).await.unwrap_err();
        assert!(error.outcome_unknown() && crash.has_crashed());
        assert!(backend.has("a").await.is_err());
        assert!(backend.close().await.is_err());
        let mut sizes = 0;
        for (key, possible) in [("a", &[3][..]), ("b", &[300_000])] {
            if let Ok(bytes) = store.get(key).await {
                assert!(possible.contains(&bytes.len()), "step {n}");
                sizes += bytes.len() as u64;
            }
        }
        assert_eq!(
            store.total_bytes(),
            sizes,
            "step {n}: an unfinished writer was kept"
        );
    }
}

#[tokio::test]
async fn the_last_step_has_its_effect_or_not() {
    for (crash, there) in [(Crash::before(1), false), (Crash::after(1), true)] {
        let store = MemoryBackend::new();
        assert!(crash.over(store.clone()).put("a", "x").await.is_err());
        assert_eq!(store.has("a").await.unwrap(), there);
    }
}

#[tokio::test]
async fn a_writer_in_flight_is_dropped_when_it_is_used_again() {
    let store = MemoryBackend::new();
    let backend = Crash::before(3).over(store.clone());
    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(vec![0; 100_000].into()).await.unwrap();
    assert!(backend.put("b", "x").await.is_err());
    assert!(writer.finish().await.is_err());
    assert_eq!((store.len(), store.total_bytes()), (0, 0));
    assert!(writer.abort().await.is_ok());
}
