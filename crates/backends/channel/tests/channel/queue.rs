use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use storage_channel::{ChannelBackend, Mode};
use storage_core::BackendExt;

use crate::crew::Crew;
use crate::{count, drain, next, numbers, path, poll, reader, ready, send, streams, waits, writer};

#[test]
fn messages_arrive_in_order_each_by_itself_and_then_the_end() {
    let backend = ChannelBackend::new();
    let mut writer = writer(&backend, "a/b");
    let mut reader = reader(&backend, "a/b");
    assert!(waits(&mut reader));
    for message in ["one", "two", "three"] {
        send(&mut writer, message).unwrap();
    }
    assert_eq!(next(&mut reader).unwrap().unwrap(), "one");
    assert_eq!(next(&mut reader).unwrap().unwrap(), "two");
    assert_eq!(next(&mut reader).unwrap().unwrap(), "three");
    assert!(waits(&mut reader), "the writer is still open");
    assert_eq!(ready(writer.finish()).unwrap().size, 11);
    assert_eq!(next(&mut reader).unwrap(), None);
    assert_eq!(next(&mut reader).unwrap(), None, "the end stays the end");
}

#[test]
fn a_full_stream_holds_the_writer_back() {
    let backend = ChannelBackend::new();
    let mut writer = writer(&backend, "a");
    for _ in 0..100 {
        send(&mut writer, "x").unwrap();
    }
    assert!(poll(writer.write_bytes("y".into())).is_pending());
    assert_eq!(backend.stats(&path("a")).unwrap().held, 100);
    let mut reader = reader(&backend, "a");
    for _ in 0..100 {
        assert_eq!(next(&mut reader).unwrap().unwrap(), "x");
    }
    // The call was dropped, but the writer holds its message and sends it first.
    assert!(waits(&mut reader));
    send(&mut writer, "z").unwrap();
    assert_eq!(next(&mut reader).unwrap().unwrap(), "y");
    assert_eq!(next(&mut reader).unwrap().unwrap(), "z");
}

#[test]
fn what_nobody_has_read_yet_stays_when_others_write() {
    let backend = ChannelBackend::new();
    ready(backend.put("jobs", "one")).unwrap();
    ready(backend.put("jobs", "two")).unwrap();
    let mut first = reader(&backend, "jobs");
    assert_eq!(next(&mut first).unwrap().unwrap(), "one");
    drop(first);
    assert_eq!(ready(backend.get("jobs")).unwrap(), "two");
    assert!(ready(backend.get("jobs")).unwrap_err().is_not_found());
}

#[test]
fn a_stream_that_has_ended_and_was_read_can_begin_again() {
    let backend = ChannelBackend::new();
    for round in ["one", "two", ""] {
        ready(backend.put("a", round)).unwrap();
        assert!(ready(backend.has("a")).unwrap());
        assert_eq!(ready(backend.get("a")).unwrap(), round);
        assert!(!ready(backend.has("a")).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_message_is_taken_once_in_order_and_all_readers_end(
        seed: u64,
        capacity in 1usize..5,
        writers in 1u32..4,
        readers in 1usize..6,
        messages in 0u32..12,
    ) {
        let backend = streams(Mode::Queue, capacity);
        let taken = Rc::new(RefCell::new(Vec::new()));
        let mut crew = Crew::new(seed);
        for _ in 0..readers {
            let (reader, taken) = (reader(&backend, "a"), Rc::clone(&taken));
            crew.add(async move {
                let (messages, error) = drain(reader).await;
                assert!(error.is_none(), "{error:?}");
                let messages = numbers(&messages);
                assert_in_order(&messages);
                taken.borrow_mut().extend(messages);
            });
        }
        for index in 0..writers {
            let writer = writer(&backend, "a");
            let first = index * 1000;
            crew.add(async move { count(writer, first..first + messages).await.unwrap() });
        }
        prop_assert_eq!(crew.run(), 0, "somebody hangs");
        let mut taken = taken.take();
        taken.sort_unstable();
        let all: Vec<u32> = (0..writers).flat_map(|w| w * 1000..w * 1000 + messages).collect();
        prop_assert_eq!(taken, all);
        prop_assert_eq!(backend.stats(&path("a")), None);
    }
}

/// Requires what one writer sent to come in the order it was sent.
fn assert_in_order(messages: &[u32]) {
    for writer in 0..10 {
        let of_one = messages.iter().filter(|message| **message / 1000 == writer);
        assert!(of_one.is_sorted(), "{messages:?}");
    }
}
