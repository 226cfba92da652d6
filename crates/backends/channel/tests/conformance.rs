//! The conformance suite passes in every mode. In mode replay, a stream that has ended is an object as
//! on any backend. In the other modes reading takes what it reads, and the rules that this makes
//! meaningless are the ones listed here.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used)]

use storage_channel::{ChannelBackend, Mode};
use storage_conformance::{Fresh, Need, Outcome, Suite};
use storage_core::Result;

/// More messages than any rule writes before it reads.
const CAPACITY: usize = 1 << 16;

fn subject(mode: Mode) -> Result<Fresh> {
    let backend = ChannelBackend::builder().mode(mode).capacity(CAPACITY);
    let backend = backend.build()?;
    let (again, beside) = (backend.clone(), backend.clone());
    let fresh = Fresh::new(backend)
        .reopen(move || std::future::ready(Ok(again.clone())))
        .second(move || std::future::ready(Ok(beside.clone())));
    Ok(match mode {
        Mode::Replay => fresh,
        _ => fresh.consuming(),
    })
}

mod replay {
    storage_conformance::conformance!(async { super::subject(super::Mode::Replay) });
}

mod queue {
    storage_conformance::conformance!(async { super::subject(super::Mode::Queue) });
}

mod broadcast {
    storage_conformance::conformance!(async { super::subject(super::Mode::Broadcast) });
}

#[test]
fn few_rules_are_meaningless_where_reading_takes() {
    let lasting = |rule: &&storage_conformance::Rule| rule.needs().contains(&Need::Lasting);
    let names: Vec<_> = Suite::rules().filter(lasting).map(|r| r.name()).collect();
    let expected = [
        "write_replaces_whole",
        "write_empty",
        "write_survives_reopen",
        "cancelled_reads_and_lists",
    ];
    assert_eq!(names, expected);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    let suite = Suite::new(|| std::future::ready(subject(Mode::Queue)));
    for name in names {
        let report = runtime.block_on(suite.run_rule(name)).unwrap();
        let why = Outcome::NotApplicable("reading takes".into());
        assert_eq!(*report.outcome(), why, "{name}");
    }
}
