//! Two places of one bucket, or on one remote: the store copies, and nothing comes here.

use std::sync::Arc;

use omnistorage::memory::MemoryBackend;
use storage_s3_server::{S3Server, ServerOptions};

use crate::run::{omni, write};

#[test]
fn the_store_itself_copies_within_a_bucket_and_a_remote() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = ServerOptions::new("key", "secret").bucket("bucket");
    let store = Arc::new(MemoryBackend::builder().directories(false).build());
    let server = runtime.block_on(S3Server::start(store, options)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let content = "0123456789abcdef".repeat(64 << 10);
    write(dir, &[("a/one", &content), ("a/d/two", &content)]);
    let query = format!(
        "endpoint={}&region=us-east-1&access_key_id=key&secret_access_key=secret",
        server.endpoint()
    );
    let place = |path: &str| format!("s3://bucket/{path}?{query}");
    let endpoint = format!("endpoint={}", server.endpoint());
    let settings = [
        "bucket=bucket",
        "prefix=deep",
        "region=us-east-1",
        &endpoint,
    ];
    let access = ["access_key_id=key", "secret_access_key=secret"];
    let create = ["config", "create", "far", "s3"];
    omni(dir, &[&create[..], &settings, &access].concat()).done();
    omni(dir, &["copy", "a", &place("deep/x")]).done();
    // What comes here would take a quarter of an hour.
    let limited = |verb: &str, from: &str, to: &str| {
        let words = [verb, from, to, "--bwlimit", "2k", "--json"];
        omni(dir, &words).done().summary()
    };
    let from = place("deep/x");
    assert_eq!(limited("copy", &from, &place("deep/y"))["created"], 2);
    assert_eq!(limited("sync", &from, &place("other"))["created"], 2);
    let one = place("deep/x/one");
    assert_eq!(limited("copyto", &one, &place("deep/z/1"))["created"], 1);
    assert_eq!(limited("copy", "far:x", "far:w")["created"], 2);
    let moved = limited("move", &place("other"), &place("moved"));
    assert_eq!(
        moved["created"].as_u64().max(moved["renamed"].as_u64()),
        Some(2)
    );
    let listed = omni(dir, &["ls", "-R", &place("")]).done().stdout;
    let names = ["deep/w", "deep/x", "deep/y", "moved"];
    for name in names {
        for object in ["d/two", "one"] {
            assert!(listed.contains(&format!("{name}/{object}\n")), "{listed}");
        }
    }
    assert!(
        listed.contains("deep/z/1\n") && !listed.contains("other/"),
        "{listed}"
    );
    assert_eq!(
        omni(dir, &["cat", &place("deep/w/d/two")]).done().stdout,
        content
    );
}

#[test]
fn trees_of_one_bucket_that_overlap_are_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = ServerOptions::new("key", "secret").bucket("bucket");
    let store = Arc::new(MemoryBackend::builder().directories(false).build());
    let server = runtime.block_on(S3Server::start(store, options)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let query = format!(
        "endpoint={}&region=us-east-1&access_key_id=key&secret_access_key=secret",
        server.endpoint()
    );
    let place = |path: &str| format!("s3://bucket/{path}?{query}");
    for (from, to) in [("x", "x/y"), ("x/y", "x"), ("", "x")] {
        let run = omni(dir.path(), &["copy", &place(from), &place(to)]);
        assert!(run.stderr.contains("overlap"), "{}", run.stderr);
    }
}
