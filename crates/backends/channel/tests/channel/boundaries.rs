use storage_channel::{ChannelBackend, Mode};
use storage_core::{Backend, BackendExt, Bytes, Payload, WriteOptions};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::{drain, next, path, pieces, reader, ready, send, streams, writer};

#[test]
fn a_message_passes_without_a_copy() {
    let backend = streams(Mode::Broadcast, 10);
    let mut readers = [reader(&backend, "a"), reader(&backend, "a")];
    let message = Bytes::from(vec![7; 1 << 20]);
    let mut writer = writer(&backend, "a");
    ready(writer.write_bytes(message.clone())).unwrap();
    for reader in &mut readers {
        let got = next(reader).unwrap().unwrap();
        assert_eq!((got.as_ptr(), got.len()), (message.as_ptr(), 1 << 20));
    }
}

#[test]
fn an_empty_chunk_is_no_message() {
    let backend = ChannelBackend::new();
    let mut writer = writer(&backend, "a");
    for message in ["", "x", ""] {
        send(&mut writer, message).unwrap();
    }
    ready(writer.finish()).unwrap();
    assert_eq!(ready(drain(reader(&backend, "a"))).0, ["x"]);
}

#[test]
fn every_piece_of_a_payload_is_a_message() {
    let backend = ChannelBackend::new();
    let pieces = pieces(&["ab", "", "c"]);
    ready(backend.put("a", pieces)).unwrap();
    assert_eq!(ready(drain(reader(&backend, "a"))).0, ["ab", "c"]);
}

#[tokio::test]
async fn bytes_without_boundaries_are_gathered_until_they_are_flushed() {
    let backend = ChannelBackend::new();
    let mut writer = writer(&backend, "a");
    writer.write_all(b"ab").await.unwrap();
    writer.write_all(b"c").await.unwrap();
    writer.flush().await.unwrap();
    writer.write_all(b"d").await.unwrap();
    writer.write_bytes("e".into()).await.unwrap();
    writer.write_all(&vec![b'f'; 100_000]).await.unwrap();
    writer.shutdown().await.unwrap();
    let (messages, error) = drain(reader(&backend, "a")).await;
    assert!(error.is_none());
    let sizes: Vec<usize> = messages.iter().map(Bytes::len).collect();
    assert_eq!(messages[..3], ["abc", "d", "e"]);
    assert_eq!(sizes[3..], [65_536, 100_000 - 65_536]);
}

#[tokio::test]
async fn a_reader_is_any_of_the_three_kinds() {
    let backend = ChannelBackend::builder()
        .mode(Mode::Replay)
        .build()
        .unwrap();
    let pieces = pieces(&["one\ntw", "o\nth", "ree"]);
    backend.put("a", pieces).await.unwrap();
    let mut lines = reader(&backend, "a").lines();
    for line in ["one", "two", "three"] {
        assert_eq!(lines.next_line().await.unwrap().unwrap(), line);
    }
    let mut text = String::new();
    reader(&backend, "a")
        .read_to_string(&mut text)
        .await
        .unwrap();
    assert_eq!(text, "one\ntwo\nthree");
    assert_eq!(backend.get("a").await.unwrap(), text);
}

#[test]
fn the_size_of_a_stream_is_never_made_up() {
    let backend = ChannelBackend::builder()
        .mode(Mode::Replay)
        .build()
        .unwrap();
    ready(backend.put("a", "x")).unwrap();
    let reader = reader(&backend, "a");
    assert_eq!(
        (reader.info().size, reader.range(), reader.remaining()),
        (None, None, None)
    );
    let error = ready(backend.open_location_seeker());
    assert!(error.is_unsupported());
}

trait Seek {
    async fn open_location_seeker(&self) -> storage_core::Error;
}

impl Seek for ChannelBackend {
    async fn open_location_seeker(&self) -> storage_core::Error {
        let backend = std::sync::Arc::new(self.clone());
        let location = storage_core::Location::new(backend, path("a"));
        location.open_seeker().await.unwrap_err()
    }
}

#[test]
fn a_payload_known_to_be_wrong_sends_nothing() {
    let backend = ChannelBackend::new();
    let options = WriteOptions::default().size(5);
    let error = ready(backend.write(&path("a"), Payload::from("four"), options)).unwrap_err();
    assert!(error.is_corrupt());
    assert!(!ready(backend.has("a")).unwrap());
}
