//! The mistakes people make: what is said, and with which exit code.

use crate::run::{omni, write};

#[test]
fn wrong_usage_is_2() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["sync", "only-one"][..],
        &["frobnicate"],
        &["sync", "a", "b", "--no-such-flag"],
        &["sync", "a", "b", "--transfers", "0"],
        &["cat", "--json", "a"],
        &["check", "a", "b", "--modify-window", "1parsec"],
    ] {
        let ran = omni(dir.path(), args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(
            !ran.stderr.is_empty() || ran.stdout.contains("error"),
            "{args:?}"
        );
    }
}

#[test]
fn failures_are_1_and_name_the_place() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("file", "x")]);
    for (args, said) in [
        (&["cat", "missing"][..], &["missing", "not found"][..]),
        (&["ls", "no/such/dir"], &["no/such/dir", "not found"]),
        (&["ls", "s3://bucket/x"], &["s3", "file, memory"]),
        (&["cat", "../"], &["../", "names no object"]),
        (&["rm", "missing"], &["missing", "nothing to delete"]),
        (&["cat", "file/below"], &["file"]),
        (&["stat", "missing"], &["missing", "not found"]),
        (&["ls", "memory://?frob=1"], &["frob", "known are"]),
        (&["ls", "file://otherhost/x"], &["otherhost"]),
        (&["sync", "missing", "dst"], &["missing", "not found"]),
        (&["sync", "", "dst"], &["empty"]),
    ] {
        let ran = omni(dir.path(), args);
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stderr);
        for word in said {
            assert!(
                ran.stderr.contains(word),
                "{args:?} should say {word:?}: {}",
                ran.stderr
            );
        }
        assert_eq!(
            ran.stderr.trim_end().lines().count(),
            1,
            "{args:?}: {}",
            ran.stderr
        );
    }
    assert!(
        !dir.path().join("dst").exists(),
        "a missing source must not create the destination"
    );
}
