use storage_channel::Mode;
use storage_core::BackendExt;

use crate::{drain, next, path, pieces, poll, reader, ready, send, streams, waits, writer};

const MODES: [Mode; 3] = [Mode::Queue, Mode::Broadcast, Mode::Replay];

#[test]
fn an_open_reader_reads_the_rest_and_then_learns_that_the_writer_was_cut_off() {
    for mode in MODES {
        let backend = streams(mode, 2);
        let (reader, mut cut_off) = (reader(&backend, "a"), writer(&backend, "a"));
        send(&mut cut_off, "0").unwrap();
        send(&mut cut_off, "1").unwrap();
        assert!(
            poll(cut_off.write_bytes("2".into())).is_pending(),
            "{mode:?}"
        );
        assert!(ready(backend.remove("a")).unwrap());
        assert!(!ready(backend.remove("a")).unwrap());
        assert!(
            ready(cut_off.flush()).unwrap_err().is_not_found(),
            "{mode:?}"
        );
        let (messages, error) = ready(drain(reader));
        assert_eq!(messages, ["0", "1"], "{mode:?}");
        assert!(error.unwrap().is_corrupt(), "{mode:?}");
    }
}

#[test]
fn a_finished_stream_is_read_to_its_end_although_it_was_deleted() {
    for mode in [Mode::Queue, Mode::Replay] {
        let backend = streams(mode, 10);
        ready(backend.put("a", pieces(&["0", "1"]))).unwrap();
        let mut reader = reader(&backend, "a");
        assert_eq!(next(&mut reader).unwrap().unwrap(), "0");
        assert!(ready(backend.remove("a")).unwrap());
        assert_eq!(ready(drain(reader)).0, ["1"], "{mode:?}");
    }
}

#[test]
fn the_name_is_free_at_once() {
    for mode in MODES {
        let backend = streams(mode, 10);
        let (mut old, mut cut_off) = (reader(&backend, "a"), writer(&backend, "a"));
        ready(backend.remove("a")).unwrap();
        let (mut new, mut again) = (reader(&backend, "a"), writer(&backend, "a"));
        send(&mut again, "new").unwrap();
        assert!(
            send(&mut cut_off, "old").unwrap_err().is_not_found(),
            "{mode:?}"
        );
        assert!(next(&mut old).unwrap_err().is_corrupt(), "{mode:?}");
        assert_eq!(next(&mut new).unwrap().unwrap(), "new", "{mode:?}");
        drop((old, cut_off));
        ready(again.finish()).unwrap();
        assert_eq!(next(&mut new).unwrap(), None, "{mode:?}");
    }
}

#[test]
fn finishing_after_the_deletion_fails() {
    let backend = streams(Mode::Queue, 10);
    let mut cut_off = writer(&backend, "a");
    ready(backend.remove("a")).unwrap();
    assert!(ready(cut_off.finish()).unwrap_err().is_not_found());
}

#[test]
fn a_reader_that_waits_for_a_first_writer_is_nothing_to_delete() {
    let backend = streams(Mode::Queue, 10);
    let mut waiting = reader(&backend, "a");
    assert!(!ready(backend.remove("a")).unwrap());
    assert!(waits(&mut waiting));
    ready(backend.put("a", "x")).unwrap();
    assert_eq!(next(&mut waiting).unwrap().unwrap(), "x");
    drop(waiting);
    assert!(ready(backend.remove("a")).unwrap(), "the end was not told");
    assert_eq!(backend.stats(&path("a")), None);
}
