//! Guards, backups, rename tracking, limits and questions.

use std::path::Path;

use crate::run::{omni, omni_with_input, write};

fn names(dir: &Path, folder: &str) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir.join(folder))
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

/// A source with `a` and `new`, and a destination with another `a` and four more files.
fn trees() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let source = [("src/a", "new content"), ("src/new", "x")];
    let destination = [
        ("dst/a", "old"),
        ("dst/1", "gone"),
        ("dst/2", "gone"),
        ("dst/3", "gone"),
    ];
    write(dir.path(), &source);
    write(dir.path(), &destination);
    dir
}

#[test]
fn guards_on_deletions_are_counts_shares_and_sizes() {
    for (flag, value, allowed) in [
        ("--max-delete", "2", false),
        ("--max-delete", "3", true),
        ("--max-delete", "-1", true),
        ("--max-delete", "74%", false),
        ("--max-delete", "75%", true),
        ("--max-delete-size", "11B", false),
        ("--max-delete-size", "12B", true),
    ] {
        for timing in ["--delete-before", "--delete-during", "--delete-after"] {
            let dir = trees();
            let ran = omni(dir.path(), &["sync", flag, value, timing, "src", "dst"]);
            assert_eq!(
                ran.code == 0,
                allowed,
                "{flag} {value} {timing}: {}",
                ran.stderr
            );
            let left = names(dir.path(), "dst").contains(&"1".to_owned());
            assert_eq!(left, !allowed, "{flag} {value} {timing}");
        }
    }
}

#[test]
fn backups_go_to_a_directory_or_beside_with_a_suffix() {
    let dir = trees();
    let args = ["sync", "--backup-dir", "kept/today", "src", "dst"];
    omni(dir.path(), &args).done();
    assert_eq!(names(dir.path(), "dst"), ["a", "new"]);
    assert_eq!(names(dir.path(), "kept/today"), ["1", "2", "3", "a"]);
    let old = std::fs::read_to_string(dir.path().join("kept/today/a"));
    assert_eq!(old.unwrap(), "old");

    let dir = trees();
    omni(dir.path(), &["copy", "--suffix", "-old", "src", "dst"]).done();
    assert_eq!(
        names(dir.path(), "dst"),
        ["1", "2", "3", "a", "a-old", "new"]
    );

    let dir = trees();
    for place in ["dst/in", "src/in", "."] {
        let ran = omni(dir.path(), &["sync", "--backup-dir", place, "src", "dst"]);
        assert_eq!(ran.code, 2, "{place}: {}", ran.stderr);
    }
}

