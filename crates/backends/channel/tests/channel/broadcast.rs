use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use storage_channel::{ChannelBackend, Lagged, Mode, SlowReaders};
use storage_core::BackendExt;

use crate::crew::Crew;
use crate::{count, drain, next, numbers, path, poll, reader, ready, send, streams, waits, writer};

fn skipping(capacity: usize) -> ChannelBackend {
    let builder = ChannelBackend::builder()
        .mode(Mode::Broadcast)
        .capacity(capacity);
    builder.slow_readers(SlowReaders::Skip).build().unwrap()
}

#[test]
fn the_writer_waits_for_the_slowest_reader_and_its_lag_is_counted() {
    let backend = streams(Mode::Broadcast, 2);
    let (mut slow, mut fast) = (reader(&backend, "a"), reader(&backend, "a"));
    let mut writer = writer(&backend, "a");
    send(&mut writer, "0").unwrap();
    send(&mut writer, "1").unwrap();
    next(&mut fast).unwrap();
    next(&mut fast).unwrap();
    assert!(waits(&mut fast));
    assert!(poll(writer.write_bytes("2".into())).is_pending());
    let stats = backend.stats(&path("a")).unwrap();
    assert_eq!((stats.behind, stats.held, stats.readers), (2, 2, 2));
    assert_eq!(next(&mut slow).unwrap().unwrap(), "0");
    ready(writer.flush()).unwrap();
    assert_eq!(next(&mut fast).unwrap().unwrap(), "2");
    drop(slow);
    assert_eq!(backend.stats(&path("a")).unwrap().held, 0);
}

#[test]
fn a_late_reader_gets_what_is_sent_from_then_on() {
    let backend = streams(Mode::Broadcast, 10);
    let mut writer = writer(&backend, "a");
    let mut early = reader(&backend, "a");
    send(&mut writer, "0").unwrap();
    let mut late = reader(&backend, "a");
    send(&mut writer, "1").unwrap();
    ready(writer.finish()).unwrap();
    for message in ["0", "1"] {
        assert_eq!(next(&mut early).unwrap().unwrap(), message);
    }
    assert_eq!(next(&mut late).unwrap().unwrap(), "1");
    assert_eq!(
        (next(&mut early).unwrap(), next(&mut late).unwrap()),
        (None, None)
    );
}

#[test]
fn what_is_sent_while_no_reader_is_open_is_for_the_next_one() {
    let backend = ChannelBackend::builder()
        .mode(Mode::Broadcast)
        .build()
        .unwrap();
    let mut writer = writer(&backend, "a");
    send(&mut writer, "0").unwrap();
    send(&mut writer, "1").unwrap();
    let mut first = reader(&backend, "a");
    assert_eq!(next(&mut first).unwrap().unwrap(), "0");
    drop(first);
    send(&mut writer, "2").unwrap();
    ready(writer.finish()).unwrap();
    assert_eq!(ready(backend.get("a")).unwrap(), "12");
    assert!(ready(backend.get("a")).unwrap_err().is_not_found());
}

#[test]
fn after_the_end_there_is_nothing_for_a_new_reader_while_others_read_on() {
    let backend = ChannelBackend::builder()
        .mode(Mode::Broadcast)
        .build()
        .unwrap();
    let mut writer = writer(&backend, "a");
    let (mut one, two) = (reader(&backend, "a"), reader(&backend, "a"));
    send(&mut writer, "0").unwrap();
    ready(writer.finish()).unwrap();
    assert!(ready(backend.open("a")).unwrap_err().is_not_found());
    assert!(!ready(backend.remove("a")).unwrap());
    assert_eq!(next(&mut one).unwrap().unwrap(), "0");
    assert_eq!(next(&mut one).unwrap(), None);
    drop(one);
    // What the last reader leaves is there for the next.
    drop(two);
    assert_eq!(ready(backend.get("a")).unwrap(), "0");
}

#[test]
fn a_reader_that_was_skipped_is_told_how_much_it_missed() {
    let backend = skipping(2);
    let mut writer = writer(&backend, "a");
    let (mut slow, mut fast) = (reader(&backend, "a"), reader(&backend, "a"));
    for message in ["0", "1", "2", "3", "4"] {
        send(&mut writer, message).unwrap();
        assert_eq!(next(&mut fast).unwrap().unwrap(), message);
    }
    let stats = backend.stats(&path("a")).unwrap();
    assert_eq!((stats.missed, stats.behind, stats.held), (3, 5, 2));
    let error = next(&mut slow).unwrap_err();
    assert!(error.is_corrupt());
    assert_eq!(Lagged::of(&error).unwrap().messages(), 3);
    assert_eq!(next(&mut slow).unwrap(), None, "an error ends a reader");
    assert_eq!(backend.stats(&path("a")).unwrap().missed, 3);
}

#[test]
fn a_reader_that_was_skipped_can_go_on_with_a_new_one() {
    let backend = skipping(2);
    let mut writer = writer(&backend, "a");
    let mut slow = reader(&backend, "a");
    for message in ["0", "1", "2"] {
        send(&mut writer, message).unwrap();
    }
    assert_eq!(
        Lagged::of(&next(&mut slow).unwrap_err())
            .unwrap()
            .messages(),
        1
    );
    drop(slow);
    ready(writer.finish()).unwrap();
    assert_eq!(ready(backend.get("a")).unwrap(), "12");
}

#[test]
fn the_first_reader_is_told_what_went_by_before_it_came() {
    let backend = skipping(2);
    let mut writer = writer(&backend, "a");
    for message in ["0", "1", "2", "3"] {
        send(&mut writer, message).unwrap();
    }
    let error = next(&mut reader(&backend, "a")).unwrap_err();
    assert_eq!(Lagged::of(&error).unwrap().messages(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_reader_gets_everything_in_the_same_order(
        seed: u64,
        capacity in 1usize..4,
        writers in 1u32..4,
        readers in 1usize..5,
        messages in 0u32..12,
    ) {
        let backend = streams(Mode::Broadcast, capacity);
        let got = Rc::new(RefCell::new(Vec::new()));
        let mut crew = Crew::new(seed);
        for _ in 0..readers {
            let (reader, got) = (reader(&backend, "a"), Rc::clone(&got));
            crew.add(async move {
                let (messages, error) = drain(reader).await;
                assert!(error.is_none(), "{error:?}");
                got.borrow_mut().push(numbers(&messages));
            });
        }
        for index in 0..writers {
            let writer = writer(&backend, "a");
            let first = index * 1000;
            crew.add(async move { count(writer, first..first + messages).await.unwrap() });
        }
        prop_assert_eq!(crew.run(), 0, "somebody hangs");
        let mut got = got.take();
        prop_assert_eq!(got.len(), readers);
        got.dedup();
        prop_assert_eq!(got.len(), 1, "readers differ");
        got[0].sort_unstable();
        let all: Vec<u32> = (0..writers).flat_map(|w| w * 1000..w * 1000 + messages).collect();
        prop_assert_eq!(&got[0], &all);
    }
}
