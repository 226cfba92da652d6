//! Trees that are compressed or decompressed on the way.

use crate::run::{omni, write};

#[test]
fn a_tree_goes_compressed_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let text = "the same again and again ".repeat(1000);
    write(
        path,
        &[
            ("plain/a.txt", &text),
            ("plain/d/b", "short"),
            ("plain/c.gz", "left alone"),
        ],
    );
    let there = ["plain", "packed", "--compress", "zstd:19"];
    omni(path, &[&["sync"][..], &there].concat()).done();
    let size = std::fs::metadata(path.join("packed/a.txt.zst"))
        .unwrap()
        .len();
    assert!(size < 200, "{size}");
    assert!(path.join("packed/d/b.zst").exists() && path.join("packed/c.gz").exists());
    let again = omni(path, &[&["sync", "--json"][..], &there].concat()).done();
    assert_eq!(
        (&again.summary()["bytes"], &again.summary()["skipped"]),
        (&0.into(), &3.into())
    );
    omni(path, &[&["check"][..], &there].concat()).done();
    std::fs::remove_file(path.join("packed/c.gz")).unwrap();
    omni(path, &["copy", "packed", "back", "--decompress"]).done();
    assert_eq!(
        std::fs::read_to_string(path.join("back/a.txt")).unwrap(),
        text
    );
    assert_eq!(
        std::fs::read_to_string(path.join("back/d/b")).unwrap(),
        "short"
    );
}

#[test]
fn what_cannot_be_recoded_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    write(path, &[("plain/a", "1"), ("plain/sums", "")]);
    let refused = |args: &[&str], word: &str| {
        let ran = omni(path, args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(word), "{args:?}: {}", ran.stderr);
    };
    refused(&["sync", "plain", "out", "--compress", "auto"], "say which");
    refused(
        &["sync", "plain", "out", "--compress", "snappy:3"],
        "no compression levels",
    );
    refused(
        &[
            "sync",
            "plain",
            "out",
            "--compress",
            "zstd",
            "--exclude",
            "*.log",
        ],
        "filter",
    );
    refused(
        &["copyto", "plain/a", "out", "--compress", "zstd"],
        "omni convert",
    );
    refused(
        &["check", "plain/sums", "plain", "-C", "md5", "--decompress"],
        "omni convert",
    );
    refused(
        &[
            "plan",
            "sync",
            "plain",
            "plain2",
            "--compress",
            "zstd",
            "-o",
            "p",
        ],
        "plan",
    );
    assert!(!path.join("out/a.zst").exists());
}
