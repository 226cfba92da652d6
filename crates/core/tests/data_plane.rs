//! Readers and writers by themselves, over the smallest possible sinks and streams.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use storage_core::{
    Bytes, ErrorKind, ObjectInfo, ObjectPath, Payload, Reader, Result, WriteSink, Writer, Written,
    async_trait,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

struct Chunks(std::vec::IntoIter<Result<Bytes>>);

impl Stream for Chunks {
    type Item = Result<Bytes>;
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next())
    }
}

fn reader(len: u64, chunks: &[&'static str]) -> Reader {
    let info = ObjectInfo::new(ObjectPath::new("a").unwrap()).with_size(len);
    let chunks: Vec<_> = chunks
        .iter()
        .map(|c| Ok(Bytes::from_static(c.as_bytes())))
        .collect();
    Reader::from_stream(info, 0..len, Box::pin(Chunks(chunks.into_iter())))
}

#[derive(Default, Clone)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Logs its calls; every write waits once, so that it can be cancelled.
struct Sink {
    log: Log,
    fail_at: Option<usize>,
    writes: usize,
    finished: bool,
}

#[async_trait]
impl WriteSink for Sink {
    fn chunk_size(&self) -> usize {
        4
    }
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        tokio::task::yield_now().await;
        self.writes += 1;
        if self.fail_at == Some(self.writes) {
            return Err(storage_core::Error::new(ErrorKind::QuotaExceeded, "full"));
        }
        self.log
            .push(format!("write {}", String::from_utf8_lossy(&chunk)));
        Ok(())
    }
    async fn flush(&mut self) -> Result<()> {
        tokio::task::yield_now().await;
        self.log.push("flush");
        Ok(())
    }
    async fn finish(mut self: Box<Self>) -> Result<Written> {
        tokio::task::yield_now().await;
        self.finished = true;
        self.log.push("finish");
        Ok(Written::new(7))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.finished {
            self.log.push("aborted");
        }
    }
}

fn writer(log: &Log, fail_at: Option<usize>) -> Writer {
    let sink = Sink {
        log: log.clone(),
        fail_at,
        writes: 0,
        finished: false,
    };
    Writer::new("test", ObjectPath::new("dir/a").unwrap(), sink)
}

#[tokio::test]
async fn a_body_that_ends_early_or_goes_on_is_corrupt() {
    assert_eq!(reader(6, &["abc", "def"]).bytes().await.unwrap(), "abcdef");
    assert!(
        reader(7, &["abc", "def"])
            .bytes()
            .await
            .unwrap_err()
            .is_corrupt()
    );
    assert!(
        reader(5, &["abc", "def"])
            .bytes()
            .await
            .unwrap_err()
            .is_corrupt()
    );
    let mut all = Vec::new();
    let error = reader(7, &["abc"]).read_to_end(&mut all).await.unwrap_err();
    assert!(storage_core::Error::from(error).is_corrupt());
}

#[tokio::test]
async fn the_three_ways_to_read_agree() {
    let mut text = String::new();
    reader(6, &["a\nb", "", "\nc\n"])
        .read_to_string(&mut text)
        .await
        .unwrap();
    assert_eq!(text, "a\nb\nc\n");
    let mut lines = reader(6, &["a\nb", "\nc\n"]).lines();
    let mut seen = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        seen.push(line);
    }
    assert_eq!(seen, ["a", "b", "c"]);
}

#[tokio::test]
async fn bytes_in_memory_are_handed_over_without_a_copy() {
    let bytes = Bytes::from(vec![7u8; 1 << 20]);
    let info = ObjectInfo::new(ObjectPath::new("a").unwrap());
    let got = Reader::from_bytes(info.clone(), 0..1 << 20, bytes.clone())
        .bytes()
        .await
        .unwrap();
    assert_eq!(got.as_ptr(), bytes.as_ptr());
    let payload = Reader::from_bytes(info, 0..1 << 20, bytes.clone())
        .into_payload()
        .unwrap();
    assert_eq!(payload.as_slices().unwrap()[0].as_ptr(), bytes.as_ptr());
}

#[tokio::test]
async fn a_reader_that_has_begun_is_no_payload() {
    let info = ObjectInfo::new(ObjectPath::new("a").unwrap());
    let mut reader = Reader::from_bytes(info, 0..3, Bytes::from_static(b"abc"));
    assert_eq!(reader.read_u8().await.unwrap(), b'a');
    assert_eq!(reader.into_payload().unwrap_err().remaining(), Some(2));
}

