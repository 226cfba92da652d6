//! Every format through every compression over every backend.

use omnistorage::format::Format;
use omnistorage::pipeline::CompressionLayer;
use omnistorage::{BackendExt, Bytes, Result, pipeline};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::stores::{Store, compressions, drain};

/// Long enough to cross the buffers of every layer, 256 KiB, at least once.
const LONG: usize = 300_000;

/// A record for each of these texts, as the format has them.
fn records(format: Format, texts: &[String]) -> Vec<Vec<u8>> {
    let numbered = texts.iter().enumerate();
    numbered
        .map(|(number, text)| match format {
            Format::LengthPrefixed => text.clone().into_bytes(),
            _ => json!({"text": text, "number": number, "even": number % 2 == 0})
                .to_string()
                .into_bytes(),
        })
        .collect()
}

/// What has to come back: JSON may be written in another way.
fn meaning<T: AsRef<[u8]>>(format: Format, records: &[T]) -> Vec<Value> {
    let records = records.iter().map(AsRef::as_ref);
    match format {
        Format::LengthPrefixed => records.map(|record| json!(record)).collect(),
        _ => records
            .map(|record| serde_json::from_slice(record).unwrap())
            .collect(),
    }
}

async fn write(
    store: &Store,
    path: &str,
    layer: &CompressionLayer,
    format: Format,
    records: &[Vec<u8>],
) -> Result<()> {
    let mut writer = pipeline(&*store.backend, path)
        .compression(layer.clone())
        .format(format)
        .record_writer()
        .await?;
    for record in records {
        if !writer.try_write(record)? {
            writer.write(record).await?;
        }
    }
    writer.close().await
}

async fn read(store: &Store, path: &str) -> Result<Vec<Bytes>> {
    let reader = pipeline(&*store.backend, path).detect().record_reader();
    drain(reader.await?).await
}

async fn round_trip(texts: &[String]) {
    for store in Store::all().await {
        for (layer, extension) in compressions() {
            for format in Format::ALL {
                let path = format!("records.{}{extension}", format.extension());
                let records = records(format, texts);
                let writing = write(&store, &path, &layer, format, &records);
                let found = if store.name == "channel" {
                    let (written, found) = tokio::join!(writing, read(&store, &path));
                    written.and(found)
                } else {
                    writing.await.unwrap();
                    read(&store, &path).await
                };
                let found = found.unwrap_or_else(|error| panic!("{}: {error}", store.name));
                assert_eq!(
                    meaning(format, &found),
                    meaning(format, &records),
                    "{} {path}",
                    store.name
                );
            }
        }
        store.backend.close().await.unwrap();
    }
}

#[test]
fn random_records_come_back_through_every_format_compression_and_backend() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let text = prop_oneof![
        8 => "\\PC{0,40}",
        2 => "[\",\r\n\t\\\\a-c]{0,30}",
        1 => (0..LONG / 4, "[a-z\"\n]{7}").prop_map(|(length, word)| {
            word.chars().cycle().take(length).collect()
        }),
    ];
    let mut runner = TestRunner::new(Config {
        cases: 5,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&vec(text, 0..20), |texts| {
            runtime.block_on(round_trip(&texts));
            Ok(())
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_larger_than_every_buffer_come_back() {
    let incompressible = |seed: u64| {
        let mut state = seed;
        let mut text = String::with_capacity(LONG);
        while text.len() < LONG {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            text.push_str(&format!("{state:016x}"));
        }
        text
    };
    round_trip(&[incompressible(1), String::from("small"), incompressible(2)]).await;
}

#[tokio::test]
async fn a_boundary_between_chunks_at_any_byte_changes_nothing() {
    let texts = ["", "one", "two\nlines, \"quoted\"", "ü"].map(String::from);
    let memory = Store::memory();
    for (layer, extension) in compressions() {
        for format in Format::ALL {
            let path = format!("records.{}{extension}", format.extension());
            let records = records(format, &texts);
            write(&memory, &path, &layer, format, &records)
                .await
                .unwrap();
            let stored = memory.backend.get(&path).await.unwrap();
            for cut in 1..stored.len() {
                let store = Store::channel();
                store
                    .put(&path, [stored.slice(..cut), stored.slice(cut..)])
                    .await;
                let found = read(&store, &path).await.unwrap();
                assert_eq!(
                    meaning(format, &found),
                    meaning(format, &records),
                    "{path} at {cut}"
                );
            }
            let store = Store::channel();
            let bytes = (0..stored.len()).map(|at| stored.slice(at..=at));
            let (found, ()) = tokio::join!(read(&store, &path), store.put(&path, bytes));
            assert_eq!(
                meaning(format, &found.unwrap()),
                meaning(format, &records),
                "{path}"
            );
        }
    }
}
