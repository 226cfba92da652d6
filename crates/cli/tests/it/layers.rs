//! Compressions in `cat` and `put`, and other programs on the other side.

use std::fs;
use std::process::{Command, Stdio};

use crate::run::{fails, omni, omni_with_input};

#[test]
fn cat_decompresses_what_name_or_first_bytes_tell() {
    let dir = tempfile::tempdir().unwrap();
    let text = "one two three four";
    let put = |name: &str, compress: &str| {
        omni_with_input(
            dir.path(),
            &["put", name, "--compress", compress],
            text.as_bytes(),
        )
        .done();
    };
    put("a.gz", "gzip");
    put("a.zst", "auto");
    put("a.txt", "snappy");
    put("plain.txt", "auto");
    let cat = |args: &[&str]| omni(dir.path(), &[&["cat"], args].concat());
    for name in ["a.gz", "a.zst", "a.txt", "plain.txt"] {
        assert_eq!(cat(&[name]).done().stdout, text);
        assert_eq!(
            cat(&[name, "--offset", "4", "--count", "3"]).done().stdout,
            "two"
        );
        assert_eq!(cat(&[name, "--offset", "14"]).done().stdout, "four");
        assert_eq!(cat(&[name, "--offset", "99"]).done().stdout, "");
        assert_eq!(cat(&[name, "--tail", "4"]).done().stdout, "four");
        assert_eq!(cat(&[name, "--tail", "99"]).done().stdout, text);
    }
    assert_eq!(
        cat(&["a.gz", "a.zst"]).done().stdout,
        format!("{text}{text}")
    );
    let raw = fs::read(dir.path().join("a.gz")).unwrap();
    assert_eq!(
        omni_with_input(dir.path(), &["cat", "-"], &raw)
            .done()
            .stdout,
        text
    );
    let first = cat(&["plain.txt", "--raw", "--count", "3"]).done().stdout;
    assert_eq!(first, "one");
    let stored = Command::new(env!("CARGO_BIN_EXE_omni"))
        .args(["cat", "--raw", "a.gz"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(stored.stdout, raw);
    fs::write(dir.path().join("cut.gz"), &raw[..raw.len() - 1]).unwrap();
    fails(
        &cat(&["cut.gz", "a.gz"]),
        1,
        &["cut.gz", "ends too early", "--raw"],
    );
}

#[test]
fn put_compresses_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let put = |args: &[&str]| omni_with_input(dir.path(), &[&["put"], args].concat(), b"text");
    put(&["a.gz"]).done();
    assert_eq!(fs::read(dir.path().join("a.gz")).unwrap(), b"text");
    put(&["b", "--compress", "zstd:19"]).done();
    put(&["--append", "b", "--compress", "zstd"]).done();
    assert_eq!(omni(dir.path(), &["cat", "b"]).done().stdout, "texttext");
    // The size is that of the input.
    put(&["c", "--compress", "gzip:best", "--size", "4"]).done();
    fails(
        &put(&["d", "--compress", "gzip", "--size", "5"]),
        1,
        &["\"d\"", "4 bytes instead of 5"],
    );
    for (wrong, text) in [
        ("xz", "known are gzip, zstd, snappy"),
        ("gzip:10", "between 0 and 9"),
        ("snappy:1", "no compression levels"),
        ("gzip:", "a compression level is"),
    ] {
        fails(&put(&["d", "--compress", wrong]), 2, &[text]);
    }
    assert!(!dir.path().join("d").exists());
}

/// Writes compressed CSV, and reads what `omni` makes of it.
const PEERS: &str = "import csv, gzip, io, json, subprocess, sys
rows = [{'n': i, 'text': 'a \"b\", c\\n' * (i % 5) + str(i) + 'é'} for i in range(3000)]
with gzip.open('in.csv.gz', 'wt', newline='', encoding='utf-8') as file:
    writer = csv.DictWriter(file, ['n', 'text'], lineterminator='\\n')
    writer.writeheader()
    writer.writerows(rows)
def omni(*args):
    subprocess.run([sys.argv[1], 'convert', *args], check=True)
def output(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE).stdout.decode('utf-8')
omni('in.csv.gz', 'out.ndjson.zst')
lines = output('zstd', '-dc', 'out.ndjson.zst').splitlines()
assert [json.loads(line) for line in lines] == rows
omni('out.ndjson.zst', 'out.tsv.gz')
text = output('gzip', '-dc', 'out.tsv.gz')
back = list(csv.DictReader(io.StringIO(text, newline=''), delimiter='\\t'))
assert [(int(row['n']), row['text']) for row in back] == [(row['n'], row['text']) for row in rows]
";

#[test]
fn layers_go_to_gzip_zstd_and_python_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let there = ["python3", "gzip", "zstd"].map(|program| {
        let mut version = Command::new(program);
        version
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    });
    if there.contains(&false) {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "CI needs these programs"
        );
        eprintln!("SKIPPED: python3, gzip and zstd are needed");
        return;
    }
    let output = Command::new("python3")
        .args(["-c", PEERS, env!("CARGO_BIN_EXE_omni")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
