use std::cell::RefCell;
use std::rc::Rc;

use storage_channel::{ChannelBackend, Mode};
use storage_core::{Backend, BackendExt};

use crate::crew::Crew;
use crate::{count, drain, next, path, poll, reader, ready, send, streams, waits, writer};

const MODES: [Mode; 3] = [Mode::Queue, Mode::Broadcast, Mode::Replay];

#[test]
fn closed_is_closed_for_every_call() {
    let backend = ChannelBackend::new();
    ready(backend.put("a", "x")).unwrap();
    let extended = backend.extended().unwrap();
    ready(backend.close()).unwrap();
    ready(backend.close()).unwrap();
    assert!(ready(backend.get("a")).unwrap_err().is_backend_closed());
    assert!(ready(backend.open("a")).unwrap_err().is_backend_closed());
    assert!(
        ready(backend.put("a", "x"))
            .unwrap_err()
            .is_backend_closed()
    );
    assert!(ready(backend.remove("a")).unwrap_err().is_backend_closed());
    assert!(ready(backend.has("a")).unwrap_err().is_backend_closed());
    assert!(
        ready(backend.delete_prefix(""))
            .unwrap_err()
            .is_backend_closed()
    );
    assert!(
        ready(extended.stat(&path("a")))
            .unwrap_err()
            .is_backend_closed()
    );
    assert!(ready(extended.flush()).unwrap_err().is_backend_closed());
    assert_eq!(
        ready(backend.clone().get("a")).unwrap(),
        "x",
        "a clone is a handle of its own"
    );
}

#[test]
fn closing_one_handle_leaves_the_others_and_what_they_opened() {
    let backend = streams(Mode::Queue, 10);
    let other = backend.clone();
    let mut waiting = reader(&backend, "a");
    ready(backend.close()).unwrap();
    assert!(waits(&mut waiting), "somebody may still write");
    ready(other.put("a", "x")).unwrap();
    assert_eq!(next(&mut waiting).unwrap().unwrap(), "x");
}

#[test]
#[allow(clippy::redundant_clone)] // A handle more is what is tested.
fn a_handle_opened_after_the_last_one_was_closed_makes_waiting_sensible_again() {
    let backend = streams(Mode::Queue, 10);
    let mut waiting = reader(&backend, "a");
    ready(backend.close()).unwrap();
    let other = backend.clone();
    assert!(waits(&mut waiting));
    drop(other);
    assert!(next(&mut waiting).unwrap_err().is_backend_closed());
}

#[test]
fn readers_and_writers_outlive_the_handle_that_opened_them() {
    for mode in MODES {
        let backend = streams(mode, 10);
        let (mut reader, mut writer) = (reader(&backend, "a"), writer(&backend, "a"));
        drop(backend);
        send(&mut writer, "x").unwrap();
        assert_eq!(next(&mut reader).unwrap().unwrap(), "x");
        assert!(waits(&mut reader));
        ready(writer.finish()).unwrap();
        assert_eq!(next(&mut reader).unwrap(), None, "{mode:?}");
    }
}

#[test]
fn a_full_stream_that_nobody_can_read_any_more_fails_its_writer() {
    for mode in [Mode::Queue, Mode::Broadcast] {
        let backend = streams(mode, 1);
        let (reader, mut writer) = (reader(&backend, "a"), writer(&backend, "a"));
        send(&mut writer, "0").unwrap();
        assert!(poll(writer.write_bytes("1".into())).is_pending());
        drop(backend);
        assert!(
            poll(writer.flush()).is_pending(),
            "the reader may still take it: {mode:?}"
        );
        drop(reader);
        assert!(
            ready(writer.flush()).unwrap_err().is_backend_closed(),
            "{mode:?}"
        );
    }
}

/// What takes part beside the handle that is closed.
const CASTS: [(bool, bool); 3] = [(true, true), (true, false), (false, true)];

#[test]
fn closing_at_any_point_lets_nobody_hang() {
    for mode in MODES {
        for cast in CASTS {
            for seed in 0..20 {
                (0..40).for_each(|steps| close_after(mode, cast, seed, steps));
            }
        }
    }
}

fn close_after(mode: Mode, (reads, writes): (bool, bool), seed: u64, steps: usize) {
    let at = format!("{mode:?} {reads} {writes} {seed} {steps}");
    let (backend, mut crew) = (streams(mode, 2), Crew::new(seed));
    let (sent, drained) = (Rc::new(RefCell::new(None)), Rc::new(RefCell::new(None)));
    if writes {
        let (sending, sent) = (count(writer(&backend, "a"), 0..6), Rc::clone(&sent));
        crew.add(async move { *sent.borrow_mut() = Some(sending.await) });
    }
    if reads {
        let (reading, drained) = (drain(reader(&backend, "a")), Rc::clone(&drained));
        crew.add(async move { *drained.borrow_mut() = Some(reading.await) });
    }
    (0..steps).for_each(|_| _ = crew.step());
    ready(backend.close()).unwrap();
    assert_eq!(crew.run(), 0, "somebody hangs: {at}");
    let sent = sent.take();
    match drained.take() {
        // Who has somebody on the other side goes on.
        Some((messages, error)) if writes => {
            assert!(error.is_none() && messages.len() == 6, "{at}: {error:?}");
            sent.unwrap().unwrap();
        }
        Some((messages, error)) => {
            assert!(
                messages.is_empty() && error.unwrap().is_backend_closed(),
                "{at}"
            );
        }
        // The history has room for all, whether or not somebody reads it.
        None if mode == Mode::Replay => sent.unwrap().unwrap(),
        None => assert!(sent.unwrap().unwrap_err().is_backend_closed(), "{at}"),
    }
}
