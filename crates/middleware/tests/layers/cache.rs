use std::time::Duration;

use storage_core::{
    Backend, BackendExt, ErrorKind, Operation, ReadOptions, RmdirOptions, WriteOptions,
};
use storage_faults::{Counting, Failing, Intercept, Intercepted, Point, Slow, Step};
use storage_memory::MemoryBackend;
use storage_middleware::cache::ReadCache;
use storage_middleware::{LayerExt, Layered};
use tokio::time::sleep;

use crate::{cut, path};

type Cached = Layered<Intercepted<MemoryBackend, Counting>, ReadCache>;

/// The store, what was asked of it, and the cache over it.
fn cached(cache: ReadCache) -> (MemoryBackend, Counting, Cached) {
    let (store, counting) = (MemoryBackend::new(), Counting::new());
    let backend = counting.over(store.clone()).layer(cache);
    (store, counting, backend)
}

const MINUTE: Duration = Duration::from_secs(60);

fn bytes_read(counting: &Counting) -> (u64, u64) {
    let reads = counting.of(Operation::Read);
    (reads.calls, reads.bytes)
}

#[tokio::test(start_paused = true)]
async fn without_an_age_every_read_asks_and_transfers_only_what_changed() {
    let (store, counting, backend) = cached(ReadCache::new(1 << 20));
    store.put("a", vec![1; 1000]).await.unwrap();
    for _ in 0..3 {
        assert_eq!(backend.get("a").await.unwrap(), vec![1; 1000]);
    }
    assert_eq!(backend.read_range("a", 10..20).await.unwrap(), vec![1; 10]);
    assert_eq!(bytes_read(&counting), (4, 1000));
    store.put("a", vec![2; 500]).await.unwrap();
    assert_eq!(backend.get("a").await.unwrap(), vec![2; 500]);
    assert_eq!(bytes_read(&counting), (5, 1500));
    store.remove("a").await.unwrap();
    assert!(backend.get("a").await.unwrap_err().is_not_found());
    assert_eq!(backend.policy().held(), 0);
}

