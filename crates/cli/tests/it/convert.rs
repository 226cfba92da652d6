//! Converting between formats and compressions.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{fails, omni, omni_with_input, write};

const RECORDS: &str = r#"{"name":"Ann","age":7}
{"name":"a \"b\", c\nd","age":1e3}
{"name":"","age":true}
"#;

const CSV: &str = "name,age\nAnn,7\n\"a \"\"b\"\", c\nd\",1e3\n\"\"\"\"\"\",true\n";

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn every_format_and_compression_converts_there_and_back() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("in.ndjson", RECORDS)]);
    let names = [
        "a.csv",
        "b.lp.gz",
        "c.tsv.zst",
        "d.jsonl.sz",
        "e.lp",
        "f.csv.gz",
        "g.ndjson",
    ];
    let mut from = "in.ndjson";
    for name in names {
        omni(dir.path(), &["convert", from, name]).done();
        from = name;
    }
    assert_eq!(fs::read_to_string(dir.path().join("a.csv")).unwrap(), CSV);
    assert_eq!(
        fs::read_to_string(dir.path().join("g.ndjson")).unwrap(),
        RECORDS
    );
    for (name, magic) in [
        ("b.lp.gz", &b"\x1f\x8b"[..]),
        ("c.tsv.zst", b"\x28\xb5\x2f\xfd"),
        ("d.jsonl.sz", b"\xff\x06\0\0sNaPpY"),
        ("e.lp", b"\x16{"),
    ] {
        assert!(
            fs::read(dir.path().join(name)).unwrap().starts_with(magic),
            "{name}"
        );
    }
}

#[test]
fn standard_input_and_output_need_a_format_and_detect_the_compression() {
    let dir = tempfile::tempdir().unwrap();
    let ran = omni_with_input(
        dir.path(),
        &["convert", "-", "-", "--from", "ndjson", "--to", "csv"],
        RECORDS.as_bytes(),
    );
    assert_eq!(ran.done().stdout, CSV);
    omni_with_input(
        dir.path(),
        &["convert", "-", "a.csv.gz", "--from", "jsonl"],
        RECORDS.as_bytes(),
    )
    .done();
    let gzip = fs::read(dir.path().join("a.csv.gz")).unwrap();
    let ran = omni_with_input(
        dir.path(),
        &["convert", "-", "-", "--from", "csv", "--to", "ndjson"],
        &gzip,
    );
    assert_eq!(ran.done().stdout, RECORDS);
    let ran = omni_with_input(dir.path(), &["convert", "-", "-"], &gzip);
    assert_eq!(ran.done().stdout, CSV);
    let ran = omni_with_input(dir.path(), &["convert", "-", "a.csv"], CSV.as_bytes());
    fails(&ran, 2, &["\"-\"", "SRC", "--from"]);
    let ran = omni_with_input(dir.path(), &["convert", "--json", "-", "-"], b"");
    assert_eq!(ran.code, 2);
}

#[test]
fn a_change_of_the_compression_alone_keeps_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    // Neither is what the formats would write.
    let odd = "a;b\r\n\"1\";2\r\n";
    write(
        dir.path(),
        &[("a.csv", odd), ("b.txt", odd), ("c.ndjson", "{ }\n\n1")],
    );
    for (from, to) in [
        ("a.csv", "a.csv.gz"),
        ("a.csv.gz", "b.csv.zst"),
        ("b.csv.zst", "c.csv"),
    ] {
        omni(dir.path(), &["convert", from, to]).done();
    }
    assert_eq!(fs::read_to_string(dir.path().join("c.csv")).unwrap(), odd);
    omni(dir.path(), &["convert", "b.txt", "b.txt.sz"]).done();
    assert_eq!(omni(dir.path(), &["cat", "b.txt.sz"]).done().stdout, odd);
    omni(
        dir.path(),
        &["convert", "c.ndjson", "c.jsonl.zst", "--level", "19"],
    )
    .done();
    assert_eq!(
        omni(dir.path(), &["cat", "c.jsonl.zst"]).done().stdout,
        "{ }\n\n1"
    );
    // An object may be replaced by what it becomes.
    omni(
        dir.path(),
        &["convert", "a.csv", "a.csv", "--delimiter", ";"],
    )
    .done();
    assert_eq!(
        fs::read_to_string(dir.path().join("a.csv")).unwrap(),
        "a,b\n1,2\n"
    );
}

#[test]
fn a_failure_names_the_place_and_leaves_the_destination_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("cut.csv", "a,b\n1,2\n\"3"),
            ("ragged.csv", "a,b\n1,2\n3\n"),
            ("other.ndjson", "{\"a\":1}\n{\"b\":2}\n"),
            ("good.ndjson", "{\"a\":1}\n"),
            ("broken.ndjson", "{\"a\":1}\n{\"a\":\n"),
            ("old.ndjson", "old"),
            ("old.csv", "old"),
            ("cut.lp", "\u{5}ab"),
            ("text.lp", "\u{2}ab"),
            ("not.csv.gz", "a,b\n"),
        ],
    );
    let before = names(dir.path());
    for (from, to, texts) in [
        ("cut.csv", "old.ndjson", ["\"cut.csv\"", "line 3"]),
        ("ragged.csv", "old.ndjson", ["\"ragged.csv\"", "line 3"]),
        ("ragged.csv", "new.ndjson", ["\"ragged.csv\"", "line 3"]),
        ("other.ndjson", "old.csv", ["\"old.csv\"", "record 2"]),
        ("broken.ndjson", "new.csv", ["\"new.csv\"", "record 2"]),
        ("cut.lp", "new.ndjson", ["\"cut.lp\"", "record 1 at byte 0"]),
        ("text.lp", "new.ndjson", ["\"new.ndjson\"", "record 1"]),
        (
            "not.csv.gz",
            "new.ndjson",
            ["\"not.csv.gz\"", "compressed byte"],
        ),
    ] {
        fails(&omni(dir.path(), &["convert", from, to]), 1, &texts);
    }
    fails(
        &omni(dir.path(), &["convert", "missing.csv", "new.ndjson"]),
        4,
        &["\"missing.csv\""],
    );
    let exists = omni(
        dir.path(),
        &["convert", "good.ndjson", "old.csv", "--immutable"],
    );
    fails(&exists, 1, &["already exists"]);
    assert_eq!(names(dir.path()), before);
    for name in ["old.ndjson", "old.csv"] {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), "old");
    }
}

