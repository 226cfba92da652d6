//! A server that goes away and comes back.

use std::time::Duration;

use storage_core::{Backend, BackendExt, ReadOptions, WriteOptions};

use crate::server::{Server, prefix};
use crate::{path, pattern};

const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_is_ridden_out() {
    let Some(mut server) = Server::start(&DURABLE) else {
        return;
    };
    let builder = server.address.builder().prefix(prefix()).max_attempts(12);
    let backend = builder.open().await.unwrap();
    let content = pattern(20 << 20);
    let first = backend.put("large", content.clone()).await.unwrap();
    let mut reader = backend
        .reader(&path("large"), ReadOptions::default())
        .await
        .unwrap();
    let mut read = reader.chunk().await.unwrap().unwrap().to_vec();
    let mut writer = backend
        .writer(&path("new"), WriteOptions::default())
        .await
        .unwrap();
    writer
        .write_bytes(content[..9 << 20].to_vec().into())
        .await
        .unwrap();

    server.down();
    let up = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(300));
        server.up();
        server
    });
    writer
        .write_bytes(content[9 << 20..].to_vec().into())
        .await
        .unwrap();
    while let Some(chunk) = reader.chunk().await {
        read.extend_from_slice(&chunk.unwrap());
    }
    assert!(read == content);
    writer.finish().await.unwrap();
    let _server = up.await.unwrap();
    assert!(backend.get("new").await.unwrap() == content);
    assert_eq!(
        backend.open("large").await.unwrap().info().version,
        first.version
    );
    backend
        .put_if("large", "next", first.version)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_a_transient_failure_and_no_more() {
    let Some(mut server) = Server::start(&DURABLE) else {
        return;
    };
    let builder = server.address.builder().prefix(prefix()).max_attempts(2);
    let backend = builder.open().await.unwrap();
    backend.put("a", "old").await.unwrap();
    server.down();
    let error = backend.get("a").await.unwrap_err();
    assert!(error.is_transient() && !error.outcome_unknown(), "{error}");
    let error = backend.put("b", "x").await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    server.up();
    assert_eq!(backend.get("a").await.unwrap(), "old");
    backend.put("b", "x").await.unwrap();
}

/// A server that forgets everything: chunks sent before are missed, not published without.
#[tokio::test]
async fn a_server_that_forgot_what_was_staged_publishes_nothing() {
    let Some(mut server) = Server::start(&["--appendonly", "no"]) else {
        return;
    };
    let builder = server.address.builder().prefix(prefix());
    let backend = builder.open().await.unwrap();
    let mut writer = backend
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(pattern(9 << 20).into()).await.unwrap();
    writer.flush().await.unwrap();
    server.down();
    server.up();
    let error = writer.finish().await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(!backend.exists(&path("a")).await.unwrap());
}

#[tokio::test]
async fn a_server_without_memory_refuses_and_keeps_what_it_has() {
    let limits = [
        "--appendonly",
        "no",
        "--maxmemory",
        "24mb",
        "--maxmemory-policy",
        "noeviction",
    ];
    let Some(server) = Server::start(&limits) else {
        return;
    };
    let backend = server
        .address
        .builder()
        .prefix(prefix())
        .open()
        .await
        .unwrap();
    backend.put("a", "kept").await.unwrap();
    let error = backend.put("large", pattern(40 << 20)).await.unwrap_err();
    assert_eq!(
        error.kind(),
        storage_core::ErrorKind::QuotaExceeded,
        "{error}"
    );
    assert!(!error.is_transient() && !error.outcome_unknown());
    assert!(!backend.exists(&path("large")).await.unwrap());
    assert_eq!(backend.get("a").await.unwrap(), "kept");
    assert!(backend.delete(&path("a")).await.unwrap());
}
