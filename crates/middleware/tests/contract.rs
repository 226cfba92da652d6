//! Every layer keeps the contract, over a store in memory and some over files.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use storage_conformance::{Fresh, Suite};
use storage_core::{Backend, Prefix};
use storage_memory::MemoryBackend;
use storage_middleware::bandwidth::{Bandwidth, BandwidthLimit};
use storage_middleware::breaker::CircuitBreaker;
use storage_middleware::cache::ReadCache;
use storage_middleware::concurrency::ConcurrencyLimit;
use storage_middleware::encryption::{Encryption, MasterKey};
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

/// Less work than a store has to do: what is below the layers has done it.
fn suite<F, T>(factory: impl Fn() -> F + Send + Sync + 'static) -> Suite
where
    F: Future<Output = storage_core::Result<T>> + Send + 'static,
    T: Into<Fresh> + 'static,
{
    let suite = Suite::new(factory).large(1 << 20).many(300);
    suite.racers(16).rounds(5)
}

/// A directory with a layer over it.
async fn over_files<B: Backend>(
    layer: impl FnOnce(storage_file::FileBackend) -> B,
) -> storage_core::Result<Fresh> {
    let folder = tempfile::tempdir()?;
    let files = storage_file::FileBackend::open(folder.path()).await?;
    Ok(Fresh::new(layer(files)).keep(folder))
}

fn encryption() -> Encryption {
    Encryption::new(MasterKey::new([7; 32]))
}

macro_rules! contract {
    ($($name:ident: $layer:expr;)+) => {$(
        mod $name {
            use super::*;
            storage_conformance::conformance!(suite = suite(|| async { Ok(over(|| $layer)) }));
        }
    )+};
}

contract! {
    retry: Retry::new();
    timeout: Timeout::new(Duration::from_secs(60));
    concurrency: ConcurrencyLimit::new(2);
    bandwidth: BandwidthLimit::new(Bandwidth::bytes_per_second(20_000_000_000));
    breaker: CircuitBreaker::new();
    encryption: encryption();
    encryption_of_contents: encryption().names(false);
    cache: ReadCache::new(1 << 20);
    tracing: Trace;
    metrics: Metrics;
    prefix: Prefixed::new(Prefix::new("a b/c").unwrap_or(Prefix::root()));
}

mod all_over_files {
    use super::*;
    storage_conformance::conformance!(
        suite = suite(|| over_files(|files| files
            .layer(ConcurrencyLimit::new(4))
            .layer(Timeout::new(Duration::from_secs(60)))
            .layer(CircuitBreaker::new())
            .layer(Retry::new())
            .layer(Trace)
            .layer(Metrics)))
    );
}

/// With plain names: encrypted ones of 255 bytes are too long for a file system, as is documented.
mod encryption_over_files {
    use super::*;
    storage_conformance::conformance!(
        suite = suite(|| over_files(|files| files.layer(encryption().names(false))))
    );
}
