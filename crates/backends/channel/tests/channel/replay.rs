use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use storage_channel::{ChannelBackend, Mode};
use storage_core::BackendExt;

use crate::crew::Crew;
use crate::{
    count, drain, next, numbers, path, pieces, poll, reader, ready, send, streams, waits, writer,
};

#[test]
fn late_readers_get_what_was_sent_before_and_after_without_duplicates() {
    let backend = ChannelBackend::builder()
        .mode(Mode::Replay)
        .build()
        .unwrap();
    let mut writer = writer(&backend, "a");
    send(&mut writer, "0").unwrap();
    send(&mut writer, "1").unwrap();
    let mut late = reader(&backend, "a");
    assert_eq!(next(&mut late).unwrap().unwrap(), "0");
    send(&mut writer, "2").unwrap();
    assert_eq!(next(&mut late).unwrap().unwrap(), "1");
    assert_eq!(next(&mut late).unwrap().unwrap(), "2");
    assert!(waits(&mut late));
    ready(writer.finish()).unwrap();
    assert_eq!(next(&mut late).unwrap(), None);
    for _ in 0..2 {
        assert_eq!(ready(backend.get("a")).unwrap(), "012");
    }
}

#[test]
fn a_writer_replaces_an_ended_stream_with_its_first_message() {
    let builder = ChannelBackend::builder().mode(Mode::Replay);
    let backend = builder.build().unwrap();
    ready(backend.put("a", "old")).unwrap();
    let mut unread = reader(&backend, "a");
    let (mut new, other) = (writer(&backend, "a"), writer(&backend, "a"));
    assert_eq!(
        ready(backend.get("a")).unwrap(),
        "old",
        "nothing was sent yet"
    );
    send(&mut new, "1").unwrap();
    let mut early = reader(&backend, "a");
    assert_eq!(next(&mut early).unwrap().unwrap(), "1");
    assert!(waits(&mut early));
    // Writers that overlap write one stream.
    ready(count(other, 2..3)).unwrap();
    send(&mut new, "3").unwrap();
    ready(new.finish()).unwrap();
    assert_eq!(ready(backend.get("a")).unwrap(), "123");
    assert_eq!(
        next(&mut unread).unwrap().unwrap(),
        "old",
        "it is read to its end"
    );
    assert_eq!(next(&mut unread).unwrap(), None);
    ready(backend.put("a", "")).unwrap();
    assert_eq!(ready(backend.get("a")).unwrap(), "");
}

#[test]
fn a_replacement_that_is_given_up_before_its_first_message_changes_nothing() {
    let builder = ChannelBackend::builder().mode(Mode::Replay);
    let backend = builder.build().unwrap();
    ready(backend.put("a", "old")).unwrap();
    drop(writer(&backend, "a"));
    assert_eq!(ready(backend.get("a")).unwrap(), "old");
    // It leaves nothing behind that the next one would join.
    ready(backend.put("a", "new")).unwrap();
    assert_eq!(ready(backend.get("a")).unwrap(), "new");
}

#[test]
fn a_deletion_cuts_off_a_replacement_too() {
    let builder = ChannelBackend::builder().mode(Mode::Replay);
    let backend = builder.build().unwrap();
    ready(backend.put("a", "old")).unwrap();
    let mut replacement = writer(&backend, "a");
    assert!(ready(backend.remove("a")).unwrap());
    assert!(send(&mut replacement, "x").unwrap_err().is_not_found());
    assert!(!ready(backend.has("a")).unwrap());
}

#[test]
fn writers_wait_for_open_readers_alone() {
    let backend = streams(Mode::Replay, 2);
    let mut writer = writer(&backend, "a");
    for _ in 0..10 {
        send(&mut writer, "x").unwrap();
    }
    let mut slow = reader(&backend, "a");
    assert!(poll(writer.write_bytes("y".into())).is_pending());
    for _ in 0..9 {
        next(&mut slow).unwrap();
    }
    ready(writer.flush()).unwrap();
    assert!(poll(writer.write_bytes("z".into())).is_pending());
    drop(slow);
    ready(writer.finish()).unwrap();
    assert_eq!(ready(backend.get("a")).unwrap(), "xxxxxxxxxxyz");
}

#[test]
fn the_history_is_limited_and_its_writer_fails() {
    let builder = ChannelBackend::builder().mode(Mode::Replay).history(5);
    let backend = builder.build().unwrap();
    let mut writer = writer(&backend, "a");
    send(&mut writer, "abc").unwrap();
    let error = send(&mut writer, "def").unwrap_err();
    assert!(error.is_quota_exceeded(), "{error}");
    assert!(ready(writer.finish()).unwrap_err().is_writer_closed());
    for _ in 0..2 {
        let (messages, error) = ready(drain(reader(&backend, "a")));
        assert_eq!(messages, ["abc"]);
        assert!(error.unwrap().is_corrupt(), "every reader is told");
    }
    ready(backend.put("a", pieces(&["de", "fgh"]))).unwrap();
    assert_eq!(
        backend.stats(&path("a")).unwrap().held,
        2,
        "the limit is each stream's own"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn readers_that_come_at_any_time_get_the_same(
        seed: u64,
        capacity in 1usize..4,
        before in 0u32..6,
        after in 0u32..6,
        steps in 0usize..20,
        readers in 1usize..4,
    ) {
        let backend = streams(Mode::Replay, capacity);
        let got = Rc::new(RefCell::new(Vec::new()));
        let mut crew = Crew::new(seed);
        let join = |crew: &mut Crew| {
            for _ in 0..readers {
                let (reader, got) = (reader(&backend, "a"), Rc::clone(&got));
                crew.add(async move {
                    let (messages, error) = drain(reader).await;
                    assert!(error.is_none(), "{error:?}");
                    got.borrow_mut().push(numbers(&messages));
                });
            }
        };
        // Opened now, so that there is one end for all.
        let writer = writer(&backend, "a");
        join(&mut crew);
        crew.add(async move { count(writer, 0..before + after).await.unwrap() });
        for _ in 0..steps {
            crew.step();
        }
        join(&mut crew);
        prop_assert_eq!(crew.run(), 0, "somebody hangs");
        let all: Vec<u32> = (0..before + after).collect();
        prop_assert_eq!(got.take(), vec![all; 2 * readers]);
    }
}
