//! Wrong arguments: what programs get of them, where they came from, and that nothing is left.

use crate::run::{omni, omni_with_input, program, write};

/// The last line is a summary, whatever happened; `objects` checks it.
#[test]
fn every_verb_ends_with_a_summary_in_json() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("t/a", "1"), ("f", "1")]);
    for (args, command, code) in [
        ("plan t d -o plan", "plan", 0),
        ("plan t d", "plan", 2),
        ("plan no d -o plan", "plan", 3),
        ("apply nosuch", "apply", 4),
        ("ls foo:", "ls", 2),
        ("ls no", "ls", 3),
        ("tree no", "tree", 3),
        ("size no", "size", 3),
        ("cat f", "cat", 2),
        ("convert f -", "convert", 2),
        ("convert no x.csv", "convert", 2),
        ("put t", "put", 1),
        ("touch t/b", "touch", 0),
        ("completions bash", "completions", 2),
        ("man", "man", 2),
        ("man --dir pages", "man", 0),
        ("backends", "backends", 0),
        ("cleanup t", "cleanup", 1),
        ("config show no", "config", 2),
        ("hash md5 t -o no/file", "hash", 2),
        ("copy t", "copy", 2),
        ("hashsum md4 t", "hash", 2),
        ("frobnicate", "omni", 2),
        ("copy --frobnicate t d", "copy", 2),
        ("ls t --log-file no/log", "ls", 2),
    ] {
        let args: Vec<_> = ["--json"].into_iter().chain(args.split(' ')).collect();
        let ran = omni(dir.path(), &args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
        let objects = ran.objects();
        let summary = ran.summary();
        assert_eq!(summary["command"], command, "{args:?}: {}", ran.stdout);
        let is_error = |object: &&serde_json::Value| object["event"] == "error";
        let errors = objects.iter().filter(is_error).count();
        assert_eq!(summary["errors"], errors, "{args:?}: {}", ran.stdout);
        assert_eq!(errors == 0, code == 0, "{args:?}: {}", ran.stdout);
    }
}

#[test]
fn a_bad_value_of_a_variable_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut program = program(dir.path());
        program
            .env("OMNI_DRY_RUN", "maybe")
            .args(args)
            .output()
            .unwrap()
    };
    let ran = run(&["copy", "a", "b"]);
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("OMNI_DRY_RUN"), "{said}");
    let said = String::from_utf8(run(&["--json", "copy", "a", "b"]).stdout).unwrap();
    assert!(said.contains("OMNI_DRY_RUN"), "{said}");
    // Others are not blamed.
    let said = String::from_utf8(run(&["ls", "--frob"]).stderr).unwrap();
    assert!(!said.contains("OMNI_"), "{said}");
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("s/a", "1"), ("d/x", "")]);
    omni(dir.path(), &["plan", "s", "new", "-o", "plan"]).done();
    for args in [
        "copy s new --suffix a/b",
        "copy s new/deep --suffix a/b",
        "copyto s/a new/a --suffix a/b",
        "move s new --compare-dest d",
        "sync s new --track-renames --delete-before",
        "sync s new --ignore-times --update",
        "sync s s/new",
        "sync s new --backup-dir new/kept",
        "apply plan --suffix a/b",
        "bisync s new --resync --conflict-suffix a/b --workdir work",
        "bisync s new --resync --max-lock 0.5s --workdir work",
        "bisync s new --resync --workdir new/work",
    ] {
        let ran = omni(dir.path(), &args.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        for made in ["new", "s/new", "work"] {
            assert!(!dir.path().join(made).exists(), "{args} made {made}");
        }
        for internal in ["delete_timing", "After", "option "] {
            assert!(!ran.stderr.contains(internal), "{args}: {}", ran.stderr);
        }
    }
    let ran = omni(dir.path(), &["sync", "s", "no/../new"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(!dir.path().join("no").exists() && !dir.path().join("new").exists());
    std::fs::create_dir(dir.path().join("yes")).unwrap();
    omni(dir.path(), &["sync", "-n", "s", "yes/../new"]).done();
    omni(dir.path(), &["sync", "s", "yes/../new"]).done();
    assert!(dir.path().join("new/a").exists());
}

#[test]
fn values_of_rclone_that_mean_no_limit_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("s/d/a", "1"), ("s/b", "1"), ("t/c", "1")]);
    for args in [
        "--size-only --checksum",
        "--bwlimit 0 --bwlimit-file 0",
        "--max-depth -1",
    ] {
        let args: Vec<_> = ["copy", "s", "d"]
            .into_iter()
            .chain(args.split(' '))
            .collect();
        omni(dir.path(), &args).done();
        assert!(dir.path().join("d/d/a").exists(), "{args:?}");
        std::fs::remove_dir_all(dir.path().join("d")).unwrap();
    }
    let args = ["sync", "t", "s", "--track-renames", "--delete-during"];
    let ran = omni(dir.path(), &args).done();
    assert!(
        ran.stderr.contains("deletions come after"),
        "{}",
        ran.stderr
    );
}

#[test]
fn nothing_is_appended_that_makes_an_object_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    let put = |input: &[u8], args: &str| {
        let args: Vec<_> = args.split(' ').collect();
        omni_with_input(dir.path(), &args, input)
    };
    put(b"abc", "put z.gz --compress gzip").done();
    put(b"abc", "put plain").done();
    put(b"", "put empty").done();
    let before = std::fs::read(dir.path().join("z.gz")).unwrap();
    for (args, said) in [
        ("put z.gz --append", "--compress gzip"),
        ("put z.gz --append --compress zstd", "not zstd"),
        ("put plain --append --compress gzip", "not compressed"),
    ] {
        let ran = put(b"def", args);
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        for said in [said, "--raw"] {
            assert!(ran.stderr.contains(said), "{args}: {}", ran.stderr);
        }
    }
    assert_eq!(std::fs::read(dir.path().join("z.gz")).unwrap(), before);
    put(b"def", "put z.gz --append --compress gzip").done();
    put(&before, "put z.gz --append").done();
    assert_eq!(
        omni(dir.path(), &["cat", "z.gz"]).done().stdout,
        "abcdefabc"
    );
    put(b"def", "put plain --append").done();
    put(b"def", "put empty --append --compress auto").done();
    put(b"def", "put z.gz --append --raw").done();
    assert_ne!(omni(dir.path(), &["cat", "z.gz"]).code, 0);
}
