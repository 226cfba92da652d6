//! What the channel backend promises: order, back-pressure, the end of a stream, who gets which
//! messages, and that nobody hangs, whatever is cancelled, deleted or closed.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used)]

#[path = "channel/boundaries.rs"]
mod boundaries;
#[path = "channel/broadcast.rs"]
mod broadcast;
#[path = "channel/cancelling.rs"]
mod cancelling;
#[path = "channel/closing.rs"]
mod closing;
#[path = "channel/crew.rs"]
mod crew;
#[path = "channel/deleting.rs"]
mod deleting;
#[path = "channel/ending.rs"]
mod ending;
#[path = "channel/listing.rs"]
mod listing;
#[path = "channel/opening.rs"]
mod opening;
#[path = "channel/options.rs"]
mod options;
#[path = "channel/queue.rs"]
mod queue;
#[path = "channel/replay.rs"]
mod replay;
#[path = "channel/threads.rs"]
mod threads;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use storage_channel::{ChannelBackend, Missing, Mode};
use storage_core::{Backend, Bytes, ObjectPath, ReadOptions, Reader, Result, WriteOptions, Writer};

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

/// Streams whose readers may come first.
fn streams(mode: Mode, capacity: usize) -> ChannelBackend {
    let builder = ChannelBackend::builder().mode(mode).capacity(capacity);
    builder.missing(Missing::Wait).build().unwrap()
}

fn writer(backend: &dyn Backend, name: &str) -> Writer {
    ready(backend.writer(&path(name), WriteOptions::default())).unwrap()
}

fn reader(backend: &dyn Backend, name: &str) -> Reader {
    ready(backend.reader(&path(name), ReadOptions::default())).unwrap()
}

/// Polls once.
fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The outcome of what must not wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match poll(future) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waits"),
    }
}

fn send(writer: &mut Writer, message: &str) -> Result<()> {
    ready(writer.write_bytes(message.to_owned().into()))
}

/// The next message, which must be there.
fn next(reader: &mut Reader) -> Result<Option<Bytes>> {
    ready(reader.chunk()).transpose()
}

fn waits(reader: &mut Reader) -> bool {
    poll(reader.chunk()).is_pending()
}

/// Everything up to the end, and the error that ended it.
async fn drain(mut reader: Reader) -> (Vec<Bytes>, Option<storage_core::Error>) {
    let mut messages = Vec::new();
    while let Some(message) = reader.chunk().await {
        match message {
            Ok(message) => messages.push(message),
            Err(error) => return (messages, Some(error)),
        }
    }
    (messages, None)
}

/// Sends the numbers as messages and finishes.
async fn count(mut writer: Writer, numbers: std::ops::Range<u32>) -> Result<()> {
    for number in numbers {
        writer.write_bytes(number.to_string().into()).await?;
    }
    writer.finish().await.map(|_| ())
}

/// A payload of several messages.
fn pieces(messages: &[&'static str]) -> Vec<Bytes> {
    messages
        .iter()
        .map(|message| Bytes::from_static(message.as_bytes()))
        .collect()
}

fn numbers(messages: &[Bytes]) -> Vec<u32> {
    let parse = |message: &Bytes| std::str::from_utf8(message).unwrap().parse().unwrap();
    messages.iter().map(parse).collect()
}
