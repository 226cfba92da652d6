//! Files of the same content.

use crate::run::{omni, omni_with_input, write};

#[test]
fn duplicates_are_listed_and_deleted_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    write(
        path,
        &[
            ("d/a", "same"),
            ("d/s/b", "same"),
            ("d/c", "emas"),
            ("d/x", "another"),
        ],
    );
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let b = std::fs::File::options()
        .append(true)
        .open(path.join("d/s/b"));
    b.unwrap().set_modified(later).unwrap();
    let listed = omni(path, &["dedupe", "d"]).done();
    assert_eq!(listed.stdout, "s/b duplicates a\n");
    assert!(
        listed.stderr.contains("1 duplicates of 4 B"),
        "{}",
        listed.stderr
    );
    let dry = omni(path, &["dedupe", "d", "--dedupe-mode", "first", "-n"]).done();
    assert!(dry.stdout.contains("would delete s/b"), "{}", dry.stdout);
    let asked = ["dedupe", "d", "--by-hash", "--dedupe-mode", "first", "-i"];
    omni_with_input(path, &asked, b"n\n").done();
    assert!(path.join("d/s/b").exists());
    let ran = omni(path, &["dedupe", "d", "--dedupe-mode", "newest", "--json"]).done();
    assert_eq!(
        (&ran.summary()["deleted"], path.join("d/a").exists()),
        (&1.into(), false)
    );
    assert!(path.join("d/s/b").exists());
}
