//! Verbs on trees.

use std::time::{Duration, SystemTime};

use crate::run::{fails, omni, write};

pub(crate) fn set_modified(path: &std::path::Path, seconds: u64, nanos: u32) -> SystemTime {
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
    time
}

#[test]
fn sync_makes_equal_and_a_second_run_transfers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("src/a", "1"),
            ("src/d/b c%20d", "22"),
            ("dst/gone", "x"),
            ("dst/a", "2"),
        ],
    );
    let time = set_modified(
        &dir.path().join("src/d/b c%20d"),
        1_234_567_890,
        123_456_789,
    );
    let first = omni(dir.path(), &["sync", "--json", "src", "dst"])
        .done()
        .summary();
    assert_eq!(first["command"], "sync");
    assert_eq!(
        (&first["created"], &first["updated"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&first["deleted"], &first["errors"]),
        (&1.into(), &0.into())
    );
    assert_eq!(first["bytes"], 3);
    let copied = std::fs::metadata(dir.path().join("dst/d/b c%20d")).unwrap();
    assert_eq!(copied.modified().unwrap(), time);
    assert!(!dir.path().join("dst/gone").exists());

    let second = omni(dir.path(), &["sync", "--json", "src", "dst"])
        .done()
        .summary();
    for count in [
        "created", "updated", "deleted", "renamed", "errors", "bytes",
    ] {
        assert_eq!(second[count], 0, "{count}");
    }
    assert_eq!(second["skipped"], 2);
    omni(dir.path(), &["check", "src", "dst"]).done();
}

#[test]
fn a_dry_run_prints_the_plan_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("src/d/b", "22")]);
    let dry = omni(dir.path(), &["sync", "--dry-run", "src", "new/dst"]).done();
    assert_eq!(
        dry.stdout,
        "would create a\nwould create d/b\nwould set-dir-modified d\n"
    );
    assert!(!dir.path().join("new").exists());

    write(dir.path(), &[("dst/a", "old"), ("dst/z", "zzz")]);
    let planned = omni(dir.path(), &["sync", "-n", "--json", "src", "dst"]).done();
    let planned: Vec<_> = planned
        .objects()
        .iter()
        .filter(|object| object["event"] == "planned")
        .map(|object| format!("{} {}", object["action"], object["path"]).replace('"', ""))
        .collect();
    assert_eq!(
        planned,
        ["update a", "create d/b", "delete z", "set-dir-modified d"]
    );
    assert_eq!(
        std::fs::read_to_string(dir.path().join("dst/a")).unwrap(),
        "old"
    );
    assert!(dir.path().join("dst/z").exists());
}

#[test]
fn copy_deletes_nothing_and_takes_a_single_file() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("dst/keep", "x")]);
    omni(dir.path(), &["copy", "src", "dst"]).done();
    assert!(dir.path().join("dst/keep").exists() && dir.path().join("dst/a").exists());
    omni(dir.path(), &["copy", "src/a", "one"]).done();
    assert_eq!(
        std::fs::read_to_string(dir.path().join("one/a")).unwrap(),
        "1"
    );
}

#[test]
fn move_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("src/d/b", "22")]);
    omni(
        dir.path(),
        &["move", "--delete-empty-src-dirs", "src", "dst"],
    )
    .done();
    assert_eq!(
        std::fs::read_to_string(dir.path().join("dst/d/b")).unwrap(),
        "22"
    );
    assert!(!dir.path().join("src/a").exists() && !dir.path().join("src/d").exists());
}

#[test]
fn check_reports_each_difference_and_ends_with_1() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("a/same", "1"), ("a/other", "12"), ("a/left", "")],
    );
    write(
        dir.path(),
        &[("b/same", "1"), ("b/other", "21"), ("b/right", "")],
    );
    let ran = omni(dir.path(), &["check", "a", "b"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout, "+ left\n* other\n- right\n");
    assert!(
        ran.stderr
            .contains("1 match, 1 differ, 1 missing on source, 1 missing on destination")
    );
    let one_way = omni(dir.path(), &["check", "--one-way", "a/same", "b"]);
    assert_eq!(one_way.code, 0, "{}", one_way.stderr);
}

