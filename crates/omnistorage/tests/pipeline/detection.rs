//! Layers found by name and first bytes.

use omnistorage::compression::Compression;
use omnistorage::format::Format;
use omnistorage::pipeline::CompressionLayer;
use omnistorage::{BackendExt, Bytes, ErrorKind, length_prefixed, pipeline};
use tokio::io::AsyncWriteExt;

use crate::stores::{Store, drain};

async fn write(store: &Store, path: &str, layer: impl Into<CompressionLayer>, text: &[u8]) {
    let mut writer = pipeline(&*store.backend, path)
        .compression(layer)
        .writer()
        .await
        .unwrap();
    writer.write_all(text).await.unwrap();
    writer.finish().await.unwrap();
}

async fn read(store: &Store, path: &str) -> omnistorage::Result<Bytes> {
    let reader = pipeline(&*store.backend, path).detect().reader();
    reader.await?.bytes().await
}

#[tokio::test]
async fn names_choose_what_is_written() {
    let store = Store::memory();
    for (name, magic) in [
        ("a.txt", None),
        ("a.gz", Some(Compression::Gzip)),
        ("a.csv.zst", Some(Compression::Zstd)),
        ("a.SZ", Some(Compression::Snappy)),
        ("a.tgz", Some(Compression::Gzip)),
    ] {
        let mut writer = pipeline(&*store.backend, name)
            .detect()
            .writer()
            .await
            .unwrap();
        writer.write_bytes("text".into()).await.unwrap();
        writer.finish().await.unwrap();
        let stored = store.backend.get(name).await.unwrap();
        assert_eq!(Compression::detect_magic(&stored), magic, "{name}");
        assert_eq!(read(&store, name).await.unwrap(), "text");
    }
}

#[tokio::test]
async fn first_bytes_count_more_than_the_name() {
    let store = Store::memory();
    for compression in Compression::ALL {
        for name in ["plain", "a.txt", "a.gz", "a.ndjson.zst"] {
            write(&store, name, compression, b"{}").await;
            assert_eq!(
                read(&store, name).await.unwrap(),
                "{}",
                "{compression} {name}"
            );
        }
    }
    // No compression where the name promises one is damage and not text.
    for name in ["a.gz", "a.zst", "a.sz"] {
        for text in ["plain text", ""] {
            store.backend.put(name, text).await.unwrap();
            let error = read(&store, name).await.unwrap_err();
            assert!(
                error.is_corrupt() && error.to_string().contains(name),
                "{error}"
            );
        }
    }
    store.backend.put("short", "x").await.unwrap();
    assert_eq!(read(&store, "short").await.unwrap(), "x");
    store.backend.put("empty", "").await.unwrap();
    assert_eq!(read(&store, "empty").await.unwrap(), "");
}

#[tokio::test]
async fn length_prefixed_records_may_look_like_a_compression() {
    let store = Store::memory();
    // A record of 31 bytes that begins as the second byte of gzip's magic does.
    let mut record = vec![0x8b, 0x08];
    record.resize(31, 0);
    for options in [None, Some(length_prefixed::Options::default())] {
        let name = if options.is_some() {
            "records"
        } else {
            "records.lp"
        };
        let open = || match &options {
            None => pipeline(&*store.backend, name).detect(),
            Some(options) => pipeline(&*store.backend, name)
                .detect()
                .format(options.clone()),
        };
        let mut writer = open().record_writer().await.unwrap();
        writer.write(&record).await.unwrap();
        writer.close().await.unwrap();
        let stored = store.backend.get(name).await.unwrap();
        assert_eq!(Compression::detect_magic(&stored), Some(Compression::Gzip));
        let found = drain(open().record_reader().await.unwrap()).await.unwrap();
        assert_eq!(found, [record.clone()]);
    }
}

#[tokio::test]
async fn a_name_without_a_format_is_an_error_that_says_so() {
    let store = Store::memory();
    for name in ["a", "a.gz", "a.txt", "a.ndjson/b"] {
        store.backend.put(name, "1\n").await.unwrap();
        let reader = pipeline(&*store.backend, name)
            .detect()
            .record_reader()
            .await;
        let error = reader.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(name), "{error}");
    }
    let named = pipeline(&*store.backend, "a")
        .format(Format::Ndjson)
        .record_reader();
    assert_eq!(drain(named.await.unwrap()).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn none_is_a_compression_too() {
    let store = Store::memory();
    write(&store, "a.gz", CompressionLayer::NONE, b"plain").await;
    let raw = pipeline(&*store.backend, "a.gz")
        .detect()
        .compression(CompressionLayer::NONE);
    assert_eq!(raw.reader().await.unwrap().bytes().await.unwrap(), "plain");
    let without = pipeline(&*store.backend, "a.gz").reader().await.unwrap();
    assert_eq!(without.bytes().await.unwrap(), "plain");
}
