//! Verbs on single objects and directories.

use crate::run::{omni, omni_with_input, write};

#[test]
fn put_then_cat_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    omni_with_input(dir.path(), &["put", "new/dir/a b%20c.txt"], b"hello").done();
    assert_eq!(
        omni(dir.path(), &["cat", "new/dir/a b%20c.txt"])
            .done()
            .stdout,
        "hello"
    );
    omni_with_input(
        dir.path(),
        &["put", "--append", "new/dir/a b%20c.txt"],
        b" world",
    )
    .done();
    let cat = |args: &[&str]| {
        omni(
            dir.path(),
            &[&["cat", "new/dir/a b%20c.txt"], args].concat(),
        )
        .done()
        .stdout
    };
    assert_eq!(cat(&[]), "hello world");
    assert_eq!(cat(&["--offset", "6"]), "world");
    assert_eq!(cat(&["--offset", "2", "--count", "3"]), "llo");
    assert_eq!(cat(&["--count", "0"]), "");
    assert_eq!(cat(&["--tail", "3"]), "rld");
}

#[test]
fn put_tells_what_it_created_from_what_it_updated() {
    let dir = tempfile::tempdir().unwrap();
    let put = || {
        omni_with_input(dir.path(), &["put", "--json", "a"], b"x")
            .done()
            .summary()
    };
    let (first, second) = (put(), put());
    assert_eq!(
        (&first["created"], &first["updated"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        (&second["created"], &second["updated"]),
        (&0.into(), &1.into())
    );
}

#[test]
fn put_refuses_what_it_was_told_not_to_do() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("a", "old")]);
    let exists = omni_with_input(dir.path(), &["put", "--immutable", "a"], b"new");
    assert_eq!(exists.code, 1);
    assert!(
        exists.stderr.contains("already exists"),
        "{}",
        exists.stderr
    );
    let short = omni_with_input(dir.path(), &["put", "--size", "9", "b"], b"new");
    assert_eq!(short.code, 1);
    assert!(!dir.path().join("b").exists());
    assert_eq!(
        std::fs::read_to_string(dir.path().join("a")).unwrap(),
        "old"
    );
}

#[test]
fn ls_shows_one_level_or_all_sorted() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("a/x", "1"), ("a.b", "22"), ("a0", "333"), ("a/y.csv", "")],
    );
    assert_eq!(omni(dir.path(), &["ls"]).done().stdout, "a.b\na/\na0\n");
    assert_eq!(omni(dir.path(), &["ls", "a"]).done().stdout, "x\ny.csv\n");
    assert_eq!(omni(dir.path(), &["ls", "a0"]).done().stdout, "a0\n");
    assert_eq!(
        omni(dir.path(), &["ls", "-R", "--files-only"])
            .done()
            .stdout,
        "a.b\na/x\na/y.csv\na0\n"
    );
    assert_eq!(
        omni(dir.path(), &["ls", "-R", "--glob", "*.csv"])
            .done()
            .stdout,
        "a/y.csv\n"
    );
    let objects = omni(dir.path(), &["ls", "--json"]).done().objects();
    assert_eq!(
        (&objects[0]["path"], &objects[0]["size"]),
        (&"a.b".into(), &2.into())
    );
    assert_eq!(objects[1]["is_dir"], true);
}

#[test]
fn tree_draws_the_tree() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("d/e/x", "1"), ("d/y", "22"), ("z", "333")]);
    let drawn = omni(dir.path(), &["tree"]).done();
    assert_eq!(
        drawn.stdout,
        ".\n├── d/\n│   ├── e/\n│   │   └── x\n│   └── y\n└── z\n"
    );
    let top = omni(dir.path(), &["tree", "--max-depth", "1"]).done();
    assert_eq!(top.stdout, ".\n├── d/\n└── z\n");
}

#[test]
fn stat_tells_what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("d/x", "12345")]);
    let objects = omni(dir.path(), &["stat", "--json", "d/x", "d", "."])
        .done()
        .objects();
    assert_eq!(objects[0]["size"], 5);
    assert!(objects[0]["modified"].as_str().unwrap().ends_with('Z'));
    assert!(objects[0]["version"].is_string());
    assert_eq!(
        (&objects[1]["is_dir"], &objects[2]["is_dir"]),
        (&true.into(), &true.into())
    );
    assert!(
        omni(dir.path(), &["stat", "d/x"])
            .done()
            .stdout
            .contains("size           5 B")
    );
}

#[test]
fn directories_are_made_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    omni(dir.path(), &["mkdir", "a/b/c"]).done();
    assert!(dir.path().join("a/b/c").is_dir());
    let full = omni(dir.path(), &["rmdir", "a"]);
    assert_eq!(full.code, 1);
    assert!(full.stderr.contains("not empty"), "{}", full.stderr);
    omni(dir.path(), &["rmdir", "a/b/c/"]).done();
    write(dir.path(), &[("a/x", "1"), ("a/b/y", "2")]);
    let dry = omni(dir.path(), &["purge", "--dry-run", "a"]).done();
    assert_eq!(dry.stdout, "would delete b/y\nwould delete x\n");
    let purged = omni(dir.path(), &["purge", "--json", "a"]).done();
    assert_eq!(purged.summary()["deleted"], 2);
    assert!(!dir.path().join("a").exists());
}

#[test]
fn rm_deletes_objects_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("a", "1"), ("b", "2"), ("d/x", "3")]);
    let removed = omni(dir.path(), &["rm", "--json", "a", "b"]).done();
    assert_eq!(removed.summary()["deleted"], 2);
    let directory = omni(dir.path(), &["rm", "d"]);
    assert_eq!(directory.code, 1);
    assert!(
        directory.stderr.contains("omni purge"),
        "{}",
        directory.stderr
    );
    assert!(dir.path().join("d/x").exists());
}

#[test]
fn backends_are_listed_with_their_features() {
    let dir = tempfile::tempdir().unwrap();
    let objects = omni(dir.path(), &["backends", "--json"]).done().objects();
    // Others may be compiled in too.
    for name in ["file", "memory"] {
        let found = objects
            .iter()
            .find(|object| object["name"] == name)
            .unwrap();
        assert_eq!(found["features"]["create_new"], true, "{name}");
    }
}
