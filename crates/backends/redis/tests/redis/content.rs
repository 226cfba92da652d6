//! Content of sizes around those of chunks, parts and hashes of chunks.

use storage_core::{Backend, BackendExt, ByteRange, ExtendedBackend, ReadOptions, WriteOptions};

use crate::{fresh, path, pattern};

const CHUNK: usize = 64 << 10;
const GROUP: usize = 8 << 20;

#[tokio::test]
async fn every_range_across_chunks_is_right() {
    let Some((backend, ..)) = fresh().await else {
        return;
    };
    for size in [CHUNK, CHUNK + 1, GROUP + CHUNK + 3] {
        let content = pattern(size);
        backend.put("a", content.clone()).await.unwrap();
        assert!(backend.get("a").await.unwrap() == content, "{size}");
        for start in [0, 1, CHUNK - 1, CHUNK, GROUP - 1, GROUP + 1, size - 1] {
            for len in [0, 1, CHUNK + 1, size] {
                let start = start.min(size);
                let end = (start + len).min(size);
                let range = ByteRange::Bounded(start as u64, (start + len) as u64);
                let read = backend.read(&path("a"), ReadOptions::from(range)).await;
                assert!(
                    read.unwrap() == content[start..end],
                    "{start} {len} of {size}"
                );
            }
        }
    }
}

/// Appends that stay within a chunk, that fill one, that make a segment, and after each other.
#[tokio::test]
async fn appends_of_every_size_add_up() {
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    let mut all = Vec::new();
    let large = CHUNK + 5;
    for size in [
        0,
        10,
        CHUNK - 20,
        11,
        1,
        CHUNK,
        3,
        large,
        7,
        CHUNK,
        large,
        large,
        0,
        1,
    ] {
        let more = pattern(size);
        let written = backend.append("log", more.clone()).await.unwrap();
        all.extend_from_slice(&more);
        assert_eq!(written.size, all.len() as u64);
        assert!(
            backend.get("log").await.unwrap() == all,
            "after {size} bytes"
        );
    }
    // From the small to the large at once.
    backend.put("other", "begun ").await.unwrap();
    backend.append("other", pattern(large)).await.unwrap();
    let whole = [b"begun ".to_vec(), pattern(large)].concat();
    assert!(backend.get("other").await.unwrap() == whole);
    // Nothing of an object that lives is to expire.
    for key in raw.keys(&format!("{{{prefix}}}:[co]:*")) {
        assert_eq!(raw.number(&["PTTL", &key]), -1, "{key}");
    }
}

#[tokio::test]
async fn a_reader_keeps_its_object_through_appends_replacement_and_deletion() {
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    let old = pattern(2 * GROUP + 77);
    for change in ["append", "replace", "delete", "rename"] {
        backend.put("a", old.clone()).await.unwrap();
        let options = ReadOptions::default();
        let mut reader = backend.reader(&path("a"), options).await.unwrap();
        let mut read = reader.chunk().await.unwrap().unwrap().to_vec();
        match change {
            "append" => drop(backend.append("a", "more").await.unwrap()),
            "replace" => drop(backend.put("a", "new").await.unwrap()),
            "delete" => assert!(backend.delete(&path("a")).await.unwrap()),
            _ => {
                let (from, to) = (path("new"), path("a"));
                backend.put("new", "new").await.unwrap();
                backend
                    .rename(&from, &to, WriteOptions::default())
                    .await
                    .unwrap();
            }
        }
        while let Some(chunk) = reader.chunk().await {
            read.extend_from_slice(&chunk.unwrap());
        }
        assert!(read == old, "{change}");
    }
    backend.delete(&path("a")).await.unwrap();
    for key in raw.keys(&format!("{{{prefix}}}:c:*")) {
        let left = raw.number(&["PTTL", &key]);
        assert!((1..=60_000).contains(&left), "{key} stays {left} ms");
    }
}

#[tokio::test]
async fn what_others_keep_is_told_and_left_alone() {
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    let header = format!("{{{prefix}}}:o:a");
    raw.send(&["SET", &header, "mine"]);
    raw.send(&["SET", &prefix, "beside"]);
    for error in [
        backend.get("a").await.unwrap_err(),
        backend.put("a", "b").await.unwrap_err(),
        backend.put("a", pattern(CHUNK + 1)).await.unwrap_err(),
        backend.append("a", "b").await.unwrap_err(),
        backend.delete(&path("a")).await.unwrap_err(),
    ] {
        assert!(error.is_corrupt(), "{error}");
        assert!(error.to_string().contains("WRONGTYPE"), "{error}");
    }
    assert_eq!(raw.send(&["GET", &header]), ["mine"]);
    assert_eq!(raw.send(&["GET", &prefix]), ["beside"]);
}

#[tokio::test]
async fn damage_is_told_and_never_given_as_content() {
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    let header = format!("{{{prefix}}}:o:a");
    for damage in ["chunk", "short", "size", "segments"] {
        backend.put("a", pattern(3 * CHUNK)).await.unwrap();
        let segments = raw.send(&["HGET", &header, "b"]).remove(0);
        let (blob, _) = segments.split_once(':').unwrap();
        let group = format!("{{{prefix}}}:c:{blob}:0");
        match damage {
            "chunk" => raw.send(&["HDEL", &group, "1"]),
            "short" => raw.send(&["HSET", &group, "2", "x"]),
            "size" => raw.send(&["HSET", &header, "s", "99"]),
            _ => raw.send(&["HSET", &header, "b", "nonsense"]),
        };
        let error = backend.get("a").await.unwrap_err();
        assert!(error.is_corrupt(), "{damage}: {error}");
        raw.send(&["DEL", &header]);
    }
}
