use std::cell::RefCell;
use std::rc::Rc;

use storage_channel::{ChannelBackend, Mode};
use storage_core::{Backend, BackendExt, Bytes, Error, ListOptions, Prefix};

use crate::crew::Crew;
use crate::{count, drain, numbers, path, poll, reader, ready, streams, writer};

const MODES: [Mode; 3] = [Mode::Queue, Mode::Broadcast, Mode::Replay];

/// More steps than any of the programs here takes.
const STEPS: usize = 40;

type Drained = Rc<RefCell<Option<(Vec<Bytes>, Option<Error>)>>>;

/// Adds a task that reads to the end.
fn draining(crew: &mut Crew, backend: &ChannelBackend) -> (usize, Drained) {
    let (reader, drained) = (reader(backend, "a"), Drained::default());
    let result = Rc::clone(&drained);
    let task = crew.add(async move { *result.borrow_mut() = Some(drain(reader).await) });
    (task, drained)
}

/// For every mode, order and point in time.
fn everywhere(test: impl Fn(Mode, u64, usize)) {
    for mode in MODES {
        for seed in 0..20 {
            (0..STEPS).for_each(|steps| test(mode, seed, steps));
        }
    }
}

#[test]
fn a_writer_dropped_at_any_point_ends_in_an_error_after_what_it_sent() {
    let seen = RefCell::new([0; 2]);
    everywhere(|mode, seed, steps| {
        let (backend, mut crew) = (streams(mode, 2), Crew::new(seed));
        let (_, drained) = draining(&mut crew, &backend);
        let sending = count(writer(&backend, "a"), 0..6);
        let task = crew.add(async move { sending.await.unwrap() });
        (0..steps).for_each(|_| _ = crew.step());
        crew.dismiss(task);
        assert_eq!(crew.run(), 0, "the reader hangs: {mode:?} {seed} {steps}");
        let (messages, error) = drained.take().unwrap();
        let all: Vec<u32> = (0..6).collect();
        assert_eq!(numbers(&messages), all[..messages.len()]);
        match error {
            None => assert_eq!(messages.len(), 6),
            Some(ref error) => assert!(error.is_corrupt(), "{error}"),
        }
        seen.borrow_mut()[usize::from(error.is_none())] += 1;
        // A replay that was written to keeps what it has.
        assert_eq!(backend.stats(&path("a")).is_some(), mode == Mode::Replay);
    });
    assert!(
        seen.take().iter().all(|count| *count > 100),
        "both ways were tried"
    );
}

#[test]
fn a_reader_dropped_at_any_point_disturbs_nobody() {
    everywhere(|mode, seed, steps| {
        let (backend, mut crew) = (streams(mode, 2), Crew::new(seed));
        let quitter = reader(&backend, "a");
        let taken = Rc::new(RefCell::new(Vec::new()));
        let taking = Rc::clone(&taken);
        let quitter = crew.add(async move {
            let mut quitter = quitter;
            while let Some(message) = quitter.chunk().await {
                taking.borrow_mut().push(message.unwrap());
            }
        });
        let (_, drained) = draining(&mut crew, &backend);
        let sending = count(writer(&backend, "a"), 0..6);
        crew.add(async move { sending.await.unwrap() });
        (0..steps).for_each(|_| _ = crew.step());
        crew.dismiss(quitter);
        assert_eq!(crew.run(), 0, "somebody hangs: {mode:?} {seed} {steps}");
        let (messages, error) = drained.take().unwrap();
        assert!(error.is_none(), "{error:?}");
        let mut got = numbers(&messages);
        if mode == Mode::Queue {
            got.extend(numbers(&taken.take()));
            got.sort_unstable();
        }
        assert_eq!(got, [0, 1, 2, 3, 4, 5], "{mode:?} {seed} {steps}");
    });
}

#[test]
fn a_stream_deleted_at_any_point_ends_for_both_sides() {
    everywhere(|mode, seed, steps| {
        let (backend, mut crew) = (streams(mode, 2), Crew::new(seed));
        let (_, drained) = draining(&mut crew, &backend);
        let sending = count(writer(&backend, "a"), 0..6);
        let sent = Rc::new(RefCell::new(None));
        let result = Rc::clone(&sent);
        crew.add(async move { *result.borrow_mut() = Some(sending.await) });
        (0..steps).for_each(|_| _ = crew.step());
        ready(backend.remove("a")).unwrap();
        assert_eq!(crew.run(), 0, "somebody hangs: {mode:?} {seed} {steps}");
        let (messages, error) = drained.take().unwrap();
        match sent.take().unwrap() {
            Ok(()) => assert!(error.is_none() && messages.len() == 6, "{error:?}"),
            Err(refused) => {
                assert!(refused.is_not_found(), "{refused}");
                assert!(error.unwrap().is_corrupt());
            }
        }
        assert_eq!(backend.stats(&path("a")), None);
    });
}

#[test]
fn a_cancelled_call_is_done_or_not_done() {
    let backend = streams(Mode::Queue, 1);
    ready(backend.put("full", "x")).unwrap();
    // A write that waits and is dropped has sent nothing, and says so to the reader.
    assert!(poll(backend.put("full", "y")).is_pending());
    let (messages, error) = ready(drain(reader(&backend, "full")));
    assert_eq!(messages, ["x"]);
    assert!(error.is_none(), "nobody noticed the other write");
    // Every other call takes one poll, so it cannot be cancelled half-way.
    assert!(poll(backend.list(&Prefix::root(), ListOptions::default())).is_ready());
    assert!(poll(backend.has("full")).is_ready());
    assert!(poll(backend.remove("full")).is_ready());
    assert!(poll(backend.close()).is_ready());
}
