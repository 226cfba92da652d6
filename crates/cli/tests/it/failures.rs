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
        (&["ls", "warp://bucket/x"], 2, &["warp", "file"]),
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

/// The limit on the size of files stands for a full disk: nobody has to be root for it.
#[test]
#[cfg(unix)]
fn a_full_disk_fails_the_file_and_leaves_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("src/big", &"x".repeat(1 << 20)), ("src/small", "1")],
    );
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let mut shell = std::process::Command::new("sh");
    let shell = shell.args([
        "-c",
        limited,
        env!("CARGO_BIN_EXE_omni"),
        "copy",
        "src",
        "dst",
    ]);
    let ran = shell.current_dir(dir.path()).output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{said}");
    for word in [
        "big: ",
        "quota exceeded",
        "hint: free some space",
        "1 created",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let left: Vec<_> = std::fs::read_dir(dir.path().join("dst")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Nobody may create files there, not even root.
#[test]
#[cfg(target_os = "linux")]
fn a_place_that_may_not_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    for args in [&["put", "/sys/omni-test"][..], &["copy", "src", "/sys"]] {
        let ran = omni(dir.path(), args);
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stderr);
        for word in ["permission denied", "hint: run as a user who may do this"] {
            assert!(ran.stderr.contains(word), "{args:?}: {}", ran.stderr);
        }
    }
    let put = omni(dir.path(), &["put", "/sys/omni-test"]);
    assert!(put.stderr.contains("/sys/omni-test"), "{}", put.stderr);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_without_noise() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(100);
    for n in 0..2000 {
        write(dir.path(), &[(&format!("t/{n}-{long}"), "")]);
    }
    let mut child = crate::run::program(dir.path())
        .args(["ls", "t"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

/// The run goes on without its words, and the exit code is its own.
#[test]
fn a_job_whose_words_nobody_reads_is_still_done() {
    use std::process::Stdio;
    let dir = tempfile::tempdir().unwrap();
    for n in 0..200 {
        write(dir.path(), &[(&format!("t/{n:03}"), "x")]);
    }
    for args in [
        &["sync", "-v", "t", "u"][..],
        &["sync", "--json", "t", "v"],
        &["copy", "-vv", "--combined", "-", "t", "w"],
        &["move", "-v", "w", "x"],
    ] {
        // Neither end of these pipes has a reader from the start.
        let (output, error) = (std::io::pipe().unwrap().1, std::io::pipe().unwrap().1);
        let status = crate::run::program(dir.path())
            .args(args)
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(error))
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(0), "{args:?}");
        let there = std::fs::read_dir(dir.path().join(args.last().unwrap()));
        assert_eq!(there.unwrap().count(), 200, "{args:?}");
    }
    // A difference stays one.
    write(dir.path(), &[("x/000", "y")]);
    let pipe = std::io::pipe().unwrap().1;
    let status = crate::run::program(dir.path())
        .args(["check", "-v", "t", "x"])
        .stdout(Stdio::from(pipe))
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
}
