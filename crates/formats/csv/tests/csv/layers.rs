//! On top of backends and streams.

use futures_util::{StreamExt, TryStreamExt, stream};
use storage_core::{
    Backend, BackendExt, Bytes, Error, ErrorKind, ObjectPath, RecordReader, WriteOptions,
};
use storage_csv::{CsvReader, Options, from_chunks, reader, writer};
use storage_memory::MemoryBackend;

#[tokio::test]
async fn rows_of_all_sizes_go_through_a_backend() {
    let backend = MemoryBackend::new();
    let path = ObjectPath::new("a.csv").unwrap();
    let mut dropped = writer(
        backend
            .writer(&path, WriteOptions::default())
            .await
            .unwrap(),
    );
    dropped.write_row(["x"]).await.unwrap();
    dropped.flush().await.unwrap();
    drop(dropped);
    assert!(backend.is_empty());

    let mut closed = writer(
        backend
            .writer(&path, WriteOptions::default())
            .await
            .unwrap(),
    );
    let texts = [0, 1, 65_535, 65_536, 300_000, 2].map(|n| "\"7\n".repeat(n));
    closed.write_row(["text", "number"]).await.unwrap();
    for text in &texts {
        closed.write_typed(&(text, 1)).await.unwrap();
    }
    closed.close().await.unwrap();
    closed.close().await.unwrap();
    let error = closed.write_row(["x", "y"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriterClosed);
    let size = closed.into_inner().unwrap().finish().await.unwrap().size;
    assert_eq!(backend.get("a.csv").await.unwrap().len() as u64, size);

    let rows = from_chunks(backend.open("a.csv").await.unwrap()).into_typed::<(String, u8)>();
    let rows: Vec<_> = rows.try_collect().await.unwrap();
    assert_eq!(
        rows.iter().map(|row| &row.0).collect::<Vec<_>>(),
        texts.iter().collect::<Vec<_>>()
    );
    let mut again = reader(backend.open("a.csv").await.unwrap());
    for text in &texts {
        let row = again.read_row().await.unwrap().unwrap();
        assert_eq!(row.get(0), Some(text.as_bytes()));
    }
    assert!(again.read_row().await.unwrap().is_none());
}

#[tokio::test]
async fn columns_are_written_on_close_without_rows() {
    let mut empty = Options::default()
        .columns(["a", "b"])
        .writer(Vec::new())
        .unwrap();
    empty.close().await.unwrap();
    empty.close().await.unwrap();
    assert_eq!(empty.into_inner().unwrap(), b"a,b\n");
}

fn broken() -> CsvReader<impl futures_util::Stream<Item = Result<Bytes, Error>> + Unpin + Send> {
    let chunks = [Ok("a,b\n1,2\n3"), Err(()), Ok(",4\n")];
    let failure = |()| Error::new(ErrorKind::Network, "the line went dead");
    from_chunks(stream::iter(
        chunks.map(|chunk| chunk.map(Bytes::from).map_err(failure)),
    ))
}

#[tokio::test]
async fn a_failure_below_is_passed_on_and_ends_everything() {
    let mut reader = broken();
    assert_eq!(reader.read().await.unwrap().unwrap(), r#"{"a":1,"b":2}"#);
    for kind in [
        ErrorKind::Network,
        ErrorKind::ReaderClosed,
        ErrorKind::ReaderClosed,
    ] {
        assert_eq!(reader.read().await.unwrap_err().kind(), kind);
    }
    let records: Vec<_> = broken().map(|record| record.is_ok()).collect().await;
    assert_eq!(records, [true, false]);
    let values: Vec<_> = broken()
        .into_typed::<(u8, u8)>()
        .map(|value| value.is_ok())
        .collect()
        .await;
    assert_eq!(values, [true, false]);
}

#[tokio::test]
async fn streams_go_on_behind_a_bad_row_and_end_behind_an_open_quote() {
    let records: Vec<_> = reader(&b"a\n1\n1,2\n2\n\"3\n"[..])
        .map(|record| record.is_ok())
        .collect()
        .await;
    assert_eq!(records, [true, false, true, false]);
}

#[tokio::test]
async fn through_dyn_records_are_taken_without_waiting() {
    let mut reader: Box<dyn RecordReader> = Box::new(reader(&b"a\n1\n2\n3"[..]));
    assert_eq!(reader.try_read().unwrap(), None);
    assert_eq!(reader.read().await.unwrap().unwrap(), r#"{"a":1}"#);
    assert_eq!(reader.try_read().unwrap().unwrap(), r#"{"a":2}"#);
    assert_eq!(reader.try_read().unwrap(), None);
    assert_eq!(reader.read().await.unwrap().unwrap(), r#"{"a":3}"#);
    reader.close().await.unwrap();
    assert_eq!(
        reader.read().await.unwrap_err().kind(),
        ErrorKind::ReaderClosed
    );
}
