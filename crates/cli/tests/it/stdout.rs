//! Standard output that cannot be written, and names that a terminal would take for commands.

use crate::run::{omni, write};

/// Writes go to a device that is always full.
#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_a_failure_of_every_verb() {
    use std::fs::File;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("t/a", "1"), ("r.ndjson", "{\"a\":1}\n")]);
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for args in [
        "cat t/a",
        "cat t/a t/a",
        "convert r.ndjson - --to csv",
        "convert t/a - --to gzip",
        "ls t",
        "tree t",
        "stat t/a",
        "size t",
        "hash md5 t",
        "check t t2 --combined -",
        "copy -n t t3",
        "plan t t3",
        "backends",
        "completions bash",
        "man",
        "--help",
        "--version",
        "--json copy t t2",
        "--json copy t",
    ] {
        omni(dir.path(), &["copy", "t", "t2"]).done();
        let mut program = crate::run::program(dir.path());
        let program = program.args(args.split(' ')).stdout(full());
        let ran = program.output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{args}: {said}");
        assert!(said.to_lowercase().contains("no space"), "{args}: {said}");
    }
    // Where nobody can be told, the exit code still does.
    let mut program = crate::run::program(dir.path());
    let ran = program.args(["ls", "missing"]).stderr(full()).output();
    assert_eq!(ran.unwrap().status.code(), Some(3));
}

#[test]
#[cfg(unix)]
fn control_characters_are_not_printed_raw() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("t/a\x1b[2J\nb", "1"), ("t/plain", "1")]);
    let shown = "a\\x1b[2J\\nb";
    let tree = omni(dir.path(), &["tree", "t"]).done();
    assert!(
        tree.stdout.contains(&format!(" {shown}\n")),
        "{}",
        tree.stdout
    );
    let copy = omni(dir.path(), &["copy", "--dry-run", "t", "u"]).done();
    assert!(copy.stdout.contains(shown), "{}", copy.stdout);
    let copy = omni(dir.path(), &["copy", "-v", "t", "u"]).done();
    assert!(copy.stdout.contains(shown), "{}", copy.stdout);
    let missing = omni(dir.path(), &["cat", "t/no\x1b[2J"]);
    assert!(!missing.stderr.contains('\x1b'), "{}", missing.stderr);
    // Programs get names as they are.
    let listed = omni(dir.path(), &["ls", "t"]).done();
    assert_eq!(listed.stdout, "a\x1b[2J\nb\nplain\n");
}
