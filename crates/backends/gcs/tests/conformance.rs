//! The contract's conformance suite against the emulator, with credentials and without.

use std::sync::Arc;

use storage_conformance::{Fresh, Suite};
use storage_core::Result;
use storage_gcs::{GcsBackend, GcsBuilder};
use storage_gcs_emulator::Emulator;

const BUCKET: &str = "conformance";

/// Parts are small, so that objects of the suite are uploaded and read in several.
fn builder(emulator: &Emulator) -> GcsBuilder {
    GcsBackend::builder(BUCKET)
        .endpoint(emulator.endpoint())
        .anonymous()
        .part_size(256 << 10)
}

async fn fresh(settings: fn(&Emulator) -> GcsBuilder) -> Result<Fresh> {
    let emulator = Arc::new(Emulator::start().await?);
    emulator.create_bucket(BUCKET);
    let backend = settings(&emulator).open().await?;
    let open = {
        let emulator = Arc::clone(&emulator);
        move || settings(&emulator).open()
    };
    Ok(Fresh::new(backend)
        .reopen(open.clone())
        .second(open)
        .keep(emulator))
}

fn suite(settings: fn(&Emulator) -> GcsBuilder) -> Suite {
    Suite::new(move || fresh(settings)).large(2 << 20)
}

mod anonymous {
    storage_conformance::conformance!(suite = super::suite(super::builder));
}
