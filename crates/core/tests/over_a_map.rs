//! What the crate provides on top of a backend: listings, ranges, locations, the registry.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod support;

use std::io::SeekFrom;
use std::sync::Arc;

use storage_core::{
    Backend, BackendExt, BackendFactory, Config, ErrorKind, ListOptions, Location, ObjectPath,
    Prefix, Registry, Result, async_trait,
};
use support::Map;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

fn location(map: &Arc<Map>, path: &str) -> Location {
    Location::new(map.clone(), ObjectPath::new(path).unwrap())
}

#[tokio::test]
async fn entries_follow_pages_of_any_size() {
    let map = Map::with(&[("a", "1"), ("b/c", "2"), ("b/d", "3"), ("e", "4")]);
    for limit in 1..6 {
        let options = ListOptions::default().recursive(true).limit(limit);
        let all = map
            .entries(Prefix::root(), options)
            .collect()
            .await
            .unwrap();
        let keys: Vec<_> = all.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(keys, ["a", "b/c", "b/d", "e"], "limit {limit}");
    }
    assert_eq!(map.delete_prefix("b").await.unwrap(), 2);
    assert_eq!(map.delete_prefix("b").await.unwrap(), 0);
}

#[tokio::test]
async fn ranges_are_pinned_to_the_first_version() {
    let map = Map::with(&[("a", "0123456789")]);
    let path = ObjectPath::new("a").unwrap();
    let parts = map.read_ranges(&path, &[8..20, 0..2, 4..4]).await.unwrap();
    assert_eq!(parts, ["89", "01", ""]);
    let reads = map.reads.lock().unwrap().clone();
    assert!(reads[0].clone().into_parts().if_version.is_none());
    assert!(reads[1].clone().into_parts().if_version.is_some());
}

#[tokio::test]
async fn a_seeker_reads_where_it_was_sent() {
    let map = Arc::new(Map::with(&[("a", "0123456789")]));
    let mut seeker = location(&map, "a").open_seeker().await.unwrap();
    let mut two = [0; 2];
    for (target, expected) in [
        (SeekFrom::Start(4), b"45"),
        (SeekFrom::Current(1), b"78"),
        (SeekFrom::End(-2), b"89"),
        (SeekFrom::Start(0), b"01"),
    ] {
        seeker.seek(target).await.unwrap();
        seeker.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, expected, "{target:?}");
    }
    assert_eq!(seeker.seek(SeekFrom::Start(99)).await.unwrap(), 99);
    assert_eq!(seeker.read(&mut two).await.unwrap(), 0);
    assert!(seeker.seek(SeekFrom::Current(-100)).await.is_err());
}

#[tokio::test]
async fn random_access_sees_one_version() {
    let map = Arc::new(Map::with(&[("a", "0123456789")]));
    let reader = location(&map, "a").open_reader_at().await.unwrap();
    assert_eq!(reader.read_at(8, 100).await.unwrap(), "89");
    assert_eq!(reader.read_at(10, 1).await.unwrap(), "");
    assert_eq!(reader.read_at(u64::MAX, usize::MAX).await.unwrap(), "");
    map.set("a", "abcdefghij");
    assert!(
        reader
            .read_at(0, 1)
            .await
            .unwrap_err()
            .is_precondition_failed()
    );
    assert!(
        location(&map, "b")
            .open_reader_at()
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(location(&map, "a").remove().await.unwrap());
}

struct MapFactory;

#[async_trait]
impl BackendFactory for MapFactory {
    async fn open(&self, mut config: Config) -> Result<Arc<dyn Backend>> {
        config.take_string("path")?;
        config.finish()?;
        Ok(Arc::new(Map::default()))
    }
}

#[tokio::test]
async fn the_registry_opens_by_name_and_uri_and_says_what_is_missing() {
    let mut registry = Registry::new();
    registry.register("map", MapFactory).unwrap();
    registry.declare("s3", "s3");
    registry.open_uri("map:///x").await.unwrap();
    let said = |error: storage_core::Error| (error.kind(), error.to_string());
    let (kind, text) = said(registry.open_uri("s3://bucket").await.unwrap_err());
    assert_eq!(kind, ErrorKind::UnknownBackend);
    assert!(text.contains("enable the Cargo feature \"s3\""), "{text}");
    let (kind, text) = said(
        registry
            .open("map", Config::new().with("x", "y"))
            .await
            .unwrap_err(),
    );
    assert_eq!(kind, ErrorKind::Config);
    assert!(
        text.contains("map: open: ") && text.contains("known are \"path\""),
        "{text}"
    );
    let (_, text) = said(registry.open_uri("map://h?a=1&a=2").await.unwrap_err());
    assert!(text.contains("\"a\" is given twice"), "{text}");
    assert!(registry.unregister("map"));
    assert!(registry.open("map", Config::new()).await.is_err());
}

#[tokio::test]
async fn after_close_calls_fail() {
    let map = Map::with(&[("a", "1")]);
    map.close().await.unwrap();
    map.close().await.unwrap();
    assert!(map.get("a").await.unwrap_err().is_backend_closed());
}
