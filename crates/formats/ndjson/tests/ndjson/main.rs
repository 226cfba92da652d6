//! NDJSON as its users see it.

mod decoding;
mod encoding;
mod layers;
mod pipeline;
mod python;
