//! Random trees and flags through rclone and through `omni`: the same trees, reports and exit codes
//! have to come of it, but for what `docs/guides/coming-from-rclone.md` lists. Skipped where there is
//! no rclone; the same cases each time, or as many new ones as `RCLONE_CASES` says.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod flags;
mod outcome;
mod trees;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};

use crate::flags::{Flags, check_flags, renaming_flags, transfer_flags};
use crate::outcome::{Program, run};
use crate::trees::{Tree, two_trees};

/// Cases of one test, unless `RCLONE_CASES` says how many.
const CASES: u32 = 100;

fn compare(flags: impl Strategy<Value = Flags>) {
    if !Program::Rclone.is_there() {
        eprintln!("SKIPPED: there is no rclone to compare with");
        return;
    }
    let cases = std::env::var("RCLONE_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok());
    let mut runner = TestRunner::new(Config {
        cases: cases.unwrap_or(CASES),
        rng_seed: cases.map_or(RngSeed::Fixed(1), |_| RngSeed::Random),
        max_shrink_iters: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&(two_trees(), flags), |((source, destination), flags)| {
        let (source, destination) = flags.fit(source, destination);
        agree(&source, &destination, &flags)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn agree(source: &Tree, destination: &Tree, flags: &Flags) -> TestCaseResult {
    let theirs = run(Program::Rclone, source, destination, flags);
    let ours = run(Program::Omni, source, destination, flags);
    // New names that clash: rclone writes one file over the other, leaves out a directory, or fails
    // before it deletes.
    let clashes = [
        "gets the same new name",
        "is a directory",
        "not a directory",
    ];
    let renames = flags.has(&["--name-transform"]);
    let clash = theirs.log.contains("Duplicate ") || clashes.iter().any(|it| ours.log.contains(it));
    if renames && clash {
        return Ok(());
    }
    let (theirs_log, ours_log) = (&theirs.log, &ours.log);
    prop_assert_eq!(
        theirs.result(flags),
        ours.result(flags),
        "{:?}\nrclone said:\n{}\nomni said:\n{}",
        flags,
        theirs_log,
        ours_log
    );
    Ok(())
}

#[test]
fn sync_copy_and_move_do_what_rclone_does() {
    compare(transfer_flags());
}

#[test]
fn new_names_are_those_of_rclone() {
    compare(renaming_flags());
}

#[test]
fn check_reports_what_rclone_reports() {
    compare(check_flags());
}
