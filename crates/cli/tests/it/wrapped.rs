//! Remotes over other remotes: encrypted, below a path, read-only.

use std::fs;
use std::path::Path;

use crate::run::{fails, omni, program, write};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Every name and all bytes below a directory.
fn everything(root: &Path) -> String {
    let mut seen = String::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        seen += &path.to_string_lossy();
        if path.is_dir() {
            seen += &everything(&path);
        } else {
            seen += &String::from_utf8_lossy(&fs::read(&path).unwrap());
        }
    }
    seen
}

#[test]
fn an_encrypted_remote_is_used_like_any_other_and_shows_nothing_below() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("src/deep/zanzibar.txt", "zanzibar"),
            ("src/b", ""),
            ("key", KEY),
        ],
    );
    let root = format!("root={}", dir.path().join("store").display());
    let key = format!("key_file={}", dir.path().join("key").display());
    omni(dir.path(), &["mkdir", "store/vault"]).done();
    omni(dir.path(), &["config", "create", "nas", "file", &root]).done();
    let create = [
        "config",
        "create",
        "secret",
        "encrypt",
        "remote=nas:vault",
        &key,
    ];
    omni(dir.path(), &create).done();
    omni(dir.path(), &["sync", "src", "secret:"]).done();
    let seen = everything(&dir.path().join("store"));
    assert!(!seen.contains("zanzibar"), "{seen}");
    omni(dir.path(), &["check", "src", "secret:"]).done();
    let cat = omni(dir.path(), &["cat", "secret:deep/zanzibar.txt"]).done();
    assert_eq!(cat.stdout, "zanzibar");
    assert_eq!(
        omni(dir.path(), &["ls", "secret:"]).done().stdout,
        "b\ndeep/\n"
    );
    omni(dir.path(), &["copy", "secret:", "back"]).done();
    assert_eq!(
        fs::read(dir.path().join("back/deep/zanzibar.txt")).unwrap(),
        b"zanzibar"
    );
    let shown = omni(dir.path(), &["config", "show"]).done().stdout;
    assert!(
        shown.contains("key_file") && !shown.contains(KEY),
        "{shown}"
    );

    write(dir.path(), &[("key", &KEY.replace("00", "ff"))]);
    let wrong = omni(dir.path(), &["ls", "secret:"]);
    assert_ne!(wrong.code, 0);
    assert!(
        wrong.stderr.contains("not encrypted under this key"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn the_key_may_come_from_the_environment_and_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let place = format!("remote={}", dir.path().join("vault").display());
    let create = [
        "config",
        "create",
        "secret",
        "encrypt",
        &place,
        "key_env=VAULT_KEY",
    ];
    omni(dir.path(), &create).done();
    write(dir.path(), &[("a", "hello")]);
    let unset = omni(dir.path(), &["copy", "a", "secret:"]);
    fails(&unset, 2, &["VAULT_KEY"]);
    let copy = |key: &str| {
        let mut command = program(dir.path());
        command
            .env("VAULT_KEY", key)
            .args(["copy", "-vv", "a", "secret:"]);
        command.output().unwrap()
    };
    let bad = copy("hush-hush");
    assert!(!bad.status.success());
    assert!(
        !String::from_utf8_lossy(&bad.stderr).contains("hush"),
        "{bad:?}"
    );
    let done = copy(KEY);
    assert!(done.status.success(), "{done:?}");
    let said = [done.stdout, done.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains(KEY));
}

#[test]
fn prefix_and_read_only_remotes() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("store/a/b/x", "hi"), ("store/y", "no")]);
    let root = format!("root={}", dir.path().join("store").display());
    omni(dir.path(), &["config", "create", "nas", "file", &root]).done();
    omni(
        dir.path(),
        &["config", "create", "part", "prefix", "remote=nas:a"],
    )
    .done();
    omni(
        dir.path(),
        &["config", "create", "fixed", "read-only", "remote=part:b"],
    )
    .done();
    assert_eq!(omni(dir.path(), &["ls", "part:"]).done().stdout, "b/\n");
    assert_eq!(omni(dir.path(), &["cat", "fixed:x"]).done().stdout, "hi");
    let refused = omni(dir.path(), &["rm", "fixed:x"]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("read-only"), "{}", refused.stderr);
    assert!(dir.path().join("store/a/b/x").exists());
    omni(dir.path(), &["config", "update", "part", "remote=fixed:"]).done();
    let circle = omni(dir.path(), &["ls", "part:"]);
    fails(&circle, 2, &["lies over itself"]);
    let misspelt = ["config", "create", "odd", "prefix", "remote=nas:a", "kye=1"];
    omni(dir.path(), &misspelt).done();
    let odd = omni(dir.path(), &["ls", "odd:"]);
    fails(&odd, 2, &["unknown key \"kye\""]);
}
