//! NDJSON as its users see it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod decoding;
mod encoding;
mod layers;
mod pipeline;
mod python;
