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
fn failures_name_the_place_and_have_codes_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("file", "x"), ("full/file", "x")]);
    for (args, code, said) in [
        (&["cat", "missing"][..], 4, &["missing", "not found"][..]),
        (&["ls", "no/such/dir"], 3, &["no/such/dir", "not found"]),
        (&["ls", "s3://bucket/x"], 2, &["s3", "file, memory"]),
        (&["cat", "../"], 1, &["../", "names no object"]),
        (&["rm", "missing"], 4, &["missing", "nothing to delete"]),
        (&["rm", "full"], 1, &["full", "hint: use `omni purge`"]),
        (
            &["rmdir", "full"],
            1,
            &["full", "not empty", "hint: use `omni purge`"],
        ),
        (&["cat", "file/below"], 1, &["file"]),
        (&["stat", "missing"], 4, &["missing", "not found"]),
        (&["ls", "memory://?frob=1"], 2, &["frob", "known are"]),
        (&["ls", "file://otherhost/x"], 2, &["otherhost"]),
        (&["sync", "missing", "dst"], 3, &["missing", "not found"]),
        (&["sync", "", "dst"], 2, &["empty"]),
    ] {
        let ran = omni(dir.path(), args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        for word in said {
            assert!(
                ran.stderr.contains(word),
                "{args:?} should say {word:?}: {}",
                ran.stderr
            );
        }
        let messages = ran.stderr.lines().filter(|line| line.starts_with("omni: "));
        assert_eq!(messages.count(), 1, "{args:?}: {}", ran.stderr);
    }
    assert!(
        !dir.path().join("dst").exists(),
        "a missing source must not create the destination"
    );
}
