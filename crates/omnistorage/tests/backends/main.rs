//! What holds of all backends together: a tree goes from each to every other one and comes back as it
//! was, and none tells its secrets.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod secrets;
mod stores;
mod syncing;
mod trees;
