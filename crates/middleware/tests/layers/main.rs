//! What each layer promises beyond the contract.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod bandwidth;
mod breaker;
mod cache;
mod concurrency;
mod encryption;
mod measure;
mod orders;
mod prefix;
mod read_only;
mod retry;
mod timeout;
mod trace;

use storage_core::{Error, ErrorKind, ObjectPath};

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

fn cut() -> Error {
    Error::new(ErrorKind::Network, "the cable was cut")
}
