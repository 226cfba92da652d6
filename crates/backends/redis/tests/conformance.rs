//! The contract's conformance suite against a real server, each rule below a prefix of its own.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "redis/server.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod server;

use storage_conformance::{Fresh, Suite};
use storage_core::Result;
use storage_redis::RedisBackend;

use server::{Address, Raw, prefix, shared};

async fn open(address: Address, prefix: String) -> Result<RedisBackend> {
    address.builder().prefix(prefix).open().await
}

/// A backend below a new prefix, which the suite may open again, open twice and look into.
async fn fresh(address: Address) -> Result<Fresh> {
    let prefix = prefix();
    let again = (address.clone(), prefix.clone());
    let second = again.clone();
    let backend = open(address.clone(), prefix.clone()).await?;
    Ok(Fresh::new(backend)
        .reopen(move || open(again.0.clone(), again.1.clone()))
        .second(move || open(second.0.clone(), second.1.clone()))
        .residue(move || std::future::ready(Ok(staged(&address, &prefix)))))
}

/// The chunks that were never published: they are to stay for an hour, which those of replaced
/// objects are not.
fn staged(address: &Address, prefix: &str) -> Vec<String> {
    let mut raw = Raw::connect(address);
    let keys = raw.keys(&format!("{{{prefix}}}:c:*"));
    keys.into_iter()
        .filter(|key| raw.number(&["PTTL", key]) > 120_000)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms() {
    let Some(address) = shared() else {
        return;
    };
    let report = Suite::new(move || fresh(address.clone())).run().await;
    println!("{report}");
    report.assert_conforming();
}
