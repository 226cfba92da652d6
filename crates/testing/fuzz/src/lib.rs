//! What each fuzz target checks. A target never panics, whatever the bytes; beyond that it holds
//! that chunk boundaries change nothing, that what is written comes back, and that damage is an
//! error behind an intact prefix.
//!
//! The last bytes of an input say how to cut it and which options to use, so that the rest is a file
//! of the format: real files make good corpora.
//!
//! `cargo xtask fuzz` builds and runs the targets with a stable compiler. With cargo-fuzz:
//! `cargo fuzz run --sanitizer none --fuzz-dir crates/testing/fuzz ndjson`.

mod codec;
mod cuts;

pub mod csv;
pub mod gzip;
pub mod length_prefixed;
pub mod ndjson;
pub mod snappy;
pub mod zstd;