#[test]
fn renames_are_tracked() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("src/new name", "content"), ("dst/old name", "content")],
    );
    let args = ["sync", "--json", "--track-renames", "src", "dst"];
    let summary = omni(dir.path(), &args).done().summary();
    assert_eq!(
        (&summary["renamed"], &summary["bytes"]),
        (&1.into(), &0.into())
    );
    assert_eq!(names(dir.path(), "dst"), ["new name"]);
    let again = omni(dir.path(), &args).done().summary();
    assert_eq!(
        (&again["renamed"], &again["updated"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_limit_on_bytes_leaves_the_rest_to_the_next_run() {
    for (mode, copied) in [("hard", 2), ("soft", 3), ("CAUTIOUS", 2)] {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..5 {
            write(dir.path(), &[(&format!("src/{n}"), "0123456789")]);
        }
        let limit = [
            "--max-transfer",
            "25B",
            "--transfers",
            "1",
            "--cutoff-mode",
            mode,
        ];
        let ran = omni(
            dir.path(),
            &[&["copy"], &limit[..], &["src", "dst"]].concat(),
        );
        assert_eq!(ran.code, 8, "{mode}");
        assert!(ran.stderr.contains("another run goes on"), "{}", ran.stderr);
        assert_eq!(names(dir.path(), "dst").len(), copied, "{mode}");
        omni(dir.path(), &["copy", "src", "dst"]).done();
        assert_eq!(names(dir.path(), "dst").len(), 5);
    }
}

#[test]
fn a_limit_has_its_exit_code_unless_something_failed() {
    for mode in ["hard", "soft", "cautious"] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &[("src/1", "0123456789"), ("src/2", "0")]);
        let copy = |limit: &[&str]| {
            let args = ["copy", "--transfers", "1", "--cutoff-mode", mode];
            omni(dir.path(), &[&args[..], limit, &["src", "dst"]].concat())
        };
        assert_eq!(copy(&["--max-duration", "0s"]).code, 10, "{mode}");
        let order = ["--order-by", "name", "--max-transfer", "10B"];
        assert_eq!(copy(&order).code, 8, "{mode}");
        // A directory in the way of a file is a failure of its own.
        std::fs::remove_dir_all(dir.path().join("dst")).unwrap();
        write(dir.path(), &[("dst/0/x", ""), ("src/0", "")]);
        assert_eq!(copy(&order).code, 1, "{mode}");
        // All was in progress when the limit was passed.
        std::fs::remove_dir_all(dir.path().join("dst")).unwrap();
        if mode == "soft" {
            let args = ["copy", "--cutoff-mode", mode, "--max-transfer", "10B"];
            assert_eq!(
                omni(dir.path(), &[&args[..], &["src/1", "dst"]].concat()).code,
                0
            );
        }
    }
}

#[test]
fn each_change_is_asked_about() {
    for (answers, left) in [
        ("y\nn\ny\nn\ny\n", &["2", "a", "new"][..]),
        ("s\ny\nn\n", &["1", "2", "3", "a"]),
        ("!\n!\n!\n", &["a", "new"]),
        ("", &["1", "2", "3", "a"]),
        ("what?\nq\n", &["1", "2", "3", "a"]),
    ] {
        let dir = trees();
        let args = ["sync", "--interactive", "--transfers", "1", "src", "dst"];
        let ran = omni_with_input(dir.path(), &args, answers.as_bytes());
        assert!(ran.stderr.contains("delete 1? y yes"), "{}", ran.stderr);
        assert_eq!(
            names(dir.path(), "dst"),
            left,
            "{answers:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let dir = trees();
    for (flag, value) in [
        ("--bwlimit", "10M:1M"),
        ("--bwlimit", "25:00,1M"),
        ("--max-transfer", "0"),
        ("--max-transfer", "much"),
        ("--max-duration", "soon"),
        ("--cutoff-mode", "never"),
        ("--order-by", "color"),
        ("--max-errors", "0"),
        ("--suffix", "a/b"),
    ] {
        let ran = omni(dir.path(), &["copy", flag, value, "src", "dst"]);
        assert_eq!(ran.code, 2, "{flag} {value}: {}", ran.stderr);
    }
    for args in [
        &["--track-renames", "--delete-before"][..],
        &["--max-delete", "200%"],
        &["--track-renames-strategy", "leaf"],
        &["--suffix-keep-extension"],
    ] {
        let ran = omni(dir.path(), &[&["sync"], args, &["src", "dst"]].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn a_plan_is_written_looked_at_and_applied() {
    let dir = trees();
    let args = ["plan", "-o", "plan.ndjson", "src", "dst"];
    omni(dir.path(), &args).done();
    assert_eq!(names(dir.path(), "dst"), ["1", "2", "3", "a"]);
    let printed = omni(dir.path(), &["plan", "src", "dst"]).done().stdout;
    let plan = std::fs::read_to_string(dir.path().join("plan.ndjson")).unwrap();
    assert_eq!(plan, printed);
    assert_eq!(plan.lines().count(), 7, "{plan}");
    std::fs::write(dir.path().join("dst/2"), "changed meanwhile").unwrap();
    // From another directory: the plan knows where its trees are.
    let other = tempfile::tempdir().unwrap();
    let file = dir.path().join("plan.ndjson");
    let file = file.to_str().unwrap();
    let ran = omni(other.path(), &["apply", file]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("not as it was planned"),
        "{}",
        ran.stderr
    );
    assert_eq!(names(dir.path(), "dst"), ["2", "a", "new"]);
    let refused = omni(other.path(), &["apply", "--max-delete", "2", file]);
    assert_ne!(refused.code, 0);
    std::fs::write(file, "{}").unwrap();
    let refused = omni(other.path(), &["apply", file]);
    assert!(refused.stderr.contains("line 1"), "{}", refused.stderr);
}

#[test]
fn a_plan_takes_what_decides_and_refuses_what_is_done_later() {
    let dir = trees();
    std::fs::create_dir(dir.path().join("old")).unwrap();
    std::fs::copy(dir.path().join("src/new"), dir.path().join("old/new")).unwrap();
    let modified = std::fs::metadata(dir.path().join("src/new")).unwrap();
    let copy = std::fs::File::options()
        .write(true)
        .open(dir.path().join("old/new"));
    copy.unwrap()
        .set_modified(modified.modified().unwrap())
        .unwrap();
    let printed = |args: &[&str]| {
        let args = [&["plan"], args, &["src", "dst"]].concat();
        omni(dir.path(), &args).done().stdout
    };
    let path = r#""path":"new""#;
    assert!(printed(&[]).contains(path));
    assert!(!printed(&["--compare-dest", "old"]).contains(path));
    for (args, is_for_apply) in [
        (&["--backup-dir", "kept"][..], true),
        (&["--suffix", ".old"], true),
        (&["--interactive"], true),
        (&["--bwlimit", "1M"], true),
        (&["--max-transfer=1M"], true),
        (&["--verify", "size"], true),
        (&["--fsync", "none"], true),
        (&["--transfers", "2"], true),
        (&["--ignore-errors"], true),
        (&["--copy-dest", "old"], false),
        (&["--delete-during"], false),
        (&["--error-on-no-transfer"], false),
        (&["--combined", "-"], false),
    ] {
        let ran = omni(dir.path(), &[&["plan"], args, &["src", "dst"]].concat());
        let flag = args[0].split('=').next().unwrap();
        assert_eq!((ran.code, &*ran.stdout), (2, ""), "{args:?}");
        assert!(ran.stderr.contains(flag), "{args:?}: {}", ran.stderr);
        let note = format!("note: `omni apply` takes {flag}");
        let noted = ran.stderr.contains(&note);
        assert_eq!(noted, is_for_apply, "{args:?}: {}", ran.stderr);
    }
    for flag in ["--delete-excluded", "--track-renames"] {
        let ran = omni(dir.path(), &["plan", "--for", "copy", flag, "src", "dst"]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("only a sync"), "{}", ran.stderr);
    }
}
