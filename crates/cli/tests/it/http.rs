//! A web server as the source.

use std::fs;
use std::sync::Arc;

use omnistorage::BackendExt;
use omnistorage::memory::MemoryBackend;
use storage_static_server::StaticServer;

use crate::run::{omni, write};

#[test]
fn a_sync_follows_what_a_web_server_shows() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let site = MemoryBackend::builder().directories(false).build();
    let put = |name: &str, content: &'static str| {
        runtime.block_on(site.put(name, content)).unwrap();
    };
    put("a b/c#1", "one");
    put("a%20b", "two");
    put("top", "three");
    let server = StaticServer::start(Arc::new(site.clone()));
    let server = runtime.block_on(server).unwrap();
    let url = server.url();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, &[("copy/extra", "not there")]);
    let sync = || {
        let summary = omni(dir, &["sync", &url, "copy", "--json"])
            .done()
            .summary();
        ["created", "updated", "deleted"].map(|key| summary[key].as_u64().unwrap_or(0))
    };
    assert_eq!(sync(), [3, 0, 1]);
    let read = |name: &str| fs::read_to_string(dir.join("copy").join(name)).unwrap();
    assert_eq!(read("a b/c#1"), "one");
    assert_eq!(read("a%20b"), "two");
    assert_eq!(sync(), [0, 0, 0]);

    put("top", "another");
    assert!(runtime.block_on(site.remove("a%20b")).unwrap());
    assert_eq!(sync(), [0, 1, 1]);
    assert_eq!(read("top"), "another");

    // Nothing is written there, and a server that does not answer is not an empty one.
    write(dir, &[("copy/new", "x")]);
    assert_ne!(omni(dir, &["sync", "copy", &url]).code, 0);
    drop(server);
    assert_ne!(omni(dir, &["sync", &url, "copy"]).code, 0);
    assert_eq!(read("top"), "another");
}
