//! Symbolic links that are kept as links.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::run::{fails, omni, write};

fn leads_to(path: &Path) -> String {
    fs::read_link(path).unwrap().to_str().unwrap().to_owned()
}

fn source() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/d/x", "1")]);
    for (target, link) in [
        ("d/x", "file"),
        ("d", "dir"),
        ("nowhere", "d/broken"),
        ("/", "out"),
    ] {
        symlink(target, dir.path().join("src").join(link)).unwrap();
    }
    dir
}

#[test]
fn links_are_kept_as_links_and_a_second_run_does_nothing() {
    let dir = source();
    let first = omni(dir.path(), &["sync", "--json", "-l", "src", "dst"]).done();
    assert_eq!(first.summary()["created"], 5);
    let dst = dir.path().join("dst");
    assert_eq!(leads_to(&dst.join("file")), "d/x");
    assert_eq!(leads_to(&dst.join("dir")), "d");
    assert_eq!(leads_to(&dst.join("d/broken")), "nowhere");
    assert_eq!(leads_to(&dst.join("out")), "/");
    let again = omni(dir.path(), &["sync", "-v", "-l", "src", "dst"]).done();
    assert_eq!(again.stdout, "");
    omni(dir.path(), &["check", "-l", "src", "dst"]).done();

    // Changed, gone, a link that becomes a directory, a file that becomes a link.
    let src = dir.path().join("src");
    for link in ["file", "dir", "out"] {
        fs::remove_file(src.join(link)).unwrap();
    }
    symlink("d", src.join("file")).unwrap();
    write(&src, &[("dir/y", "2")]);
    fs::remove_file(src.join("d/x")).unwrap();
    symlink("../file", src.join("d/x")).unwrap();
    let check = omni(
        dir.path(),
        &["check", "-l", "--combined", "-", "src", "dst"],
    );
    assert_eq!(check.code, 1);
    assert!(
        check.stdout.contains("* file.rclonelink\n"),
        "{}",
        check.stdout
    );
    omni(dir.path(), &["sync", "-l", "src", "dst"]).done();
    assert_eq!(leads_to(&dst.join("file")), "d");
    assert_eq!(leads_to(&dst.join("d/x")), "../file");
    assert!(dst.join("dir").symlink_metadata().unwrap().is_dir());
    assert!(dst.join("dir/y").is_file() && !dst.join("out").exists());
    // Nothing went where the old link led.
    assert!(!dst.join("d/y").exists());
    omni(dir.path(), &["check", "-l", "src", "dst"]).done();
}

#[test]
fn stores_without_links_get_files_that_become_links_again() {
    let dir = source();
    // Opened without links as objects, a directory stands for a store that has none.
    let store = "file:///ROOT/store?links=followed".replace("/ROOT", dir.path().to_str().unwrap());
    omni(dir.path(), &["copy", "-l", "src", &store]).done();
    let kept = fs::read_to_string(dir.path().join("store/dir.rclonelink"));
    assert_eq!(kept.unwrap(), "d");
    omni(dir.path(), &["sync", "-l", &store, "back"]).done();
    assert_eq!(leads_to(&dir.path().join("back/dir")), "d");
    omni(dir.path(), &["check", "-l", "src", "back"]).done();
    let again = omni(dir.path(), &["sync", "--json", "-l", "src", &store]).done();
    assert_eq!(again.summary()["created"], 0);
    assert_eq!(again.summary()["updated"], 0);
}

#[test]
fn links_are_moved_and_kept_in_backups_and_by_bisync() {
    let dir = source();
    omni(dir.path(), &["copy", "-l", "src", "dst"]).done();
    let dst = dir.path().join("dst");
    fs::remove_file(dst.join("file")).unwrap();
    symlink("old", dst.join("file")).unwrap();
    omni(
        dir.path(),
        &["sync", "-l", "src", "dst", "--backup-dir", "bak"],
    )
    .done();
    assert_eq!(leads_to(&dir.path().join("bak/file")), "old");
    assert_eq!(leads_to(&dst.join("file")), "d/x");
    omni(dir.path(), &["move", "-l", "src", "moved"]).done();
    assert_eq!(leads_to(&dir.path().join("moved/dir")), "d");
    assert!(dir.path().join("src/dir").symlink_metadata().is_err());

    let pair = ["bisync", "-l", "moved", "dst", "--workdir", "state"];
    omni(dir.path(), &[&pair[..], &["--resync"]].concat()).done();
    fs::remove_file(dst.join("out")).unwrap();
    symlink("new", dst.join("more")).unwrap();
    fs::remove_file(dst.join("file")).unwrap();
    symlink("other", dst.join("file")).unwrap();
    fs::remove_file(dst.join("dir")).unwrap();
    write(&dst, &[("dir", "a file now")]);
    fs::remove_file(dst.join("d/x")).unwrap();
    symlink("y", dst.join("d/x")).unwrap();
    omni(dir.path(), &[&pair[..], &["--force"]].concat()).done();
    assert_eq!(leads_to(&dir.path().join("moved/more")), "new");
    assert_eq!(leads_to(&dir.path().join("moved/file")), "other");
    assert_eq!(leads_to(&dir.path().join("moved/d/x")), "y");
    assert!(
        dir.path()
            .join("moved/dir")
            .symlink_metadata()
            .unwrap()
            .is_file()
    );
    assert!(dir.path().join("moved/out").symlink_metadata().is_err());
}

#[test]
fn following_and_keeping_links_exclude_each_other() {
    let dir = source();
    fails(
        &omni(dir.path(), &["sync", "-l", "-L", "src", "dst"]),
        2,
        &["--copy-links"],
    );
}

#[test]
fn a_plan_of_links_is_applied_with_links() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    symlink("a", dir.path().join("src/link")).unwrap();
    omni(dir.path(), &["plan", "-l", "src", "dst", "-o", "plan"]).done();
    let without = omni(dir.path(), &["apply", "plan"]);
    assert_ne!(without.code, 0, "{}", without.stdout);
    omni(dir.path(), &["apply", "-l", "plan"]).done();
    assert_eq!(leads_to(&dir.path().join("dst/link")), "a");
}
