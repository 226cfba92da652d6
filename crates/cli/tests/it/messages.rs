//! Where messages go, and how a run ends.

use std::fs;

use crate::run::{omni, write};

#[test]
fn a_log_file_takes_all_messages_and_is_appended_to() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("src/b", "2")]);
    let sync = || {
        let ran = omni(
            dir.path(),
            &["sync", "-v", "--log-file", "log", "src", "dst"],
        )
        .done();
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    };
    sync();
    sync();
    omni(dir.path(), &["cat", "--log-file", "log", "missing"]);
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let messages: Vec<_> = log
        .lines()
        .map(|line| line.split_once(' ').expect("a time"))
        .collect();
    assert!(
        messages.iter().all(|(time, _)| time.ends_with('Z')),
        "{log}"
    );
    let found = |start: &str| {
        messages
            .iter()
            .filter(|(_, m)| m.starts_with(start))
            .count()
    };
    assert_eq!(found("INFO   create a"), 1, "{log}");
    assert_eq!(found("NOTICE sync: 2 created"), 1, "{log}");
    assert_eq!(found("NOTICE sync: 0 created"), 1, "{log}");
    assert_eq!(
        found("ERROR  file: read \"missing\": not found"),
        1,
        "{log}"
    );
}

#[test]
fn a_log_file_that_cannot_be_opened_stops_the_command() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    let ran = omni(dir.path(), &["sync", "--log-file", "no/log", "src", "dst"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("log file"), "{}", ran.stderr);
    assert!(!dir.path().join("dst").exists());
}

#[test]
fn quiet_leaves_errors_alone() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    let ran = omni(dir.path(), &["sync", "-q", "src", "dst"]).done();
    assert_eq!(ran.stderr, "");
    assert!(!omni(dir.path(), &["cat", "-q", "no"]).stderr.is_empty());
}

#[test]
fn nothing_to_transfer_is_9_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    let copy = || {
        omni(
            dir.path(),
            &["copy", "--error-on-no-transfer", "src", "dst"],
        )
        .code
    };
    assert_eq!((copy(), copy()), (0, 9));
}

#[test]
fn limits_have_exit_codes_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("src/a", "12345"), ("src/b", "12345"), ("dst/z", "1")],
    );
    for (flags, code) in [
        (
            &["copy", "--max-transfer=7B", "--cutoff-mode=cautious"][..],
            8,
        ),
        (&["copy", "--max-duration=1ns"], 10),
        (&["sync", "--max-delete-size=0B"], 7),
    ] {
        let ran = omni(dir.path(), &[flags, &["src", "dst"]].concat());
        assert_eq!(ran.code, code, "{flags:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{flags:?}: {}", ran.stderr);
    }
}
