//! Layers that are known but not compiled in. `cargo xtask ci alone` runs this without them.

#![cfg(all(
    feature = "pipeline",
    feature = "memory",
    not(any(feature = "gzip", feature = "zstd", feature = "snappy")),
    not(any(feature = "csv", feature = "ndjson", feature = "length-prefixed"))
))]

use std::error::Error as _;

use omnistorage::memory::MemoryBackend;
use omnistorage::pipeline::MissingFeature;
use omnistorage::{BackendExt, Error, ErrorKind, pipeline};

#[track_caller]
fn assert_missing(error: &Error, feature: &str) {
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let missing = error.source().unwrap().downcast_ref::<MissingFeature>();
    assert_eq!(missing.unwrap().feature(), feature);
    assert!(
        error.to_string().contains(feature) && error.to_string().contains("\"a"),
        "{error}"
    );
}

#[tokio::test]
async fn every_layer_that_is_missing_names_its_feature() {
    let store = MemoryBackend::new();
    for (name, magic, feature) in [
        ("a.gz", &b"\x1f\x8b\x08"[..], "gzip"),
        ("a.zst", b"\x28\xb5\x2f\xfd", "zstd"),
        ("a.sz", b"\xff\x06\x00\x00sNaPpY", "snappy"),
    ] {
        let writer = pipeline(&store, name).detect().writer().await;
        assert_missing(&writer.unwrap_err(), feature);
        store.put(name, magic).await.unwrap();
        let reader = pipeline(&store, name).detect().reader().await;
        assert_missing(&reader.unwrap_err(), feature);
    }
    for (name, feature) in [
        ("a.ndjson", "ndjson"),
        ("a.csv", "csv"),
        ("a.tsv", "csv"),
        ("a.lp", "length-prefixed"),
    ] {
        let writer = pipeline(&store, name).detect().record_writer().await;
        assert_missing(&writer.err().unwrap(), feature);
        let reader = pipeline(&store, name).detect().record_reader().await;
        assert_missing(&reader.err().unwrap(), feature);
    }
}
