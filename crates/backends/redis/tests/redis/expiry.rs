//! Objects that live for a time, and what is left of writers that did not finish.

use std::time::Duration;

use storage_core::{Backend, BackendExt, ListOptions, ObjectInfo, Prefix, WriteOptions};

use crate::server::{prefix, shared};
use crate::{Raw, fresh, path, pattern};

#[tokio::test]
async fn objects_expire_whole_and_vanish_from_listings() {
    let Some(address) = shared() else {
        return;
    };
    let prefix = prefix();
    let builder = address
        .builder()
        .prefix(&prefix)
        .grace(Duration::from_millis(100));
    let backend = builder
        .ttl(Duration::from_millis(400))
        .open()
        .await
        .unwrap();
    let mut raw = Raw::connect(&address);
    let index = format!("{{{prefix}}}:i");
    backend.put("small", "x").await.unwrap();
    backend.put("large", pattern(9 << 20)).await.unwrap();
    assert!(backend.get("large").await.unwrap() == pattern(9 << 20));
    for key in raw.keys(&format!("{{{prefix}}}:[co]:*")) {
        assert!(raw.number(&["PTTL", &key]) > 0, "{key} stays");
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(backend.get("large").await.unwrap_err().is_not_found());
    backend.put("x/y", "later").await.unwrap();
    raw.send(&["PERSIST", &format!("{{{prefix}}}:o:x/y")]);
    for number in 0..600 {
        raw.send(&["ZADD", &index, "0", &format!("d/{number}")]);
    }
    // No directory is there for what has expired below it.
    let all = backend.entries(Prefix::root(), ListOptions::default().limit(1));
    let keys: Vec<_> = all.collect().await.unwrap();
    let keys: Vec<_> = keys.iter().map(ObjectInfo::listing_key).collect();
    assert_eq!(keys, ["x/"]);
    assert!(!backend.delete(&path("small")).await.unwrap());
    assert_eq!(
        raw.keys(&format!("{{{prefix}}}:[co]:*")),
        [format!("{{{prefix}}}:o:x/y")]
    );
    // Whoever lists forgets what has expired.
    assert_eq!(raw.send(&["ZRANGE", &index, "0", "-1"]), ["x/y"]);
    backend.put_if("small", "again", None).await.unwrap();
}

/// Not published, not listed, and gone within the hour though nobody removes it.
#[tokio::test]
async fn what_a_writer_sends_expires_until_it_is_published() {
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    let options = WriteOptions::default();
    let mut writer = backend.writer(&path("a"), options).await.unwrap();
    writer.write_bytes(pattern(9 << 20).into()).await.unwrap();
    writer.flush().await.unwrap();
    let keys = raw.keys(&format!("{{{prefix}}}:*"));
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in &keys {
        let left = raw.number(&["PTTL", key]);
        assert!((1..=3_600_000).contains(&left), "{key} stays {left} ms");
    }
    // A part that is lost meanwhile is noticed.
    raw.send(&["UNLINK", &keys[0]]);
    let error = writer.finish().await.unwrap_err();
    assert!(error.is_transient() && !error.outcome_unknown(), "{error}");
    assert!(!backend.exists(&path("a")).await.unwrap());
}

#[tokio::test]
async fn an_append_without_a_life_makes_all_of_an_object_stay() {
    let Some(address) = shared() else {
        return;
    };
    let prefix = prefix();
    let mortal = address
        .builder()
        .prefix(&prefix)
        .ttl(Duration::from_secs(600));
    let mortal = mortal.open().await.unwrap();
    let backend = address.builder().prefix(&prefix).open().await.unwrap();
    mortal.put("a", pattern(9 << 20)).await.unwrap();
    backend.append("a", "more").await.unwrap();
    let mut raw = Raw::connect(&address);
    for key in raw.keys(&format!("{{{prefix}}}:[co]:*")) {
        assert_eq!(raw.number(&["PTTL", &key]), -1, "{key}");
    }
}