#[tokio::test(start_paused = true)]
async fn with_an_age_nothing_older_is_served() {
    let (store, counting, backend) = cached(ReadCache::new(1 << 20).max_age(MINUTE));
    store.put("a", "one").await.unwrap();
    backend.get("a").await.unwrap();
    store.put("a", "two").await.unwrap();
    sleep(MINUTE - Duration::from_secs(1)).await;
    assert_eq!(backend.get("a").await.unwrap(), "one");
    assert_eq!(counting.of(Operation::Read).calls, 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(backend.get("a").await.unwrap(), "two");
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_through_the_cache_is_seen_at_once() {
    let (_, _, backend) = cached(ReadCache::new(1 << 20).max_age(MINUTE));
    let extended = backend.extended().unwrap();
    let options = WriteOptions::default;
    for key in ["a", "d/x", "e"] {
        backend.put(key, "one").await.unwrap();
        backend.get(key).await.unwrap();
    }
    backend.put("a", "two").await.unwrap();
    assert_eq!(backend.get("a").await.unwrap(), "two");
    let mut writer = backend.writer(&path("a"), options()).await.unwrap();
    assert_eq!(backend.get("a").await.unwrap(), "two");
    writer.write_bytes("three".into()).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(backend.get("a").await.unwrap(), "three");
    extended
        .copy(&path("a"), &path("e"), options())
        .await
        .unwrap();
    assert_eq!(backend.get("e").await.unwrap(), "three");
    extended
        .rename(&path("d"), &path("f"), options())
        .await
        .unwrap();
    assert!(backend.get("d/x").await.unwrap_err().is_not_found());
    assert_eq!(backend.get("f/x").await.unwrap(), "one");
    extended
        .rmdir(&path("f"), RmdirOptions::default().recursive(true))
        .await
        .unwrap();
    assert!(backend.get("f/x").await.unwrap_err().is_not_found());
    backend.remove("a").await.unwrap();
    assert!(backend.get("a").await.unwrap_err().is_not_found());
}

#[tokio::test(start_paused = true)]
async fn a_read_that_a_write_overtook_is_not_kept() {
    // The read has opened the old object and is slow to give it.
    let slow = Slow::new(MINUTE, Point::on(Operation::Read).at(Step::Chunk));
    let store = MemoryBackend::new();
    store.put("a", "one").await.unwrap();
    let cache = ReadCache::new(1 << 20).max_age(MINUTE * 60);
    let backend = slow.over(store).layer(cache);
    let (read, written) = tokio::join!(backend.get("a"), backend.put("a", "two"));
    written.unwrap();
    assert_eq!(read.unwrap(), "one");
    assert_eq!(backend.get("a").await.unwrap(), "two");
}

#[tokio::test(start_paused = true)]
async fn the_budget_holds_and_the_least_recently_read_goes() {
    let cache = ReadCache::new(4 * (1000 + 512)).max_age(MINUTE);
    let (store, counting, backend) = cached(cache.largest(1000));
    for n in 0..5 {
        store.put(format!("{n}"), vec![n; 1000]).await.unwrap();
    }
    store.put("large", vec![9; 1001]).await.unwrap();
    for n in ["0", "1", "2", "3", "0", "4"] {
        backend.get(n).await.unwrap();
        assert!(backend.policy().held() <= 4 * 1512);
    }
    counting.reset();
    for n in ["0", "2", "3", "4"] {
        backend.get(n).await.unwrap();
    }
    assert_eq!(counting.calls(), 0);
    backend.get("1").await.unwrap();
    backend.get("large").await.unwrap();
    backend.get("large").await.unwrap();
    assert_eq!(counting.of(Operation::Read).calls, 3);
}

#[tokio::test(start_paused = true)]
async fn conditions_hold_for_what_is_kept() {
    let (_, _, backend) = cached(ReadCache::new(1 << 20).max_age(MINUTE));
    let old = backend.put("a", "one").await.unwrap().version.unwrap();
    let new = backend.put("a", "two").await.unwrap().version.unwrap();
    backend.get("a").await.unwrap();
    let read = async |options| backend.read(&path("a"), options).await;
    let options = ReadOptions::default;
    let error = read(options().if_version(old.clone())).await.unwrap_err();
    assert!(error.is_precondition_failed());
    assert_eq!(
        read(options().if_version(new.clone())).await.unwrap(),
        "two"
    );
    let error = read(options().if_changed_from(new)).await.unwrap_err();
    assert!(error.is_not_modified());
    assert_eq!(read(options().if_changed_from(old)).await.unwrap(), "two");
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_ask_is_never_bridged_by_old_content() {
    let failing = Failing::nth(2, Point::on(Operation::Read), cut);
    let store = MemoryBackend::new();
    store.put("a", "one").await.unwrap();
    let backend = failing.over(store).layer(ReadCache::new(1 << 20));
    backend.get("a").await.unwrap();
    assert_eq!(
        backend.get("a").await.unwrap_err().kind(),
        ErrorKind::Network
    );
    assert_eq!(backend.get("a").await.unwrap(), "one");
}

#[tokio::test(start_paused = true)]
async fn who_expects_another_version_than_the_one_kept_makes_the_cache_ask() {
    let (store, _, backend) = cached(ReadCache::new(1 << 20).max_age(MINUTE));
    store.put("a", "one").await.unwrap();
    backend.get("a").await.unwrap();
    let new = store.put("a", "two").await.unwrap().version.unwrap();
    let options = ReadOptions::default().if_version(new);
    assert_eq!(backend.read(&path("a"), options).await.unwrap(), "two");
    assert_eq!(backend.get("a").await.unwrap(), "two");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_holds_no_larger_buffer() {
    let (store, _, backend) = cached(ReadCache::new(1 << 20).max_age(MINUTE));
    let large = bytes::Bytes::from(vec![1; 1 << 20]);
    store.put("a", large.slice(..9)).await.unwrap();
    let kept = backend.get("a").await.unwrap();
    assert_eq!(kept, large.slice(..9));
    drop(store);
    assert!(!large.as_ptr_range().contains(&kept.as_ptr()));
}
