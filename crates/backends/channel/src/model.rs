//! The streams under the model checker: each test runs once for every order in which its threads can
//! take the locks, with a bound on the switches that no thread asked for. A lost wake-up is a deadlock,
//! which the checker reports.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use loom::future::block_on;
use loom::thread::{JoinHandle, spawn};
use storage_core::ObjectPath;

use crate::ends::{Receiver, Sender};
use crate::namespace::Namespace;
use crate::settings::{Missing, Mode, Rules, Settings, SlowReaders};
use crate::state::{Received, Refusal};

/// Tries every order with up to two preemptions: seconds at most.
fn explore(program: impl Fn() + Send + Sync + 'static) {
    explore_up_to(2, program);
}

fn explore_up_to(preemptions: usize, program: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(program);
}

fn namespace(mode: Mode, capacity: usize) -> Arc<Namespace> {
    let rules = Settings {
        mode,
        capacity,
        ..Settings::new()
    };
    Arc::new(Namespace::new(rules.rules().unwrap()))
}

fn path() -> ObjectPath {
    ObjectPath::new("a").unwrap()
}

fn writer(names: &Arc<Namespace>) -> Sender {
    Namespace::writer(names, &path()).unwrap()
}

fn reader(names: &Arc<Namespace>) -> Receiver {
    Namespace::reader(names, &path(), Missing::Wait).unwrap()
}

async fn send(sender: &mut Sender, message: &'static str) -> Result<(), Refusal> {
    let mut message = Bytes::from_static(message.as_bytes());
    poll_fn(|cx| sender.poll_send(&mut message, cx)).await
}

async fn send_all(mut sender: Sender, messages: &[&'static str]) -> Result<(), Refusal> {
    for message in messages {
        send(&mut sender, message).await?;
    }
    sender.finish()
}

/// What a reader gets up to the end of the stream, and how it ended.
async fn drain(receiver: Receiver) -> (Vec<Bytes>, Received) {
    let mut messages = Vec::new();
    loop {
        match poll_fn(|cx| receiver.poll_receive(cx)).await {
            Received::Message(message) => messages.push(message),
            end => return (messages, end),
        }
    }
}

fn sending(sender: Sender, messages: &'static [&str]) -> JoinHandle<Result<(), Refusal>> {
    spawn(move || block_on(send_all(sender, messages)))
}

fn draining(receiver: Receiver) -> JoinHandle<(Vec<Bytes>, Received)> {
    spawn(move || block_on(drain(receiver)))
}

fn whole(messages: &[&'static str]) -> (Vec<Bytes>, Received) {
    let messages = messages.iter().map(|m| Bytes::from_static(m.as_bytes()));
    (messages.collect(), Received::End)
}

#[test]
fn a_full_stream_keeps_order_and_ends() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let (writer, reader) = (writer(&names), reader(&names));
        let sent = sending(writer, &["1", "2", "3"]);
        assert_eq!(block_on(drain(reader)), whole(&["1", "2", "3"]));
        sent.join().unwrap().unwrap();
        assert_eq!(names.stats(&path()), None, "nothing is left");
    });
}

#[test]
fn the_end_waits_for_the_last_writer() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let (one, two, reader) = (writer(&names), writer(&names), reader(&names));
        let (one, two) = (sending(one, &["1"]), sending(two, &["2"]));
        let (mut messages, end) = block_on(drain(reader));
        messages.sort();
        assert_eq!((messages, end), whole(&["1", "2"]));
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
    });
}

#[test]
fn readers_of_a_queue_get_every_message_once_and_all_end() {
    // Three threads that switch with every message: a second one would take minutes.
    explore_up_to(1, || {
        let names = namespace(Mode::Queue, 1);
        let (one, two) = (reader(&names), reader(&names));
        let sent = sending(writer(&names), &["1", "2"]);
        let one = draining(one);
        let (mut messages, end) = block_on(drain(two));
        let (others, other_end) = one.join().unwrap();
        messages.extend(others);
        messages.sort();
        assert_eq!((messages, end), whole(&["1", "2"]));
        assert_eq!(other_end, Received::End);
        sent.join().unwrap().unwrap();
    });
}

