//! On top of backends and streams, in every mode.

use futures_util::{StreamExt, TryStreamExt, stream};
use storage_core::{
    Backend, BackendExt, Bytes, Error, ErrorKind, ObjectPath, RecordReader, RecordWriter,
    WriteOptions,
};
use storage_length_prefixed::{LengthPrefixedReader, Options, from_chunks, reader, writer};
use storage_memory::MemoryBackend;

use crate::round_trip::layouts;

#[tokio::test]
async fn records_of_all_sizes_go_through_a_backend() {
    let backend = MemoryBackend::new();
    let path = ObjectPath::new("a").unwrap();
    for options in layouts() {
        let target = backend
            .writer(&path, WriteOptions::default())
            .await
            .unwrap();
        let mut writer = options.writer(target);
        let records = [0, 1, 65_535, 65_536, 70_000, 1_000_000, 3].map(|n| vec![7u8; n]);
        for record in &records {
            writer.write(record).await.unwrap();
        }
        writer.close().await.unwrap();
        writer.close().await.unwrap();
        let size = writer.into_inner().unwrap().finish().await.unwrap().size;
        assert_eq!(backend.get("a").await.unwrap().len() as u64, size);

        let chunks = options.from_chunks(backend.open("a").await.unwrap());
        assert_eq!(chunks.try_collect::<Vec<Bytes>>().await.unwrap(), records);
        let bytes = options.reader(backend.open("a").await.unwrap());
        assert_eq!(bytes.try_collect::<Vec<Bytes>>().await.unwrap(), records);
    }
}

#[tokio::test]
async fn a_dropped_writer_publishes_nothing() {
    let backend = MemoryBackend::new();
    let path = ObjectPath::new("a").unwrap();
    let mut writer = writer(
        backend
            .writer(&path, WriteOptions::default())
            .await
            .unwrap(),
    );
    writer.write(&[1; 100_000]).await.unwrap();
    writer.flush().await.unwrap();
    drop(writer);
    assert!(backend.is_empty());
}

fn broken()
-> LengthPrefixedReader<impl futures_util::Stream<Item = Result<Bytes, Error>> + Unpin + Send> {
    let chunks = [Ok("\x01a\x03bc"), Err(()), Ok("d")];
    let failure = |()| Error::new(ErrorKind::Network, "the line went dead");
    from_chunks(stream::iter(
        chunks.map(|chunk| chunk.map(Bytes::from).map_err(failure)),
    ))
}

#[tokio::test]
async fn a_failure_below_is_passed_on_and_ends_everything() {
    let mut reader = broken();
    assert_eq!(reader.read().await.unwrap().unwrap(), "a");
    for kind in [
        ErrorKind::Network,
        ErrorKind::ReaderClosed,
        ErrorKind::ReaderClosed,
    ] {
        assert_eq!(reader.read().await.unwrap_err().kind(), kind);
    }
    let records: Vec<_> = broken().map(|record| record.is_ok()).collect().await;
    assert_eq!(records, [true, false]);
}

#[tokio::test]
async fn a_cut_record_ends_the_stream_and_stays_an_error() {
    let mut cut = reader(&b"\x01a\x03bc"[..]);
    assert_eq!(cut.read().await.unwrap().unwrap(), "a");
    for _ in 0..2 {
        let error = cut.read().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "record 2 at byte 2 is cut off after 3 bytes of 4"
        );
    }
    let records: Vec<_> = reader(&b"\x01a\x03bc"[..])
        .map(|record| record.is_ok())
        .collect()
        .await;
    assert_eq!(records, [true, false]);
}

#[tokio::test]
async fn through_dyn_records_are_taken_without_waiting() {
    let options = Options::default().crc32c(true);
    let mut target = options.writer(Vec::new());
    {
        let writer: &mut dyn RecordWriter = &mut target;
        writer.write(b"one").await.unwrap();
        assert!(writer.try_write(b"two").unwrap());
        writer.flush().await.unwrap();
        writer.close().await.unwrap();
        assert!(!writer.try_write(b"three").unwrap());
    }
    let bytes = target.into_inner().unwrap();
    let mut reader: Box<dyn RecordReader> = Box::new(options.reader(std::io::Cursor::new(bytes)));
    assert_eq!(reader.read().await.unwrap().unwrap(), "one");
    assert_eq!(reader.try_read().unwrap().unwrap(), "two");
    assert_eq!(reader.try_read().unwrap(), None);
    assert_eq!(reader.read().await.unwrap(), None);
    reader.close().await.unwrap();
    assert_eq!(
        reader.read().await.unwrap_err().kind(),
        ErrorKind::ReaderClosed
    );
}

#[cfg(feature = "json")]
#[tokio::test]
async fn values_stream_and_bad_ones_are_stepped_over() {
    let mut target = writer(Vec::new());
    target.write_json(&1).await.unwrap();
    target.write(b"x").await.unwrap();
    target.write_json(&2).await.unwrap();
    target.close().await.unwrap();
    let bytes = target.into_inner().unwrap();
    let values: Vec<_> = reader(&bytes[..])
        .into_json::<u8>()
        .map(Result::ok)
        .collect()
        .await;
    assert_eq!(values, [Some(1), None, Some(2)]);
    assert_eq!(reader(&bytes[..]).read_json::<u8>().await.unwrap(), Some(1));
}
