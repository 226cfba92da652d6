//! Two-way synchronisation with a store whose listings have no modified times.

use std::fs;
use std::sync::Arc;

use omnistorage::memory::MemoryBackend;
use storage_s3_server::{S3Server, ServerOptions};

use crate::run::{omni, write};

#[test]
fn with_s3_edits_go_over_and_deletions_stay() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = ServerOptions::new("key", "secret").bucket("bucket");
    let store = Arc::new(MemoryBackend::builder().directories(false).build());
    let server = runtime.block_on(S3Server::start(store, options)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let endpoint = format!("endpoint={}", server.endpoint());
    let settings = ["bucket=bucket", &endpoint, "region=us-east-1"];
    let access = ["access_key_id=key", "secret_access_key=secret"];
    let create = ["config", "create", "far", "s3"];
    omni(dir, &[&create[..], &settings, &access].concat()).done();
    write(dir, &[("p1/a", "1"), ("p1/d/b", "1"), ("p1/c", "1")]);
    let run = |more: &[&str]| {
        let pair = ["bisync", "p1", "far:p2", "--workdir", "work", "--json"];
        omni(dir, &[&pair[..], more].concat()).done().summary()
    };
    run(&["--resync"]);
    for content in ["2", "3"] {
        // The same size, so that nothing but its tag tells the object from the one before.
        write(dir, &[("p1/a", content)]);
        fs::write(dir.join("new"), content).unwrap();
        omni(dir, &["copyto", "new", "far:p2/d/b"]).done();
        let summary = run(&[]);
        assert_eq!(summary["updated"], 2, "{summary}");
        assert_eq!(summary["created"], 0, "{summary}");
        assert_eq!(omni(dir, &["cat", "far:p2/a"]).done().stdout, content);
        assert_eq!(fs::read_to_string(dir.join("p1/d/b")).unwrap(), content);
    }
    fs::remove_file(dir.join("p1/a")).unwrap();
    omni(dir, &["rm", "far:p2/c"]).done();
    let summary = run(&["--force"]);
    assert_eq!(summary["deleted"], 2, "{summary}");
    assert_eq!(omni(dir, &["ls", "-R", "far:p2"]).done().stdout, "d/b\n");
    assert_eq!(omni(dir, &["ls", "-R", "p1"]).done().stdout, "d/\nd/b\n");
}
