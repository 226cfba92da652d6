//! Verbs that rclone users expect around single files and directories.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::run::{omni, write};

#[test]
fn copyto_and_moveto_give_a_file_another_name() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1"), ("src/d/b", "2")]);
    let read = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
    let dry = omni(dir.path(), &["copyto", "-n", "src/a", "new/dir/b"]).done();
    assert_eq!(dry.stdout, "would create b\n");
    assert!(!dir.path().join("new").exists());
    omni(dir.path(), &["copyto", "src/a", "new/dir/b"]).done();
    assert_eq!((read("new/dir/b"), read("src/a")), ("1".into(), "1".into()));
    let again = omni(dir.path(), &["copyto", "--json", "src/a", "new/dir/b"]).done();
    assert_eq!(again.summary()["skipped"], 1);
    omni(dir.path(), &["moveto", "src/a", "c"]).done();
    assert_eq!(read("c"), "1");
    assert!(!dir.path().join("src/a").exists());
    // A directory is copied and moved as by `copy` and `move`.
    omni(dir.path(), &["copyto", "src", "tree"]).done();
    assert_eq!(read("tree/d/b"), "2");
    omni(
        dir.path(),
        &["moveto", "src", "moved", "--delete-empty-src-dirs"],
    )
    .done();
    assert!(dir.path().join("moved/d/b").exists() && !dir.path().join("src/d").exists());
    assert_eq!(omni(dir.path(), &["copyto", "c", "c"]).code, 2);
    assert_eq!(omni(dir.path(), &["copyto", "no", "c2"]).code, 3);
    assert!(!dir.path().join("c2").exists());
}

#[test]
fn size_counts_objects_and_bytes() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("t/a", "12345"), ("t/d/b", &"x".repeat(2043))],
    );
    let text = omni(dir.path(), &["size", "t"]).done().stdout;
    assert_eq!(text, "Total objects: 2\nTotal size: 2.0 KiB (2048 B)\n");
    let json = &omni(dir.path(), &["size", "--json", "t"]).done().objects()[0];
    assert_eq!(
        (&json["objects"], &json["bytes"]),
        (&2.into(), &2048.into())
    );
    assert_eq!(
        omni(dir.path(), &["size", "t/a"])
            .done()
            .stdout
            .lines()
            .next(),
        Some("Total objects: 1")
    );
    assert_eq!(omni(dir.path(), &["size", "no"]).code, 3);
}

#[test]
fn delete_leaves_directories_and_rmdirs_removes_them() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("t/a", "1"), ("t/d/e/b", "2"), ("keep", "3")]);
    let dry = omni(dir.path(), &["delete", "-n", "t"]).done();
    assert_eq!(dry.stdout, "would delete a\nwould delete d/e/b\n");
    let stopped = omni(dir.path(), &["delete", "--max-delete", "1", "t"]);
    assert_eq!(stopped.code, 7, "{}", stopped.stderr);
    assert!(dir.path().join("t/a").exists());
    let done = omni(dir.path(), &["delete", "--json", "t"])
        .done()
        .summary();
    assert_eq!(
        (&done["command"], &done["deleted"]),
        (&"delete".into(), &2.into())
    );
    assert!(dir.path().join("t/d/e").exists());
    omni(dir.path(), &["rmdirs", "--leave-root", "t"]).done();
    assert!(dir.path().join("t").exists() && !dir.path().join("t/d").exists());
    write(dir.path(), &[("t/x/y/z", "1")]);
    omni(dir.path(), &["delete", "--rmdirs", "t"]).done();
    assert_eq!(fs::read_dir(dir.path().join("t")).unwrap().count(), 0);
    omni(dir.path(), &["rmdirs", "t"]).done();
    assert!(!dir.path().join("t").exists() && dir.path().join("keep").exists());
    let file = omni(dir.path(), &["delete", "keep"]);
    assert!(
        file.code != 0 && file.stderr.contains("omni rm"),
        "{}",
        file.stderr
    );
    assert_eq!(omni(dir.path(), &["rmdirs", "t"]).code, 4);
    assert_eq!(omni(dir.path(), &["delete", "t"]).code, 3);
}

#[test]
fn touch_creates_and_sets_times() {
    let dir = tempfile::tempdir().unwrap();
    let modified = |path: &str| {
        fs::metadata(dir.path().join(path))
            .unwrap()
            .modified()
            .unwrap()
    };
    let touch = |args: &[&str]| {
        omni(dir.path(), &[&["touch", "--json"], args].concat())
            .done()
            .summary()
    };
    assert_eq!(
        touch(&["new/a", "--timestamp", "1970-01-01T00:00:09Z"])["created"],
        1
    );
    assert_eq!(
        modified("new/a"),
        SystemTime::UNIX_EPOCH + Duration::from_secs(9)
    );
    write(dir.path(), &[("b", "content")]);
    assert_eq!(touch(&["b", "-t", "1970-01-02"])["updated"], 1);
    assert_eq!(
        modified("b"),
        SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)
    );
    assert_eq!(fs::read_to_string(dir.path().join("b")).unwrap(), "content");
    let before = SystemTime::now() - Duration::from_secs(1);
    touch(&["b"]);
    assert!(modified("b") > before);
    assert_eq!(touch(&["--no-create", "c", "no/c"])["skipped"], 2);
    assert!(!dir.path().join("c").exists() && !dir.path().join("no").exists());
    assert_eq!(omni(dir.path(), &["touch", "-t", "soon", "b"]).code, 2);
}

#[test]
fn filters_choose_what_is_measured_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("t/a.tmp", "12"), ("t/d/b.tmp", "3"), ("t/d/keep", "45")],
    );
    let stdout = |args: &[&str]| omni(dir.path(), args).done().stdout;
    assert!(stdout(&["size", "t", "--include", "*.tmp"]).starts_with("Total objects: 2\n"));
    let hashed = stdout(&["hash", "md5", "t", "--exclude", "*.tmp"]);
    assert_eq!(hashed.lines().count(), 1, "{hashed}");
    let sums = stdout(&["hash", "md5", "t", "--exclude", "keep"]);
    write(dir.path(), &[("sums", &sums)]);
    omni(dir.path(), &["verify", "sums", "t", "--exclude", "keep"]).done();
    stdout(&["delete", "t", "--include", "*.tmp"]);
    assert_eq!(stdout(&["ls", "-R", "t", "--files-only"]), "d/keep\n");
}
