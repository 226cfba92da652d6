//! Readers and writers on top of other layers: order, cancellation, failure.

use std::future::Future;
use std::task::{Context, Waker};

use futures_util::{StreamExt, TryStreamExt};
use storage_core::{
    Backend, BackendExt, ObjectPath, RecordReader, RecordWriter, WriteOptions, Writer,
};
use storage_memory::MemoryBackend;
use storage_ndjson::{Options, from_chunks, reader, writer};

use crate::layers::{Below, Log, chunks};

async fn create(backend: &MemoryBackend) -> Writer {
    backend
        .writer(
            &ObjectPath::new("a.ndjson").unwrap(),
            WriteOptions::default(),
        )
        .await
        .unwrap()
}

#[tokio::test]
async fn a_stack_on_a_backend_publishes_on_close_alone() {
    let backend = MemoryBackend::new();
    let mut dropped = writer(create(&backend).await);
    dropped.write(b"1").await.unwrap();
    dropped.flush().await.unwrap();
    drop(dropped);
    assert!(backend.is_empty());

    let mut closed = writer(create(&backend).await);
    closed.write_json(&["a", "b"]).await.unwrap();
    closed.close().await.unwrap();
    closed.close().await.unwrap();
    let error = closed.write(b"2").await.unwrap_err();
    assert!(storage_core::Error::from(error).is_writer_closed());
    let written = closed.into_inner().unwrap().finish().await.unwrap();
    assert_eq!(written.size, 10);
    let values: Vec<Vec<String>> = from_chunks(backend.open("a.ndjson").await.unwrap())
        .into_json()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(values, [["a", "b"]]);
}

#[tokio::test]
async fn records_of_all_sizes_go_through_a_slow_layer() {
    let log = Log::default();
    let mut writer = writer(Below::new(&log, usize::MAX));
    let records: Vec<_> = [1, 10, 1000, 65_535, 65_536, 65_537, 300_000, 3]
        .map(|n| vec![b'7'; n])
        .into();
    for record in &records {
        writer.write(record).await.unwrap();
    }
    writer.close().await.unwrap();
    assert_eq!(log.events(), ["shutdown"]);
    let bytes = log.bytes();
    let mut reader = reader(&bytes[..]);
    for record in &records {
        assert_eq!(reader.read().await.unwrap().unwrap(), record);
    }
    assert_eq!(reader.read().await.unwrap(), None);
    assert_eq!(reader.read().await.unwrap(), None);
}

#[tokio::test]
async fn a_failing_layer_is_dropped_and_never_shut_down() {
    let log = Log::default();
    let mut writer = writer(Below::new(&log, 2500));
    for _ in 0..3 {
        writer.write(&[b'1'; 999]).await.unwrap();
    }
    let error = storage_core::Error::from(writer.flush().await.unwrap_err());
    assert!(error.is_quota_exceeded(), "{error}");
    assert_eq!(log.events(), ["drop"]);
    for error in [
        writer.write(b"1").await.unwrap_err(),
        writer.flush().await.unwrap_err(),
        writer.close().await.unwrap_err(),
        writer.close().await.unwrap_err(),
    ] {
        assert!(storage_core::Error::from(error).is_writer_closed());
    }
    assert!(!writer.try_write(b"1").unwrap());
    assert_eq!(log.events(), ["drop"]);
}

/// Polls once and drops.
fn cancel(future: impl Future) {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
}

#[tokio::test]
async fn cancelled_calls_neither_lose_nor_repeat() {
    let log = Log::default();
    let mut writer = writer(Below::new(&log, usize::MAX));
    let large = [b'1'; 70_000];
    writer.write(&large).await.unwrap();
    for _ in 0..20 {
        cancel(writer.write(b"2"));
        cancel(writer.flush());
    }
    assert!(!writer.try_write(b"2").unwrap(), "there is no room");
    writer.write(b"3").await.unwrap();
    cancel(writer.close());
    assert!(writer.write(b"4").await.is_err(), "a close has begun");
    writer.close().await.unwrap();
    assert_eq!(log.events(), ["shutdown"]);
    assert_eq!(log.bytes(), [&large[..], b"\n3\n"].concat());
}

#[tokio::test]
async fn a_failure_is_not_the_end_of_a_record() {
    let mut reader = from_chunks(chunks(&[
        Some("1\n2"),
        Some(""),
        Some("2\n3"),
        None,
        Some("3\n"),
    ]));
    assert_eq!(reader.read().await.unwrap().unwrap(), "1");
    assert_eq!(reader.read_json::<u8>().await.unwrap(), Some(22));
    let error = storage_core::Error::from(reader.read().await.unwrap_err());
    assert_eq!(error.kind(), storage_core::ErrorKind::Network);
    let error = storage_core::Error::from(reader.read().await.unwrap_err());
    assert_eq!(error.kind(), storage_core::ErrorKind::ReaderClosed);
    assert!(reader.get_ref().is_none());
}

#[tokio::test]
async fn through_dyn_records_are_taken_without_waiting() {
    let mut reader: Box<dyn RecordReader> =
        Box::new(from_chunks(chunks(&[Some("1\n2\n3"), Some("4\n")])));
    assert!(reader.try_read().unwrap().is_none());
    let mut target = writer(Vec::new());
    {
        let writer: &mut dyn RecordWriter = &mut target;
        while let Some(record) = reader.read().await.unwrap() {
            writer.write(&record).await.unwrap();
            while let Some(record) = reader.try_read().unwrap() {
                assert!(writer.try_write(&record).unwrap());
            }
        }
        writer.flush().await.unwrap();
        writer.close().await.unwrap();
    }
    assert_eq!(target.into_inner().unwrap(), b"1\n2\n34\n");
    reader.close().await.unwrap();
    let error = reader.read().await.unwrap_err();
    assert_eq!(error.kind(), storage_core::ErrorKind::ReaderClosed);
}

#[tokio::test]
async fn streams_go_on_behind_a_bad_line() {
    let records = Options::default()
        .max_record(3)
        .from_chunks(chunks(&[Some("123\n12"), Some("34\n5\n")]));
    let lines: Vec<_> = records
        .map(|record| record.map_err(|error| error.to_string()))
        .collect()
        .await;
    let error = "line 2 at byte 4 has more than 3 bytes".to_owned();
    assert_eq!(lines, [Ok("123".into()), Err(error), Ok("5".into())]);
}

#[tokio::test]
async fn streams_end_behind_a_failure() {
    let broken = || from_chunks(chunks(&[Some("1\n2"), None, Some("\n")]));
    let records: Vec<_> = broken().map(|record| record.is_ok()).collect().await;
    assert_eq!(records, [true, false]);
    let values: Vec<_> = broken()
        .into_json::<u8>()
        .map(|value| value.is_ok())
        .collect()
        .await;
    assert_eq!(values, [true, false]);
}