#[tokio::test]
async fn small_writes_are_gathered_and_large_ones_passed_on() {
    let log = Log::default();
    let mut writer = writer(&log, None);
    for piece in ["a", "b", "cdef", "g"] {
        writer
            .write_bytes(Bytes::from_static(piece.as_bytes()))
            .await
            .unwrap();
    }
    writer.flush().await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(writer.finish().await.unwrap().size, 7);
    assert_eq!(
        writer.finish().await.unwrap().size,
        7,
        "a second finish is fine"
    );
    assert!(
        writer
            .write_bytes("x".into())
            .await
            .unwrap_err()
            .is_writer_closed()
    );
    assert_eq!(
        log.take(),
        ["write ab", "write cdef", "write g", "flush", "finish"]
    );
}

/// A sink that wants every chunk by itself.
struct Messages(Sink);

#[async_trait]
impl WriteSink for Messages {
    fn chunk_size(&self) -> usize {
        self.0.chunk_size()
    }
    fn keeps_chunks(&self) -> bool {
        true
    }
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.0.write(chunk).await
    }
    async fn finish(self: Box<Self>) -> Result<Written> {
        Box::new(self.0).finish().await
    }
}

#[tokio::test]
async fn a_sink_that_keeps_chunks_gets_each_by_itself() {
    let log = Log::default();
    let sink = Sink {
        log: log.clone(),
        fail_at: None,
        writes: 0,
        finished: false,
    };
    let mut writer = Writer::new("test", ObjectPath::new("a").unwrap(), Messages(sink));
    for piece in ["a", "b", "", "cdefgh"] {
        writer
            .write_bytes(Bytes::from_static(piece.as_bytes()))
            .await
            .unwrap();
    }
    writer.write_all(b"ij").await.unwrap();
    writer.write_bytes("k".into()).await.unwrap();
    writer.write_all(b"lmnop").await.unwrap();
    writer.finish().await.unwrap();
    let expected =
        ["a", "b", "cdefgh", "ij", "k", "lmno", "p"].map(|chunk| format!("write {chunk}"));
    let (last, writes) = log
        .take()
        .split_last()
        .map(|(l, w)| (l.clone(), w.to_vec()))
        .unwrap();
    assert_eq!(
        (writes.as_slice(), last.as_str()),
        (&expected[..], "finish")
    );
}

#[tokio::test]
async fn shutdown_publishes_and_drop_aborts() {
    let log = Log::default();
    let mut async_write = writer(&log, None);
    async_write.write_all(b"abcdefghi").await.unwrap();
    async_write.flush().await.unwrap();
    async_write.shutdown().await.unwrap();
    drop(async_write);
    assert_eq!(
        log.take(),
        ["write abcd", "write efgh", "write i", "flush", "finish"]
    );

    let mut dropped = writer(&log, None);
    dropped.write_all(b"abcdefghi").await.unwrap();
    drop(dropped);
    assert_eq!(log.take().last().unwrap(), "aborted");

    writer(&log, None).abort().await.unwrap();
    assert_eq!(log.take(), ["aborted"]);
}

#[tokio::test]
async fn a_failure_closes_the_writer_and_aborts() {
    let log = Log::default();
    let mut writer = writer(&log, Some(2));
    writer.write_bytes("abcd".into()).await.unwrap();
    let error = async {
        writer.write_bytes("efgh".into()).await?;
        writer.flush().await
    }
    .await
    .unwrap_err();
    assert!(error.is_quota_exceeded());
    assert_eq!(
        error.to_string(),
        r#"test: write "dir/a": quota exceeded: full"#
    );
    assert_eq!(log.take(), ["write abcd", "aborted"]);
    assert!(writer.finish().await.unwrap_err().is_writer_closed());
}

#[tokio::test]
async fn a_cancelled_call_goes_on_in_the_next() {
    let log = Log::default();
    let mut writer = writer(&log, None);
    writer.write_bytes("abcd".into()).await.unwrap();
    {
        let mut finish = std::pin::pin!(writer.finish());
        let mut context = Context::from_waker(Waker::noop());
        assert!(finish.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(writer.finish().await.unwrap().size, 7);
    assert_eq!(log.take(), ["write abcd", "finish"]);
}

#[tokio::test]
async fn payloads_can_be_streamed_again_and_again() {
    let payload = Payload::from(vec![Bytes::from_static(b"ab"), Bytes::from_static(b"c")]);
    assert_eq!(payload.len(), 3);
    assert_eq!(payload.to_bytes().await.unwrap(), "abc");
    assert_eq!(payload.clone().to_bytes().await.unwrap(), "abc");
}