#[test]
fn options_shape_the_one_side_that_has_them() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("in.csv", "1;'x''y'\n007\n")]);
    let convert = |args: &[&str]| omni(dir.path(), &[&["convert"], args].concat());
    let source = [
        "in.csv",
        "-",
        "--to",
        "ndjson",
        "--delimiter",
        ";",
        "--quote",
        "'",
        "--ragged",
    ];
    let rows = convert(&[&source[..], &["--no-header"]].concat())
        .done()
        .stdout;
    assert_eq!(rows, "[1,\"x'y\"]\n[\"007\"]\n");
    let named = convert(
        &[
            &source[..],
            &["--no-header", "--columns", "a,b", "--text-cells"],
        ]
        .concat(),
    );
    assert_eq!(
        named.done().stdout,
        "{\"a\":\"1\",\"b\":\"x'y\"}\n{\"a\":\"007\"}\n"
    );

    write(dir.path(), &[("in.ndjson", "{\"a\":1,\"b\":\"x y\"}\n")]);
    let destination = ["in.ndjson", "-", "--to", "csv"];
    let written = convert(
        &[
            &destination[..],
            &["--delimiter", "tab", "--crlf", "--columns", "b,a"],
        ]
        .concat(),
    );
    assert_eq!(written.done().stdout, "b\ta\r\nx y\t1\r\n");
    let strings = convert(
        &[
            &destination[..],
            &["--text-cells", "--escape", "\\", "--delimiter", " "],
        ]
        .concat(),
    );
    assert_eq!(strings.done().stdout, "a b\n1 \"x y\"\n");

    convert(&["in.ndjson", "a.lp", "--prefix", "u32be", "--crc32c"]).done();
    assert!(
        fs::read(dir.path().join("a.lp"))
            .unwrap()
            .starts_with(b"\0\0\0\x11{")
    );
    let back = convert(&[
        "a.lp", "-", "--to", "ndjson", "--prefix", "u32be", "--crc32c",
    ]);
    assert_eq!(back.done().stdout, "{\"a\":1,\"b\":\"x y\"}\n");

    for (args, text) in [
        (
            &["in.ndjson", "a.lp", "--delimiter", ";"][..],
            "neither SRC nor DST is CSV",
        ),
        (
            &["in.ndjson", "a.csv", "--crc32c"],
            "neither SRC nor DST is",
        ),
        (&["in.ndjson", "a.csv", "--level", "3"], "--level"),
        (
            &["in.ndjson", "a.csv.sz", "--level", "3"],
            "no compression levels",
        ),
        (
            &["in.ndjson", "a.csv.gz", "--level", "10"],
            "between 0 and 9",
        ),
        (&["in.ndjson", "a"], "--to"),
        (
            &["in.ndjson", "a.csv", "--to", "xml"],
            "known are ndjson, csv",
        ),
        (
            &["in.ndjson", "a.csv", "--quote", ",,"],
            "one ASCII character",
        ),
        (&["in.ndjson", "a.csv", "--quote", ","], "must differ"),
    ] {
        fails(&convert(args), 2, &[text]);
    }
    assert!(!dir.path().join("a.csv").exists());
}

#[test]
fn limits_stop_bombs_and_long_records() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("1\n\"{}\"\n", "x".repeat(5000));
    write(dir.path(), &[("a.ndjson", &long)]);
    let refused = omni(
        dir.path(),
        &["convert", "a.ndjson", "b.lp", "--max-record", "4Ki"],
    );
    fails(&refused, 1, &["\"a.ndjson\"", "line 2"]);
    omni(
        dir.path(),
        &["convert", "a.ndjson", "b.lp", "--max-record", "5Ki"],
    )
    .done();
    omni(dir.path(), &["convert", "a.ndjson", "bomb.ndjson.gz"]).done();
    let bomb = omni(
        dir.path(),
        &[
            "convert",
            "bomb.ndjson.gz",
            "c.ndjson",
            "--max-output",
            "5000B",
        ],
    );
    fails(&bomb, 1, &["bomb.ndjson.gz", "more than 5000 bytes"]);
    assert_eq!(names(dir.path()), ["a.ndjson", "b.lp", "bomb.ndjson.gz"]);
}

#[test]
fn convert_tells_programs_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("in.ndjson", RECORDS)]);
    let convert = || omni(dir.path(), &["convert", "--json", "in.ndjson", "out.csv"]).done();
    let objects = convert().objects();
    assert_eq!(
        (&objects[0]["event"], &objects[0]["records"]),
        (&"converted".into(), &3.into())
    );
    assert_eq!(objects[1]["created"], 1);
    assert_eq!(convert().summary()["updated"], 1);
}

#[test]
fn a_reader_that_goes_away_ends_convert_without_noise() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("a.csv", &format!("a\n{}", "1234567\n".repeat(200_000)))],
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_omni"))
        .args(["convert", "a.csv", "-", "--to", "ndjson"])
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}
