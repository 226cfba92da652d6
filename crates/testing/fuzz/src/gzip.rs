//! gzip.

use storage_compression::Level;
use storage_gzip::{DecodeOptions, EncodeOptions};

use crate::codec;

/// Checks decoder and encoder, at a fast level.
///
/// # Panics
/// When one of them breaks a promise.
pub fn check(data: &[u8]) {
    let fastest = EncodeOptions::default().level(Level::Fastest);
    let encoder = || fastest.encoder().expect("the level is there");
    codec::check(
        data,
        encoder,
        || DecodeOptions::default().decoder(),
        |_| false,
    );
}
