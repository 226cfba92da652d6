//! Named remotes, and flags from the environment.

use std::fs;

use crate::run::{fails, omni, program, write};

#[test]
fn a_remote_stands_for_its_backend_in_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("store/a/x", "hi"), ("src/new", "1")]);
    let root = format!("root={}", dir.path().join("store").display());
    omni(dir.path(), &["config", "create", "nas", "file", &root]).done();
    assert_eq!(omni(dir.path(), &["cat", "nas:a/x"]).done().stdout, "hi");
    assert_eq!(omni(dir.path(), &["ls", "nas:"]).done().stdout, "a/\n");
    assert_eq!(omni(dir.path(), &["ls", "nas:/a"]).done().stdout, "x\n");
    omni(dir.path(), &["copy", "src", "nas:b/c"]).done();
    omni(dir.path(), &["check", "src", "nas:b/c"]).done();
    assert!(dir.path().join("store/b/c/new").exists());
    omni(dir.path(), &["rm", "nas:b/c/new"]).done();
    omni(dir.path(), &["mkdir", "nas:d/e"]).done();
    write(dir.path(), &[("store/d/e/f", "1")]);
    let dry = omni(dir.path(), &["purge", "--dry-run", "nas:d"]).done();
    assert_eq!(dry.stdout, "would delete e/f\n", "and nothing beside it");
    omni(dir.path(), &["purge", "nas:d"]).done();
    assert!(!dir.path().join("store/d").exists());
    // A file of that name is reached by its path.
    write(dir.path(), &[("nas:x", "plain")]);
    assert_eq!(omni(dir.path(), &["cat", "./nas:x"]).done().stdout, "plain");
    for (args, code, said) in [
        (["ls", "nas:no"], 3, "nas:no"),
        (["cat", "nas:"], 1, "names no object"),
        (
            ["ls", "other:x"],
            2,
            r#"no remote is named "other"; known are nas"#,
        ),
        (["sync", "nas:a"], 2, "<DST>"),
    ] {
        let ran = omni(dir.path(), &args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
    }
    let overlap = omni(dir.path(), &["sync", "store/a", "nas:"]);
    assert_eq!(overlap.code, 2, "{}", overlap.stderr);
}

#[test]
fn remotes_are_created_shown_updated_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let config = |args: &[&str]| omni(dir.path(), &[&["config"], args].concat());
    assert_eq!(config(&["list"]).done().stdout, "");
    config(&["create", "a", "memory", "max_bytes=1MiB"]).done();
    config(&[
        "create",
        "b",
        "file",
        "root=/b",
        "secret_access_key=hunter2",
    ])
    .done();
    assert_eq!(config(&["list"]).done().stdout, "a: memory\nb: file\n");
    let shown = config(&["show"]).done().stdout + &config(&["show", "--json"]).done().stdout;
    assert!(
        shown.contains("max_bytes = \"1MiB\"") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert_eq!(config(&["create", "a", "memory"]).code, 1);
    config(&["update", "a", "max_bytes=2MiB"]).done();
    assert!(config(&["show", "a"]).done().stdout.contains("2MiB"));
    config(&["delete", "b"]).done();
    assert_eq!(config(&["list"]).done().stdout, "a: memory\n");
    for (args, said) in [
        (&["delete", "b"][..], "no remote is named \"b\""),
        (&["update", "b", "x=y"], "no remote is named \"b\""),
        (&["create", "c", "s4"], "no backend is named \"s4\""),
        (&["create", "a/b", "memory"], "letters"),
        (&["create", "c", "memory", "novalue"], "KEY=VALUE"),
    ] {
        let ran = config(args);
        assert!(
            ran.code != 0 && ran.stderr.contains(said),
            "{args:?}: {}",
            ran.stderr
        );
    }
}

#[test]
#[cfg(unix)]
fn the_file_is_for_its_owner_alone_and_keeps_comments() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("omni/config.toml");
    fs::create_dir(dir.path().join("omni")).unwrap();
    fs::write(&file, "# mine\n[a]\ntype = \"memory\" # small\n").unwrap();
    omni(dir.path(), &["config", "create", "b", "memory"]).done();
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("# mine\n[a]\ntype = \"memory\" # small\n"),
        "{text}"
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let left: Vec<_> = fs::read_dir(dir.path().join("omni")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_bad_file_is_named_with_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("omni/config.toml");
    fs::create_dir(dir.path().join("omni")).unwrap();
    for (text, said) in [
        ("ok = 1\n[a\n", "line 2, column 3"),
        ("[a]\nroot = \"/x\"\n", "`type`"),
        ("a = 3\n", "not a table"),
        ("[a]\ntype = [\"x\"]\n", "a.type"),
        ("[a]\ntype = \"file\"\n", "\"root\" is required"),
        ("[a]\ntype = \"warp\"\n", "\"warp\""),
        ("[a]\nuri = \"memory://\"\ntype = \"memory\"\n", "either"),
    ] {
        fs::write(&file, text).unwrap();
        let ran = omni(dir.path(), &["ls", "a:"]);
        assert_eq!(ran.code, 2, "{text:?}: {}", ran.stderr);
        for said in [said, "omni/config.toml"] {
            assert!(ran.stderr.contains(said), "{text:?}: {}", ran.stderr);
        }
    }
    fs::write(&file, "[a]\nuri = \"memory://\"\nmax_bytes = 1024\n").unwrap();
    omni(dir.path(), &["ls", "a:"]).done();
}

#[test]
fn flags_come_from_the_environment_and_the_command_line_goes_before() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    let run = |name: &str, value: &str, args: &[&str]| {
        let output = program(dir.path())
            .env(name, value)
            .args(args)
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    for yes in ["1", "true", "yes"] {
        let (code, stdout) = run("OMNI_DRY_RUN", yes, &["copy", "src", "dst"]);
        assert_eq!((code, stdout.as_str()), (0, "would create a\n"), "{yes}");
    }
    assert_eq!(run("OMNI_DRY_RUN", "0", &["copy", "src", "dst"]).1, "");
    assert!(dir.path().join("dst/a").exists());
    assert_eq!(run("OMNI_TRANSFERS", "many", &["copy", "src", "dst"]).0, 2);
    let given = run(
        "OMNI_TRANSFERS",
        "many",
        &["copy", "--transfers=2", "src", "dst"],
    );
    assert_eq!(given.0, 0);
}

#[test]
fn a_job_that_is_refused_does_not_create_the_root_of_a_remote() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/a", "1")]);
    let root = format!("root={}", dir.path().join("nas/data").display());
    omni(dir.path(), &["config", "create", "nas", "file", &root]).done();
    let refused = ["sync", "src", "nas:in"];
    let inside = ["--backup-dir", "nas:in/kept"];
    let ran = omni(dir.path(), &[&refused[..], &inside].concat());
    fails(&ran, 2, &["overlap"]);
    assert!(!dir.path().join("nas").exists());
    omni(dir.path(), &["sync", "src", "nas:in"]).done();
    assert!(dir.path().join("nas/data/in/a").exists());
    let again = omni(dir.path(), &["sync", "-v", "src", "nas:in"]).done();
    assert_eq!(again.stdout, "");
}
