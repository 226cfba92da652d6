//! Stored bytes that are cut or damaged, under every stack of layers.

use omnistorage::format::Format;
use omnistorage::pipeline::{CompressionLayer, FormatLayer};
use omnistorage::{BackendExt, Bytes, Error, RecordReader, pipeline};

use crate::stores::{Store, compressions};

/// The formats that can tell by themselves that something is missing.
fn formats() -> Vec<(FormatLayer, bool)> {
    let checked = omnistorage::ndjson::Options::default().validate(true);
    let mut formats = vec![(checked.into(), false)];
    formats.extend([Format::Csv, Format::Tsv].map(|format| (format.into(), false)));
    formats.push((Format::LengthPrefixed.into(), true));
    formats
}

/// Records up to the end or an error.
async fn read(
    stored: Bytes,
    layer: &CompressionLayer,
    format: &FormatLayer,
) -> (Vec<Bytes>, Option<Error>) {
    let store = Store::memory();
    store.put("a", [stored]).await;
    let open = pipeline(&*store.backend, "a").compression(layer.clone());
    let mut reader = open.format(format.clone()).record_reader().await.unwrap();
    let mut records = Vec::new();
    loop {
        match reader.read().await {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, None),
            Err(error) => {
                assert!(error.is_corrupt(), "{error}");
                assert!(
                    error.to_string().contains("byte "),
                    "it says where: {error}"
                );
                return (records, Some(error));
            }
        }
    }
}

async fn write(layer: &CompressionLayer, format: &FormatLayer) -> (Vec<String>, Bytes) {
    let records: Vec<_> = (0..12)
        .map(|n| format!(r#"{{"a":{n},"b":"{}"}}"#, "text ".repeat(n)))
        .collect();
    let store = Store::memory();
    let open = pipeline(&*store.backend, "a").compression(layer.clone());
    let mut writer = open.format(format.clone()).record_writer().await.unwrap();
    for record in &records {
        writer.write(record.as_bytes()).await.unwrap();
    }
    writer.close().await.unwrap();
    (records, store.backend.get("a").await.unwrap())
}

#[tokio::test]
async fn a_cut_at_any_byte_is_an_intact_prefix_and_then_corrupt() {
    for (layer, extension) in compressions() {
        for (format, tells_cuts) in formats() {
            let (written, stored) = write(&layer, &format).await;
            for cut in 0..stored.len() {
                let (records, error) = read(stored.slice(..cut), &layer, &format).await;
                let what = format!("{format:?}{extension} cut at {cut}: {error:?}");
                let intact = records
                    .iter()
                    .zip(&written)
                    .all(|(read, wrote)| read == wrote);
                if extension.is_empty() || extension == ".sz" {
                    // Framed Snappy has no mark for its end, and text none either: a cut between
                    // chunks or rows is an end, and what it leaves of the last cell is a cell.
                    let shorter = records.len() < written.len();
                    assert!(error.is_some() || shorter || !tells_cuts, "{what}");
                    continue;
                }
                assert!(intact && error.is_some(), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_under_a_checksum_never_passes() {
    let format = Format::LengthPrefixed.into();
    let compressed = compressions().into_iter().filter(|(_, e)| !e.is_empty());
    for (layer, extension) in compressed {
        let (written, stored) = write(&layer, &format).await;
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (records, error) = read(flipped.into(), &layer, &format).await;
            // A few bits of a header mean nothing.
            let told = error.is_some() || records == written;
            assert!(told, "{extension} bit {bit}");
        }
    }
}

#[tokio::test]
async fn limits_name_their_place_through_all_layers() {
    for (layer, _) in compressions() {
        let store = Store::memory();
        let open = pipeline(&*store.backend, "a").compression(layer.clone());
        let mut writer = open.clone().writer().await.unwrap();
        writer
            .write_bytes("[1]\n[22]\n[333333]\n".into())
            .await
            .unwrap();
        writer.finish().await.unwrap();
        let strict = omnistorage::ndjson::Options::default().max_record(5);
        let mut reader = open.clone().format(strict).record_reader().await.unwrap();
        for _ in 0..2 {
            reader.read().await.unwrap().unwrap();
        }
        let error = reader.read().await.unwrap_err().to_string();
        assert!(
            error.contains("line 3 at byte 9 has more than 5 bytes"),
            "{error}"
        );

        let open = open.format(Format::LengthPrefixed);
        let huge = pipeline(&*store.backend, "a").compression(layer.clone());
        let mut writer = huge.writer().await.unwrap();
        // Four gibibytes, as a varint.
        writer
            .write_bytes(b"\x80\x80\x80\x80\x10"[..].into())
            .await
            .unwrap();
        writer.finish().await.unwrap();
        let mut reader: Box<dyn RecordReader> = open.record_reader().await.unwrap();
        let error = reader.read().await.unwrap_err();
        assert!(error.is_corrupt());
        let message = "record 1 at byte 0 has 4294967296 bytes, more than 67108864";
        assert!(error.to_string().contains(message), "{error}");
    }
}