#[test]
fn guards_hold() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("src/a", "1"),
            ("dst/x", "1"),
            ("dst/y", "2"),
            ("dst/z", "3"),
        ],
    );
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let too_many = omni(dir.path(), &["sync", "--max-delete", "2", "src", "dst"]);
    assert_eq!(too_many.code, 7);
    let empty = omni(dir.path(), &["sync", "empty", "dst"]);
    assert_eq!(empty.code, 7);
    for kept in ["x", "y", "z"] {
        assert!(dir.path().join("dst").join(kept).exists());
    }
    for overlap in [
        ["src", "src"],
        ["src", "src/below"],
        ["src", "./src/../src/x"],
    ] {
        let ran = omni(dir.path(), &["sync", overlap[0], overlap[1]]);
        assert_eq!(ran.code, 2, "{overlap:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("contains the other"), "{}", ran.stderr);
    }
    assert_eq!(
        omni(dir.path(), &["sync", "--max-delete", "3", "src", "dst"]).code,
        0
    );
}

#[test]
fn verification_levels_and_durability_are_accepted() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("src/b", "2")]);
    for (number, flags) in [
        ["--verify=size", "--fsync=none"],
        ["--verify=hash", "--fsync=each"],
        ["--verify=read-back", "--fsync=end"],
    ]
    .iter()
    .enumerate()
    {
        let target = format!("dst{number}");
        omni(dir.path(), &["sync", flags[0], flags[1], "src", &target]).done();
        assert_eq!(
            std::fs::read_to_string(dir.path().join(target).join("b")).unwrap(),
            "2"
        );
    }
}

#[test]
fn compare_dest_leaves_out_what_another_tree_has() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("src/b", "2")]);
    omni(dir.path(), &["copy", "--exclude", "b", "src", "full"]).done();
    omni(
        dir.path(),
        &["copy", "--compare-dest", "full", "src", "new"],
    )
    .done();
    assert!(dir.path().join("new/b").exists() && !dir.path().join("new/a").exists());
}

#[test]
fn copy_dest_copies_what_another_tree_has() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/same", "1"), ("src/new", "2")]);
    omni(dir.path(), &["copy", "--include", "same", "src", "old"]).done();
    let args = ["sync", "--copy-dest", "old", "src", "dst"];
    omni(dir.path(), &args).done();
    assert_eq!(
        std::fs::read_to_string(dir.path().join("dst/same")).unwrap(),
        "1"
    );
    let again = omni(dir.path(), &[&args[..], &["-v"]].concat()).done();
    assert_eq!(again.stdout, "");
    let both = [&args[..], &["--compare-dest", "old"]].concat();
    fails(&omni(dir.path(), &both), 2, &["--compare-dest"]);
    let moved = ["move", "--copy-dest", "old", "src", "dst"];
    fails(&omni(dir.path(), &moved), 2, &["--copy-dest: a move"]);
}

#[test]
fn directories_keep_their_times_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/d/b", "22")]);
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 1);
    let source = std::fs::File::open(dir.path().join("src/d")).unwrap();
    source.set_modified(time).unwrap();
    omni(
        dir.path(),
        &["copy", "--no-update-dir-modtime", "src", "dst"],
    )
    .done();
    let modified = || {
        std::fs::metadata(dir.path().join("dst/d"))
            .unwrap()
            .modified()
    };
    assert_ne!(modified().unwrap(), time);
    let shown = omni(dir.path(), &["copy", "-v", "src", "dst"]).done();
    assert_eq!(shown.stdout, "set-dir-modified d\n");
    assert_eq!(modified().unwrap(), time);
    let again = omni(dir.path(), &["copy", "-v", "src", "dst"]).done();
    assert_eq!(again.stdout, "");
}
