//! Nothing that the program prints or writes has a secret in it, at the most verbose level.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use omnistorage::memory::MemoryBackend;
use storage_s3_server::{S3Server, ServerOptions};

use crate::run::{program, write};

/// The secret of the server. What no output may contain is its beginning, which survives any escaping.
const SECRET: &str = "hushhush/secret+key";
const MARK: &str = "hushhush";

/// Runs the program with everything asked for that could make it say more.
fn run(dir: &Path, args: &[&str]) -> (i32, String) {
    let output = program(dir)
        .args(args)
        .envs([
            ("AWS_ACCESS_KEY_ID", "access-key"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("RUST_LOG", "trace"),
            ("RUST_BACKTRACE", "1"),
        ])
        .env("HOME", dir)
        .stdin(Stdio::null())
        .output()
        .expect("omni runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!said.contains(MARK), "{args:?} told a secret: {said}");
    (output.status.code().unwrap_or(-1), said)
}

#[track_caller]
fn done(dir: &Path, args: &[&str]) -> String {
    let (code, said) = run(dir, args);
    assert_eq!(code, 0, "{args:?}: {said}");
    said
}

/// Requires that no file below the folder has the secret, but for the one that is there to have it.
fn assert_not_written(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_not_written(&path);
        } else if !path.ends_with("omni/config.toml") {
            let content = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&content);
            assert!(!text.contains(MARK), "{} has a secret", path.display());
        }
    }
}

#[test]
fn no_output_has_a_secret_in_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = ServerOptions::new("access-key", SECRET).bucket("bucket");
    let store = Arc::new(MemoryBackend::builder().directories(false).build());
    let server = runtime.block_on(S3Server::start(store, options)).unwrap();
    let endpoint = server.endpoint();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, &[("src/a", "1"), ("src/b/c", "22"), ("src/b/d", "")]);

    let at = format!("endpoint={endpoint}");
    let secret = format!("secret_access_key={SECRET}");
    let settings = [
        "bucket=bucket",
        &at,
        "region=us-east-1",
        "access_key_id=access-key",
        &secret,
    ];
    done(
        dir,
        &[&["config", "create", "far", "s3"], &settings[..]].concat(),
    );
    let shown = done(dir, &["config", "show"]) + &done(dir, &["config", "show", "far", "--json"]);
    assert!(
        shown.contains("access_key_id") && shown.contains(&endpoint),
        "{shown}"
    );

    done(dir, &["-vv", "sync", "src", "far:a"]);
    done(dir, &["-vv", "--json", "sync", "src", "far:b"]);
    let uri = format!("s3://bucket/a?endpoint={endpoint}&region=us-east-1");
    done(dir, &["-vv", "check", "--combined", "report", "src", &uri]);
    done(
        dir,
        &[
            "-vv",
            "plan",
            "--output",
            "planned",
            "far:b",
            &format!("{uri}&max_attempts=2"),
        ],
    );
    let full = format!("{uri}&access_key_id=access-key&secret_access_key=hushhush%2Fsecret%2Bkey");
    done(dir, &["-vv", "ls", &full]);
    done(dir, &["-vv", "--json", "sync", "--dry-run", "src", &full]);
    assert_failures(dir, &endpoint);
    assert_not_written(dir);
}

/// What goes wrong is told without the secret that it went wrong with.
fn assert_failures(dir: &Path, endpoint: &str) {
    let uri = |settings: &str| format!("s3://bucket/a?endpoint={endpoint}&{settings}");
    for place in [
        uri("access_key_id=access-key&secret_access_key=hushhush-wrong"),
        uri("secret_access_key=hushhush"),
        uri("session_token=hushhush&nonsense=1"),
        uri("secret_acces_key=hushhush"),
        "s3://access-key:hushhush@bucket/a".to_owned(),
        "s3://bucket/a?endpoint=http://someone:hushhush@127.0.0.1:1/&max_attempts=1".to_owned(),
    ] {
        for args in [
            &["-vv", "ls", &place][..],
            &["-vv", "--json", "sync", "src", &place],
        ] {
            let (code, said) = run(dir, args);
            assert_ne!(code, 0, "{args:?}: {said}");
        }
    }
}