#[test]
fn a_reader_that_gives_up_leaves_the_message_to_the_others() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let (quitter, other) = (reader(&names), reader(&names));
        let sent = sending(writer(&names), &["1"]);
        let other = draining(other);
        // Polled once, with a waker that nobody hears, and kept until the others are done.
        let mut context = Context::from_waker(Waker::noop());
        let polled = quitter.poll_receive(&mut context);
        let (mut messages, end) = other.join().unwrap();
        if let Poll::Ready(Received::Message(message)) = polled {
            messages.push(message);
        }
        assert_eq!((messages, end), whole(&["1"]));
        sent.join().unwrap().unwrap();
    });
}

#[test]
fn every_reader_of_a_broadcast_gets_everything() {
    // Three threads that switch with every message: a second one would take minutes.
    explore_up_to(1, || {
        let names = namespace(Mode::Broadcast, 1);
        let (one, two) = (reader(&names), reader(&names));
        let sent = sending(writer(&names), &["1", "2"]);
        let one = draining(one);
        assert_eq!(block_on(drain(two)), whole(&["1", "2"]));
        assert_eq!(one.join().unwrap(), whole(&["1", "2"]));
        sent.join().unwrap().unwrap();
    });
}

#[test]
fn a_slow_reader_of_a_broadcast_that_leaves_lets_the_writer_go_on() {
    explore(|| {
        let names = namespace(Mode::Broadcast, 1);
        let (slow, fast) = (reader(&names), reader(&names));
        let sent = sending(writer(&names), &["1", "2"]);
        let left = spawn(move || drop(slow));
        assert_eq!(block_on(drain(fast)), whole(&["1", "2"]));
        left.join().unwrap();
        sent.join().unwrap().unwrap();
    });
}

#[test]
fn what_a_reader_misses_is_counted_and_the_writer_never_waits() {
    explore(|| {
        let rules = Rules {
            slow_readers: SlowReaders::Skip,
            ..*namespace(Mode::Broadcast, 1).rules()
        };
        let names = Arc::new(Namespace::new(rules));
        let (mut writer, reader) = (writer(&names), reader(&names));
        let sent = spawn(move || {
            let mut context = Context::from_waker(Waker::noop());
            for message in ["1", "2", "3"] {
                let mut message = Bytes::from_static(message.as_bytes());
                let sent = writer.poll_send(&mut message, &mut context);
                assert_eq!(sent, Poll::Ready(Ok(())));
            }
            writer.finish()
        });
        let mut accounted = 0;
        loop {
            match block_on(poll_fn(|cx| reader.poll_receive(cx))) {
                Received::Message(message) => {
                    accounted += 1;
                    assert_eq!(message, accounted.to_string());
                }
                Received::Lagged(missed) => accounted += missed,
                end => break assert_eq!(end, Received::End),
            }
        }
        assert_eq!(accounted, 3);
        sent.join().unwrap().unwrap();
    });
}

#[test]
fn a_replay_gives_late_readers_everything_once() {
    explore(|| {
        let names = namespace(Mode::Replay, 2);
        let early = reader(&names);
        let sent = sending(writer(&names), &["1", "2"]);
        let early = draining(early);
        assert_eq!(block_on(drain(reader(&names))), whole(&["1", "2"]));
        assert_eq!(early.join().unwrap(), whole(&["1", "2"]));
        sent.join().unwrap().unwrap();
        assert_eq!(block_on(drain(reader(&names))), whole(&["1", "2"]));
    });
}

