use storage_conformance::Fresh;
use storage_core::{Backend, BackendExt, ExtendedBackend, Features};
use storage_faults::{Counting, Crash, Failing, Intercept, Masked, Point, Recording};
use storage_memory::MemoryBackend;

use crate::{Basic, cut};

/// With nothing to strike at, a stack of all faults is a backend like the one below.
mod contract {
    storage_conformance::conformance!(async { Ok(super::stack(super::MemoryBackend::new())) });
}

fn stack(store: MemoryBackend) -> Fresh {
    let stacked = |store: MemoryBackend| {
        let failing = Failing::nth(u64::MAX, Point::any(), cut);
        let masked = Masked::new(Features::NONE);
        let crash = Crash::never();
        Recording::new().over(crash.over(failing.over(masked.over(Counting::new().over(store)))))
    };
    let again = store.clone();
    Fresh::new(stacked(store)).reopen(move || std::future::ready(Ok(stacked(again.clone()))))
}

#[tokio::test]
async fn an_extended_part_is_there_only_where_the_inner_has_one() {
    let basic = Counting::new().over(Basic(MemoryBackend::new()));
    assert!(basic.as_extended().is_none());
    assert_eq!(basic.name(), "basic");
    assert!(
        basic
            .stat(&crate::path("a"))
            .await
            .unwrap_err()
            .is_unsupported()
    );
    assert_eq!(basic.features(), Features::NONE);

    let extended = Counting::new().over(MemoryBackend::new());
    let inner = extended.get_ref().features();
    assert_eq!(extended.extended().unwrap().features(), inner);
    let back: MemoryBackend = extended.into_inner();
    assert!(back.is_empty());
}
