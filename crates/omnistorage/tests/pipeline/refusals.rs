//! What no pipeline can be opened with, and errors that name the place.

use omnistorage::compression::{Compression, Level, Limits};
use omnistorage::format::Format;
use omnistorage::{
    BackendExt, ErrorKind, ReadOptions, WriteMode, csv, gzip, ndjson, pipeline, zstd,
};

use crate::stores::{Store, drain};

#[tokio::test]
async fn options_for_the_other_direction_are_refused_before_anything_is_opened() {
    let store = Store::memory();
    let open = || pipeline(&*store.backend, "a");
    let writers = [
        open()
            .compression(gzip::DecodeOptions::default())
            .writer()
            .await,
        open().limits(Limits::default()).writer().await,
        open().overlap(true).writer().await,
        open().format(Format::Csv).writer().await,
        open()
            .compression((Compression::Gzip, Level::Number(99)))
            .writer()
            .await,
        open()
            .compression((Compression::Snappy, Level::Best))
            .writer()
            .await,
    ];
    for writer in writers {
        assert_eq!(writer.unwrap_err().kind(), ErrorKind::Config);
    }
    // "a" is not there: that would be `NotFound`.
    let readers = [
        open()
            .compression(zstd::EncodeOptions::default())
            .reader()
            .await,
        open()
            .compression((Compression::Zstd, Level::Best))
            .reader()
            .await,
        open().format(Format::Csv).reader().await,
        open()
            .detect()
            .read_options(ReadOptions::from(0..3))
            .reader()
            .await,
        open()
            .compression(zstd::DecodeOptions::default())
            .limits(Limits::default())
            .reader()
            .await,
    ];
    for reader in readers {
        assert_eq!(reader.unwrap_err().kind(), ErrorKind::Config);
    }
    let quoted = csv::Options::default().delimiter(b'"');
    let writer = open().format(quoted).record_writer().await;
    assert_eq!(writer.err().unwrap().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_range_is_fine_where_nothing_is_decompressed() {
    let store = Store::memory();
    store.backend.put("a", "0123").await.unwrap();
    let part = pipeline(&*store.backend, "a").read_options(ReadOptions::from(1..3));
    assert_eq!(part.reader().await.unwrap().bytes().await.unwrap(), "12");
}

#[tokio::test]
async fn appending_adds_records_but_no_second_header() {
    let store = Store::memory();
    let append = |name: &str| {
        pipeline(&*store.backend, name)
            .detect()
            .write_options(WriteMode::Append.into())
    };
    for name in [
        "a.ndjson.gz",
        "a.ndjson.zst",
        "a.ndjson.sz",
        "a.lp.gz",
        "a.ndjson",
    ] {
        for record in ["1", "2"] {
            let mut writer = append(name).record_writer().await.unwrap();
            writer.write(record.as_bytes()).await.unwrap();
            writer.close().await.unwrap();
        }
        let reader = pipeline(&*store.backend, name).detect().record_reader();
        assert_eq!(
            drain(reader.await.unwrap()).await.unwrap(),
            ["1", "2"],
            "{name}"
        );
    }
    let refused = append("a.csv").record_writer().await;
    assert_eq!(refused.err().unwrap().kind(), ErrorKind::Unsupported);
    let given = csv::Options::default().columns(["a"]).header(false);
    let mut writer = append("a.csv").format(given).record_writer().await.unwrap();
    writer.write(br#"{"a":1}"#).await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(store.backend.get("a.csv").await.unwrap(), "1\n");
}

#[tokio::test]
async fn errors_name_the_object_and_the_place_in_it() {
    let store = Store::memory();
    store.backend.put("a.ndjson", "1\n22222\n").await.unwrap();
    let options = ndjson::Options::default().max_record(4);
    let reader = pipeline(&*store.backend, "a.ndjson")
        .format(options)
        .record_reader();
    let error = drain(reader.await.unwrap()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_corrupt() && text.contains("a.ndjson") && text.contains("line 2"),
        "{text}"
    );
    assert_eq!(error.path(), Some("a.ndjson"));

    let mut writer = pipeline(&*store.backend, "b.ndjson")
        .detect()
        .record_writer()
        .await
        .unwrap();
    let error = writer.write(b"two\nlines").await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("b.ndjson") && text.contains("record 1"),
        "{text}"
    );
    writer.write(b"one").await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(store.backend.get("b.ndjson").await.unwrap(), "one\n");
}

#[tokio::test]
async fn a_bomb_stops_at_the_limit_through_every_layer() {
    let store = Store::memory();
    for extension in ["gz", "zst", "sz"] {
        let name = format!("bomb.ndjson.{extension}");
        let mut writer = pipeline(&*store.backend, &name)
            .detect()
            .record_writer()
            .await
            .unwrap();
        for _ in 0..1000 {
            writer.write(&[b'0'; 9999]).await.unwrap();
        }
        writer.close().await.unwrap();
        for overlap in [false, true] {
            let limited = pipeline(&*store.backend, &name)
                .detect()
                .overlap(overlap)
                .limits(Limits::default().max_output(1_000_000));
            let mut reader = limited.record_reader().await.unwrap();
            let mut count = 0;
            let error = loop {
                match reader.read().await {
                    Ok(Some(_)) => count += 1,
                    Ok(None) => panic!("{name} has ended"),
                    Err(error) => break error,
                }
            };
            assert_eq!(
                (count, error.kind()),
                (100, ErrorKind::QuotaExceeded),
                "{name}"
            );
        }
    }
}