#[test]
fn a_dropped_writer_is_told_after_what_it_sent() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let (mut dropped, finishes, reader) = (writer(&names), writer(&names), reader(&names));
        let sent = spawn(move || block_on(send(&mut dropped, "1")));
        let finished = sending(finishes, &[]);
        let (messages, end) = block_on(drain(reader));
        assert_eq!((messages, end), (whole(&["1"]).0, Received::Broken(1)));
        sent.join().unwrap().unwrap();
        finished.join().unwrap().unwrap();
    });
}

#[test]
fn a_deleted_stream_ends_for_everybody() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let (writer, reader) = (writer(&names), reader(&names));
        let sent = sending(writer, &["1", "2"]);
        let read = draining(reader);
        let deleted = names.delete(&path());
        let sent = sent.join().unwrap();
        let (messages, end) = read.join().unwrap();
        assert_eq!(messages, whole(&["1", "2"]).0[..messages.len()]);
        match (sent, end) {
            (Ok(()), end) => assert_eq!((messages.len(), end), (2, Received::End)),
            (Err(refusal), end) => {
                assert!(deleted);
                assert_eq!((refusal, end), (Refusal::Deleted, Received::Broken(1)));
            }
        }
    });
}

#[test]
fn a_reader_that_waits_for_a_writer_gets_the_whole_stream() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let waiting = draining(reader(&names));
        let other = Arc::clone(&names);
        let sent = spawn(move || block_on(send_all(writer(&other), &["1"])));
        assert_eq!(waiting.join().unwrap(), whole(&["1"]));
        sent.join().unwrap().unwrap();
        assert_eq!(names.stats(&path()), None, "nothing is left");
    });
}

#[test]
fn readers_and_writers_that_come_and_go_share_one_stream() {
    explore(|| {
        let names = namespace(Mode::Queue, 2);
        let other = Arc::clone(&names);
        let came_and_went = spawn(move || drop(reader(&other)));
        let other = Arc::clone(&names);
        let sent = spawn(move || block_on(send_all(writer(&other), &["1"])));
        assert_eq!(block_on(drain(reader(&names))), whole(&["1"]));
        came_and_went.join().unwrap();
        sent.join().unwrap().unwrap();
    });
}

#[test]
fn closing_wakes_a_reader_that_nobody_can_write_to() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let waiting = draining(reader(&names));
        names.close_handle();
        assert_eq!(waiting.join().unwrap(), (Vec::new(), Received::Closed));
    });
}

#[test]
fn closing_wakes_a_writer_that_nobody_can_read_from() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let reader = reader(&names);
        let sent = sending(writer(&names), &["1", "2"]);
        let left = spawn(move || drop(reader));
        names.close_handle();
        assert_eq!(sent.join().unwrap(), Err(Refusal::Closed));
        left.join().unwrap();
    });
}

#[test]
fn closing_lets_both_ends_of_a_stream_go_on() {
    explore(|| {
        let names = namespace(Mode::Queue, 1);
        let read = draining(reader(&names));
        let sent = sending(writer(&names), &["1", "2"]);
        names.close_handle();
        assert_eq!(sent.join().unwrap(), Ok(()));
        assert_eq!(read.join().unwrap(), whole(&["1", "2"]));
    });
}

#[test]
fn a_replay_is_replaced_as_a_whole() {
    explore(|| {
        let names = namespace(Mode::Replay, 2);
        block_on(send_all(writer(&names), &["old"])).unwrap();
        let unused = writer(&names);
        let sent = sending(writer(&names), &["new"]);
        let left = spawn(move || drop(unused));
        let (messages, end) = block_on(drain(reader(&names)));
        sent.join().unwrap().unwrap();
        left.join().unwrap();
        // The writer that left beside the new one makes its end an error.
        match end {
            Received::End => assert_eq!(messages, ["old"]),
            end => assert_eq!((messages, end), (whole(&["new"]).0, Received::Broken(1))),
        }
        assert_eq!(block_on(drain(reader(&names))).0, ["new"]);
    });
}
