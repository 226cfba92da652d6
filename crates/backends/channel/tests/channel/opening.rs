use storage_channel::{ChannelBackend, ChannelFactory, Missing, Mode, SlowReaders};
use storage_core::{Backend, BackendExt, Config, ErrorKind, Registry};

use crate::{pieces, poll, ready};

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("channel", ChannelFactory).unwrap();
    registry
}

#[test]
fn every_opening_is_a_name_space_of_its_own_and_a_clone_is_not() {
    let registry = registry();
    let one = ready(registry.open_uri("channel://")).unwrap();
    let two = ready(registry.open_uri("channel:///")).unwrap();
    ready(one.put("a", "x")).unwrap();
    assert!(!ready(two.has("a")).unwrap());

    let handle = ChannelBackend::new();
    let clone = handle.clone();
    ready(handle.put("a", "x")).unwrap();
    assert_eq!(ready(clone.get("a")).unwrap(), "x");
}

#[test]
fn settings_are_taken() {
    let registry = registry();
    let uri = "channel://?mode=replay&capacity=1&missing=wait&history=4";
    let backend = ready(registry.open_uri(uri)).unwrap();
    assert!(format!("{backend:?}").contains("mode: Replay, capacity: 1, missing: Wait"));
    assert!(poll(backend.get("a")).is_pending());
    ready(backend.put("a", "four")).unwrap();
    assert!(
        ready(backend.put("a", "fives"))
            .unwrap_err()
            .is_quota_exceeded()
    );
    assert_eq!(ready(backend.get("a")).unwrap(), "four");
    let skip = ready(registry.open_uri("channel://?mode=broadcast&slow_readers=skip&capacity=1"));
    let skip = skip.unwrap();
    ready(skip.put("a", pieces(&["x", "y"]))).unwrap();
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let registry = registry();
    for query in [
        "capacity=0",
        "capacity=-1",
        "capacity=many",
        "mode=stack",
        "missing=maybe",
        "slow_readers=skip",
        "slow_readers=wait&mode=replay",
        "history=1M",
        "history=much&mode=replay",
        "size=1",
    ] {
        let error = ready(registry.open_uri(&format!("channel://?{query}"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{query}: {error}");
    }
    for uri in ["channel://name", "channel:///path"] {
        assert_eq!(
            ready(registry.open_uri(uri)).unwrap_err().kind(),
            ErrorKind::Config
        );
    }
    let unknown = ready(registry.open("channel", Config::from_iter([("mode", "Queue")])));
    assert!(
        unknown
            .unwrap_err()
            .to_string()
            .contains("one of queue, broadcast, replay")
    );
}

#[test]
fn the_builder_refuses_the_same() {
    let builder = ChannelBackend::builder;
    for builder in [
        builder().capacity(0),
        builder().slow_readers(SlowReaders::Wait),
        builder().mode(Mode::Broadcast).history(1),
        builder()
            .missing(Missing::Wait)
            .mode(Mode::Replay)
            .slow_readers(SlowReaders::Skip),
    ] {
        assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Config);
    }
}

#[test]
fn the_debug_form_shows_no_content() {
    let backend = ChannelBackend::default();
    ready(backend.put("key", "content")).unwrap();
    let shown = format!("{backend:?}");
    assert!(
        shown.contains("streams: 1") && !shown.contains("content"),
        "{shown}"
    );
    assert_eq!(backend.name(), "channel");
}
