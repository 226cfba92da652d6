use storage_channel::{ChannelBackend, Mode};
use storage_core::BackendExt;

use crate::{drain, next, path, pieces, reader, ready, send, streams, waits, writer};

const MODES: [Mode; 3] = [Mode::Queue, Mode::Broadcast, Mode::Replay];

#[test]
fn a_dropped_writer_is_an_error_at_the_end_for_every_open_reader() {
    for mode in MODES {
        let backend = streams(mode, 10);
        let (mut one, mut two) = (reader(&backend, "a"), reader(&backend, "a"));
        let (mut dropped, mut finishes) = (writer(&backend, "a"), writer(&backend, "a"));
        send(&mut dropped, "0").unwrap();
        drop(dropped);
        send(&mut finishes, "1").unwrap();
        assert_eq!(next(&mut one).unwrap().unwrap(), "0", "{mode:?}");
        assert_eq!(next(&mut one).unwrap().unwrap(), "1", "{mode:?}");
        assert!(waits(&mut one), "one writer is still open: {mode:?}");
        ready(finishes.finish()).unwrap();
        let error = next(&mut one).unwrap_err();
        assert!(error.is_corrupt(), "{mode:?}: {error}");
        assert!(
            error
                .to_string()
                .starts_with("channel: read \"a\": corrupt data: ")
        );
        assert_eq!(
            next(&mut one).unwrap(),
            None,
            "the error ended it: {mode:?}"
        );
        if mode != Mode::Queue {
            assert_eq!(next(&mut two).unwrap().unwrap(), "0", "{mode:?}");
            assert_eq!(next(&mut two).unwrap().unwrap(), "1", "{mode:?}");
        }
        assert!(next(&mut two).unwrap_err().is_corrupt(), "{mode:?}");
    }
}

#[test]
fn an_aborted_write_that_nobody_read_is_told_to_the_next_reader() {
    for mode in MODES {
        let backend = streams(mode, 10);
        let mut writer = writer(&backend, "a");
        send(&mut writer, "0").unwrap();
        ready(writer.abort()).unwrap();
        let (messages, error) = ready(drain(reader(&backend, "a")));
        assert_eq!(messages, ["0"], "{mode:?}");
        assert!(error.unwrap().is_corrupt(), "{mode:?}");
    }
}

#[test]
fn a_write_that_was_given_up_before_anybody_noticed_leaves_nothing() {
    for mode in MODES {
        let backend = ChannelBackend::builder().mode(mode).build().unwrap();
        let unused = writer(&backend, "a");
        assert!(ready(backend.has("a")).unwrap(), "{mode:?}");
        drop(unused);
        assert!(!ready(backend.has("a")).unwrap(), "{mode:?}");
        assert_eq!(backend.stats(&path("a")), None, "{mode:?}");
        // And it is not held against the next writer.
        ready(backend.put("a", "x")).unwrap();
        assert_eq!(ready(backend.get("a")).unwrap(), "x", "{mode:?}");
    }
}

#[test]
fn a_failure_that_was_told_is_not_told_again() {
    let backend = streams(Mode::Queue, 10);
    let mut waiting = reader(&backend, "a");
    drop(writer(&backend, "a"));
    assert!(next(&mut waiting).unwrap_err().is_corrupt());
    let mut later = reader(&backend, "a");
    ready(backend.put("a", "x")).unwrap();
    assert_eq!(next(&mut later).unwrap().unwrap(), "x");
    assert_eq!(next(&mut later).unwrap(), None);
}

#[test]
fn a_reader_may_wait_for_the_first_writer() {
    for mode in MODES {
        let backend = streams(mode, 10);
        let mut early = reader(&backend, "a");
        assert!(waits(&mut early), "{mode:?}");
        assert!(!ready(backend.has("a")).unwrap(), "{mode:?}");
        assert_eq!(backend.stats(&path("a")).unwrap().readers, 1);
        let mut writer = writer(&backend, "a");
        assert!(waits(&mut early), "{mode:?}");
        ready(writer.finish()).unwrap();
        assert_eq!(next(&mut early).unwrap(), None, "{mode:?}");
    }
}

#[test]
fn reading_what_nobody_writes_is_not_found_by_default() {
    for mode in MODES {
        let backend = ChannelBackend::builder().mode(mode).build().unwrap();
        assert!(ready(backend.open("a")).unwrap_err().is_not_found());
        assert!(ready(backend.get("a")).unwrap_err().is_not_found());
        assert_eq!(backend.stats(&path("a")), None);
    }
}

#[test]
fn a_reader_that_does_not_wait_for_the_end_leaves_the_rest() {
    let backend = streams(Mode::Queue, 10);
    ready(backend.put("a", pieces(&["0", "1", "2"]))).unwrap();
    let mut first = reader(&backend, "a");
    assert_eq!(next(&mut first).unwrap().unwrap(), "0");
    drop(first);
    assert_eq!(ready(backend.get("a")).unwrap(), "12");
    assert_eq!(backend.stats(&path("a")), None);
}
