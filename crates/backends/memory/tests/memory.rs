//! What the memory backend promises beyond the contract's conformance suite.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used)]

#[path = "memory/budget.rs"]
mod budget;
#[path = "memory/content.rs"]
mod content;
#[path = "memory/listing.rs"]
mod listing;
#[path = "memory/names.rs"]
mod names;
#[path = "memory/opening.rs"]
mod opening;

use storage_core::ObjectPath;

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}
