//! What goes beyond the contract: faults of the service, opening, costs, what others wrote.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "gcs/doubts.rs"]
mod doubts;
#[path = "gcs/faults.rs"]
mod faults;
#[path = "gcs/interplay.rs"]
mod interplay;
#[path = "gcs/opening.rs"]
mod opening;
#[path = "gcs/secrets.rs"]
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use storage_core::Bytes;
use storage_gcs::{GcsBackend, GcsBuilder};
use storage_gcs_emulator::Emulator;

const BUCKET: &str = "bucket";
/// The smallest part.
const PART: usize = 256 << 10;

/// A backend over an emulator, with small parts and little patience.
fn builder(emulator: &Emulator) -> GcsBuilder {
    GcsBackend::builder(BUCKET)
        .endpoint(emulator.endpoint())
        .anonymous()
        .part_size(PART as u64)
        .timeout(Duration::from_secs(2))
}

async fn open() -> (Arc<Emulator>, GcsBackend) {
    let emulator = Emulator::start().await.unwrap();
    emulator.create_bucket(BUCKET);
    let backend = builder(&emulator).open().await.unwrap();
    (Arc::new(emulator), backend)
}

/// Bytes that differ from place to place.
fn pattern(len: usize) -> Bytes {
    let mut state = 0x9E37_79B9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}
