//! Choosing files.

use std::time::{Duration, SystemTime};

use crate::run::{omni, omni_with_input, write};

fn files(dir: &std::path::Path, root: &str) -> Vec<String> {
    let listed = omni(dir, &["ls", "-R", "--files-only", root]).done().stdout;
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn filter_files_of_rclone_work_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("src/a.jpg", "1"),
            ("src/a.txt", "1"),
            ("src/cache/b.jpg", "1"),
            ("src/d/c.PNG", "1"),
            ("dst/old.txt", "1"),
            (
                "rules",
                "# pictures, but no cache\n- cache/\n+ *.{jpg,png}\n\n- *\n",
            ),
        ],
    );
    let args = [
        "sync",
        "--filter-from",
        "rules",
        "--ignore-case",
        "src",
        "dst",
    ];
    omni(dir.path(), &args).done();
    assert_eq!(files(dir.path(), "dst"), ["a.jpg", "d/c.PNG", "old.txt"]);
    omni(dir.path(), &[&args[..], &["--delete-excluded"]].concat()).done();
    assert_eq!(files(dir.path(), "dst"), ["a.jpg", "d/c.PNG"]);
}

#[test]
fn lists_come_from_files_and_from_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("src/a", "1"), ("src/b/c", "1"), ("src/d", "1")],
    );
    let args = ["copy", "--files-from", "-", "src", "dst"];
    omni_with_input(dir.path(), &args, b"b/c\n# d\n").done();
    assert_eq!(files(dir.path(), "dst"), ["b/c"]);
    let args = ["copy", "--files-from0", "-", "src", "dst"];
    omni_with_input(dir.path(), &args, b"a\0").done();
    assert_eq!(files(dir.path(), "dst"), ["a", "b/c"]);
}

#[test]
fn sizes_and_ages_choose() {
    let dir = tempfile::tempdir().unwrap();
    let large = "x".repeat(2048);
    write(
        dir.path(),
        &[
            ("src/large", large.as_str()),
            ("src/small", "x"),
            ("src/old", "x"),
        ],
    );
    let old = std::fs::File::options()
        .write(true)
        .open(dir.path().join("src/old"))
        .unwrap();
    old.set_modified(SystemTime::now() - Duration::from_secs(90_000))
        .unwrap();
    omni(
        dir.path(),
        &["copy", "--max-size", "1", "--max-age", "1d", "src", "one"],
    )
    .done();
    assert_eq!(files(dir.path(), "one"), ["small"]);
    omni(dir.path(), &["copy", "--min-size", "2K", "src", "two"]).done();
    assert_eq!(files(dir.path(), "two"), ["large"]);
    omni(
        dir.path(),
        &[
            "copy",
            "--max-age",
            "2001-02-03",
            "--min-age",
            "1d",
            "src",
            "three",
        ],
    )
    .done();
    assert_eq!(files(dir.path(), "three"), ["old"]);
}

#[test]
fn a_bad_filter_is_named_with_file_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("rules", "- a\n+ b[\n")]);
    for (args, message) in [
        (
            ["--filter-from", "rules"],
            "rules:2:4: the `[` is not closed",
        ),
        (["--filter-from", "none"], "cannot read none"),
        (["--exclude", "a***"], "more than two `*` in a row"),
        (["--min-age", "soon"], "\"soon\" is no age"),
        (["--max-size", "1X"], "\"1X\" is no size"),
    ] {
        let ran = omni(dir.path(), &[&["copy", "src", "dst"], &args[..]].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
        assert!(!dir.path().join("dst").exists());
    }
}

#[cfg(unix)]
#[test]
fn links_are_named_and_left_out_or_followed() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    std::os::unix::fs::symlink("a", dir.path().join("src/link")).unwrap();
    let skipped = omni(dir.path(), &["copy", "src", "dst"]).done();
    assert!(
        skipped.stderr.contains("skip link (symbolic link)"),
        "{}",
        skipped.stderr
    );
    assert_eq!(files(dir.path(), "dst"), ["a"]);
    let followed = omni(dir.path(), &["copy", "-L", "src", "dst"]).done();
    assert!(
        !followed.stderr.contains("symbolic link"),
        "{}",
        followed.stderr
    );
    assert_eq!(files(dir.path(), "dst"), ["a", "link"]);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_outside_is_a_failure_that_says_so() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/d/a", "1"), ("out", "1")]);
    symlink("../../out", dir.path().join("src/d/out")).unwrap();
    let copy = || omni(dir.path(), &["copy", "-L", "src", "dst"]);
    let ran = copy();
    crate::run::fails(
        &ran,
        1,
        &["d/out", "leads outside of the source", "below SRC"],
    );
    let read = omni(dir.path(), &["cat", "src/d/out"]);
    for ran in [&ran, &read] {
        assert!(!ran.stderr.contains("run as a user"), "{}", ran.stderr);
    }
    std::fs::remove_file(dir.path().join("src/d/out")).unwrap();
    symlink("../nowhere", dir.path().join("src/d/out")).unwrap();
    crate::run::fails(&copy(), 1, &["leads nowhere"]);
}

#[test]
fn ls_lists_what_a_filter_selects() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("a.jpg", "1"),
            ("a.txt", "1"),
            ("d/b.jpg", "22"),
            ("skip/c.jpg", "1"),
            ("skip/.no", ""),
        ],
    );
    let listed = |args: &[&str]| {
        let ran = omni(dir.path(), &[&["ls"], args].concat()).done();
        ran.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let marked = ["--exclude-if-present", ".no", "--include", "*.jpg"];
    assert_eq!(listed(&marked), ["a.jpg", "d/"]);
    assert_eq!(
        listed(&[&marked[..], &["-R"]].concat()),
        ["a.jpg", "d/", "d/b.jpg"]
    );
    assert_eq!(
        listed(&["-R", "--files-only", "--min-size", "2B"]),
        ["d/b.jpg"]
    );
}
