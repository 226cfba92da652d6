//! `check` and `diff` with their reports.

use std::fs;
use std::path::Path;

use crate::run::{omni, write};
use crate::trees::set_modified;

fn two_trees(dir: &Path) {
    write(
        dir,
        &[
            ("a/d/same", "1"),
            ("a/other", "12"),
            ("a/left", ""),
            ("a/x/y", "1"),
        ],
    );
    write(
        dir,
        &[
            ("b/d/same", "1"),
            ("b/other", "21"),
            ("b/right", ""),
            ("b/x", "1"),
        ],
    );
}

const COMBINED: &str = "= d/same\n+ left\n* other\n- right\n- x\n+ x/y\n";

#[test]
fn each_report_lists_its_paths_in_order() {
    let dir = tempfile::tempdir().unwrap();
    two_trees(dir.path());
    let flags = [
        "combined",
        "match",
        "differ",
        "missing-on-src",
        "missing-on-dst",
        "error",
    ];
    let mut args = vec!["check", "a", "b"]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    args.extend(
        flags
            .iter()
            .flat_map(|flag| [format!("--{flag}"), format!("{flag}.txt")]),
    );
    let ran = omni(
        dir.path(),
        &args.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    let found =
        flags.map(|flag| fs::read_to_string(dir.path().join(format!("{flag}.txt"))).unwrap());
    let want = [
        COMBINED,
        "d/same\n",
        "other\n",
        "right\nx\n",
        "left\nx/y\n",
        "",
    ];
    assert_eq!(found, want);
}

#[test]
fn reports_go_to_standard_output_too() {
    let dir = tempfile::tempdir().unwrap();
    two_trees(dir.path());
    let stdout = |args: &[&str]| omni(dir.path(), args).stdout;
    assert_eq!(stdout(&["check", "a", "b", "--combined", "-"]), COMBINED);
    assert_eq!(
        stdout(&["check", "a", "b", "--match", "-", "--differ", "-"]),
        "d/same\nother\n"
    );
    let one_way = stdout(&["check", "a", "b", "--one-way", "--combined", "-"]);
    assert_eq!(one_way, COMBINED.replace("- right\n- x\n", ""));
    let json = stdout(&["check", "a", "b", "--json", "--combined", "-"]);
    assert!(json.lines().all(|line| line.starts_with('{')), "{json}");
}

#[test]
fn a_report_that_cannot_be_written_stops_before_comparing() {
    let dir = tempfile::tempdir().unwrap();
    two_trees(dir.path());
    let ran = omni(
        dir.path(),
        &["check", "a", "b", "--combined", "no/such/dir"],
    );
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("no/such/dir"), "{}", ran.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_on_a_full_disk_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("a/x", "1"), ("b/x", "1")]);
    let ran = omni(dir.path(), &["check", "a", "b", "--combined", "/dev/full"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("/dev/full"), "{}", ran.stderr);
}

#[test]
fn download_and_size_only_are_the_ends_of_the_scale() {
    let dir = tempfile::tempdir().unwrap();
    two_trees(dir.path());
    let differ = |flag: &str| omni(dir.path(), &["check", "a", "b", flag, "--differ", "-"]).stdout;
    assert_eq!(differ("--download"), "other\n");
    assert_eq!(differ("--size-only"), "");
}

#[test]
fn diff_sees_times_and_says_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("a/same", "1"),
            ("a/time", "1"),
            ("a/content", "1"),
            ("a/hidden", "1"),
        ],
    );
    write(
        dir.path(),
        &[
            ("b/same", "1"),
            ("b/time", "1"),
            ("b/content", "2"),
            ("b/hidden", "2"),
        ],
    );
    for (path, seconds) in [
        ("a/same", 9),
        ("b/same", 9),
        ("a/hidden", 9),
        ("b/hidden", 9),
        ("b/time", 8),
        ("b/content", 8),
    ] {
        set_modified(&dir.path().join(path), seconds, 0);
    }
    let ran = omni(dir.path(), &["diff", "a", "b"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "* content\n* time\n"));
    let reasons: Vec<_> = omni(dir.path(), &["diff", "--json", "a", "b"])
        .objects()
        .iter()
        .filter_map(|object| Some(object["reason"].as_str()?.to_owned()))
        .collect();
    assert_eq!(reasons, ["content", "modified time"]);
    assert_eq!(omni(dir.path(), &["diff", "a", "a2"]).code, 1);
    assert!(!dir.path().join("a2").exists());
}

#[test]
fn a_transfer_reports_what_it_finds() {
    let dir = tempfile::tempdir().unwrap();
    two_trees(dir.path());
    let same = dir.path().join("a/d/same");
    let modified = fs::metadata(same).unwrap().modified().unwrap();
    let copied = fs::File::options()
        .write(true)
        .open(dir.path().join("b/d/same"))
        .unwrap();
    copied.set_modified(modified).unwrap();
    fs::remove_file(dir.path().join("b/x")).unwrap();
    let combined = "= d/same\n+ left\n* other\n- right\n+ x/y\n";
    for verb in ["copy", "sync"] {
        let ran = omni(
            dir.path(),
            &[verb, "--dry-run", "-q", "a", "b", "--combined", "-"],
        )
        .done();
        assert_eq!(ran.stdout, combined, "{verb}");
    }
    let ran = omni(
        dir.path(),
        &["copy", "a", "b", "--combined", "report", "--match", "same"],
    )
    .done();
    assert_eq!(ran.stdout, "");
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(
        (read("report"), read("same")),
        (combined.to_owned(), "d/same\n".to_owned())
    );
    let ran = omni(
        dir.path(),
        &[
            "sync",
            "--immutable",
            "--max-delete=9",
            "a",
            "b",
            "--differ",
            "differ",
        ],
    )
    .done();
    assert_eq!((ran.code, read("differ")), (0, String::new()));
}
