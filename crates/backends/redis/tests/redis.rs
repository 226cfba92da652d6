//! What the Redis backend promises beyond the contract's conformance suite, against real servers.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "redis/content.rs"]
mod content;
#[path = "redis/expiry.rs"]
mod expiry;
#[path = "redis/failing.rs"]
mod failing;
#[path = "redis/listing.rs"]
mod listing;
#[path = "redis/memory.rs"]
mod memory;
#[path = "redis/opening.rs"]
mod opening;
#[path = "redis/repeating.rs"]
mod repeating;
#[path = "redis/restarts.rs"]
mod restarts;
#[path = "redis/secrets.rs"]
mod secrets;
#[path = "redis/server.rs"]
mod server;
#[path = "redis/speed.rs"]
mod speed;

use storage_core::ObjectPath;
use storage_redis::RedisBackend;

use server::{Address, Raw, prefix, shared};

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// A backend below a prefix of its own on the shared server, and a look behind it; nothing, visibly,
/// where there is no server.
async fn fresh() -> Option<(RedisBackend, Raw, String)> {
    let address: Address = shared()?;
    let prefix = prefix();
    let backend = address.builder().prefix(&prefix).open().await.unwrap();
    Some((backend, Raw::connect(&address), prefix))
}
