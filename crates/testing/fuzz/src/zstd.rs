//! Zstandard.

use storage_compression::Level;
use storage_zstd::{DecodeOptions, EncodeOptions};

use crate::codec;

/// Checks decoder and encoder, at a fast level, and with windows of at most 1 MiB.
///
/// # Panics
/// When one of them breaks a promise.
pub fn check(data: &[u8]) {
    let fastest = EncodeOptions::default().level(Level::Fastest);
    let encoder = || fastest.clone().encoder().expect("the level is there");
    let small = DecodeOptions::default().max_window_log(20);
    let decoder = || small.clone().decoder().expect("there is memory");
    codec::check(data, encoder, decoder, |_| false);
}
