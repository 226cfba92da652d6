//! The contract's conformance suite, with directories and without.

use storage_conformance::Fresh;
use storage_core::{BackendExt, ListOptions, Prefix, Result};
use storage_memory::MemoryBackend;

/// A new store that the suite may open again, open twice and look into.
fn fresh(backend: MemoryBackend) -> Fresh {
    let [again, second, inside] = [backend.clone(), backend.clone(), backend.clone()];
    Fresh::new(backend)
        .reopen(move || std::future::ready(Ok(again.clone())))
        .second(move || std::future::ready(Ok(second.clone())))
        .residue(move || held_bytes(inside.clone()))
}

/// Bytes in the budget that belong to no object: what an unfinished writer would hold.
async fn held_bytes(backend: MemoryBackend) -> Result<Vec<String>> {
    let options = ListOptions::default().recursive(true);
    let objects = backend.entries(Prefix::root(), options).collect().await?;
    let sizes: u64 = objects.iter().filter_map(|info| info.size).sum();
    let held = backend.total_bytes() - sizes;
    Ok(Vec::from_iter((held > 0).then(|| format!("{held} bytes"))))
}

mod hierarchical {
    storage_conformance::conformance!(async { Ok(super::fresh(super::MemoryBackend::new())) });
}

mod flat {
    storage_conformance::conformance!(async {
        Ok(super::fresh(
            super::MemoryBackend::builder().directories(false).build(),
        ))
    });
}
