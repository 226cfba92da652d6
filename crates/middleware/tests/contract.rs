//! Every layer keeps the contract, over a store in memory and some over files.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use storage_conformance::Fresh;
use storage_core::{Backend, Prefix};
use storage_memory::MemoryBackend;
use storage_middleware::bandwidth::{Bandwidth, BandwidthLimit};
use storage_middleware::breaker::CircuitBreaker;
use storage_middleware::concurrency::ConcurrencyLimit;
use storage_middleware::measure::Metrics;
use storage_middleware::prefix::Prefixed;
use storage_middleware::retry::Retry;
use storage_middleware::timeout::Timeout;
use storage_middleware::trace::Trace;
use storage_middleware::{Layer, LayerExt};

/// A new store with a layer over it, which the suite may open again and open twice.
fn over<L>(layer: impl Fn() -> L + Clone + Send + Sync + 'static) -> Fresh
where
    L: Layer<MemoryBackend>,
{
    let store = MemoryBackend::new();
    let [again, second] = [store.clone(), store.clone()];
    let [make, make_second] = [layer.clone(), layer.clone()];
    Fresh::new(store.layer(layer()))
        .reopen(move || std::future::ready(Ok(again.clone().layer(make()))))
        .second(move || std::future::ready(Ok(second.clone().layer(make_second()))))
}

/// A directory with a layer over it.
async fn over_files<B: Backend>(
    layer: impl FnOnce(storage_file::FileBackend) -> B,
) -> storage_core::Result<Fresh> {
    let folder = tempfile::tempdir()?;
    let files = storage_file::FileBackend::open(folder.path()).await?;
    Ok(Fresh::new(layer(files)).keep(folder))
}

macro_rules! contract {
    ($($name:ident: $layer:expr;)+) => {$(
        mod $name {
            use super::*;
            storage_conformance::conformance!(async { Ok(over(|| $layer)) });
        }
    )+};
}

contract! {
    retry: Retry::new();
    timeout: Timeout::new(Duration::from_secs(60));
    concurrency: ConcurrencyLimit::new(2);
    bandwidth: BandwidthLimit::new(Bandwidth::bytes_per_second(20_000_000_000));
    breaker: CircuitBreaker::new();
    tracing: Trace;
    metrics: Metrics;
    prefix: Prefixed::new(Prefix::new("a b/c").unwrap_or(Prefix::root()));
}

mod all_over_files {
    use super::*;
    storage_conformance::conformance!(over_files(|files| files
        .layer(ConcurrencyLimit::new(4))
        .layer(Timeout::new(Duration::from_secs(60)))
        .layer(CircuitBreaker::new())
        .layer(Retry::new())
        .layer(Trace)
        .layer(Metrics)));
}
