//! The server as a client sees it, by a client of these tests' own.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing fails")]

mod server {
    mod access;
    mod client;
    mod conditions;
    mod copies;
    mod listings;
    mod objects;
    mod uploads;
}
