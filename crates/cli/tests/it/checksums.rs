//! `hash`, `verify` and `check --checkfile`.

use std::fs;
use std::process::{Command, Stdio};

use crate::run::{omni, omni_with_input, write};

const FOO: &str = "acbd18db4cc2f85cedef654fccc4a4d8";
const BAR: &str = "37b51d194a7513e45b56f6524f2d51f2";

#[test]
fn hash_prints_what_md5sum_prints() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("t/foo", "foo"), ("t/d/bar", "bar")]);
    let stdout = |args: &[&str]| omni(dir.path(), args).done().stdout;
    let want = format!("{BAR}  d/bar\n{FOO}  foo\n");
    assert_eq!(stdout(&["hash", "md5", "t"]), want);
    assert_eq!(stdout(&["hashsum", "MD5", "t", "--download"]), want);
    assert_eq!(stdout(&["hash", "md5", "t/foo"]), format!("{FOO}  foo\n"));
    assert_eq!(
        stdout(&["hash", "md5", "--tag", "t/foo"]),
        format!("MD5 (foo) = {FOO}\n")
    );
    omni(dir.path(), &["hash", "md5", "t", "-o", "sums"]).done();
    assert_eq!(fs::read_to_string(dir.path().join("sums")).unwrap(), want);
    let json = omni(dir.path(), &["hash", "--json", "crc32c", "t"])
        .done()
        .objects();
    assert_eq!(json[0]["path"], "d/bar");
    assert_eq!(json[0]["digest"].as_str().map(str::len), Some(8));
    let missing = omni(dir.path(), &["hash", "md5", "no"]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
    assert_eq!(omni(dir.path(), &["hash", "md4", "t"]).code, 2);
}

/// coreutils reads what we write, and we read what it writes, odd names included.
#[test]
#[cfg(target_os = "linux")]
fn md5sum_and_sha256sum_agree_in_both_directions() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("t/foo", "foo"),
            ("t/a\nb", "1"),
            ("t/a\\b", "2"),
            ("t/ü (x)", "3"),
        ],
    );
    for (tool, hash) in [
        ("md5sum", "md5"),
        ("sha1sum", "sha1"),
        ("sha256sum", "sha256"),
    ] {
        for tag in [&[][..], &["--tag"]] {
            let ours = omni(dir.path(), &[&["hash", hash, "t"], tag].concat())
                .done()
                .stdout;
            fs::write(dir.path().join("ours"), &ours).unwrap();
            let mut check = Command::new(tool);
            check.args(["--check", "--strict", "--quiet", "../ours"]);
            let checked = check.current_dir(dir.path().join("t")).output().unwrap();
            assert!(checked.status.success(), "{tool}: {checked:?}\n{ours}");
            let mut write = Command::new(tool);
            write.args(tag).args(["foo", "a\nb", "a\\b", "ü (x)"]);
            let theirs = write
                .current_dir(dir.path().join("t"))
                .stdout(Stdio::piped());
            let theirs = theirs.output().unwrap().stdout;
            let ran = omni_with_input(dir.path(), &["verify", "-", "t"], &theirs);
            assert_eq!(ran.code, 0, "{tool} {tag:?}: {}{}", ran.stdout, ran.stderr);
        }
    }
}

/// `md5sum --zero` ends lines with NUL and escapes nothing.
#[test]
#[cfg(unix)]
fn lines_may_end_with_nul() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("t/foo", "foo"), ("t/a\n\\b", "bar")]);
    let sums = format!("{FOO}  foo\0{BAR}  a\n\\b\0");
    let verify = |sums: &str| omni_with_input(dir.path(), &["verify", "-", "t"], sums.as_bytes());
    verify(&sums).done();
    assert_eq!(verify(&sums.replace(BAR, FOO)).code, 1);
    let bad = verify(&format!("{FOO}  foo\0nonsense\0"));
    assert!(bad.stderr.contains("line 2"), "{}", bad.stderr);
}

#[test]
fn verify_reports_every_difference() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("t/foo", "foo"), ("t/bar", "changed"), ("t/new", "")],
    );
    write(
        dir.path(),
        &[("sums", &format!("{FOO}  foo\n{BAR}  bar\n{BAR}  gone\n"))],
    );
    let combined = "* bar\n= foo\n+ gone\n- new\n";
    for args in [
        &["verify", "sums", "t", "--combined", "-"][..],
        &["check", "-C", "md5", "sums", "t", "--combined", "-"],
    ] {
        let ran = omni(dir.path(), args);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (1, combined),
            "{}",
            ran.stderr
        );
    }
    let one_way = omni(dir.path(), &["verify", "sums", "t", "--one-way"]);
    assert_eq!(one_way.stdout, "* bar\n+ gone\n");
    write(dir.path(), &[("t/bar", "bar"), ("t/gone", "bar")]);
    omni(dir.path(), &["verify", "--one-way", "sums", "t"]).done();
}

#[test]
fn the_name_of_the_file_tells_blake3_from_sha256() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("t/foo", "foo")]);
    let sums = omni(dir.path(), &["hash", "blake3", "t"]).done().stdout;
    write(dir.path(), &[("B3SUMS", &sums), ("SUMS", &sums)]);
    omni(dir.path(), &["verify", "B3SUMS", "t"]).done();
    assert_eq!(omni(dir.path(), &["verify", "SUMS", "t"]).code, 1);
    omni(dir.path(), &["verify", "SUMS", "t", "--type", "blake3"]).done();
}

#[test]
fn a_bad_checksum_file_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("t/foo", "foo"),
            ("good", &format!("{FOO}  foo\n")),
            ("sums", &format!("{FOO}  foo\nnonsense\n")),
        ],
    );
    fs::write(dir.path().join("latin1"), b"x\n\xff\n").unwrap();
    for (args, said) in [
        (["verify", "sums", "t"], &["sums", "line 2"][..]),
        (["verify", "latin1", "t"], &["latin1", "line 2", "UTF-8"]),
        (["verify", "no", "t"], &["no", "not found"]),
        (["verify", "good", "nowhere"], &["nowhere", "not found"]),
    ] {
        let ran = omni(dir.path(), &args);
        assert_ne!(ran.code, 0);
        for said in said {
            assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        }
    }
}
