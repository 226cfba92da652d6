//! Layers over any storage backend, each a module and a Cargo feature of its own:
//!
//! | Feature | Layer | What it does |
//! |---|---|---|
//! | `retry` | `retry::Retry` | tries again what failed for a while |
//! | `timeout` | `timeout::Timeout` | gives up on what makes no progress |
//! | `concurrency` | `concurrency::ConcurrencyLimit` | limits how much goes on at once |
//! | `bandwidth` | `bandwidth::BandwidthLimit` | limits bytes a second |
//! | `breaker` | `breaker::CircuitBreaker` | leaves a store alone that does not answer |
//! | `prefix` | `prefix::Prefixed` | shows what lies below a prefix as a store of its own |
//! | `read-only` | `read_only::ReadOnly` | refuses what would change the store |
//! | `tracing` | `trace::Trace` | a span for every call |
//! | `metrics` | `measure::Metrics` | counts and times calls |
//! | `cache` | `cache::ReadCache` | keeps small objects in memory |
//! | `encryption` | `encryption::Encryption` | encrypts contents, attributes and names |
//!
//! Layers are put on with [`LayerExt::layer`], the outermost last. Each forwards every method, has an
//! extended part where the backend below has one, and keeps the contract of `storage-core`; so they
//! can be stacked in any order.
//!
#![cfg_attr(all(feature = "retry", feature = "timeout"), doc = "```")]
#![cfg_attr(not(all(feature = "retry", feature = "timeout")), doc = "```ignore")]
//! use std::time::Duration;
//! use storage_core::BackendExt;
//! use storage_memory::MemoryBackend;
//! use storage_middleware::{LayerExt, retry::Retry, timeout::Timeout};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = MemoryBackend::new()
//!     .layer(Timeout::new(Duration::from_secs(30))) // of each attempt
//!     .layer(Retry::new().attempts(5));
//! backend.put("greeting", "hello").await?;
//! assert_eq!(backend.get("greeting").await?, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! A layer of one's own that leaves names and bytes as they are is a [`Policy`].

#[cfg(feature = "bandwidth")]
pub mod bandwidth;
#[cfg(feature = "breaker")]
pub mod breaker;
#[cfg(feature = "cache")]
pub mod cache;
mod call;
#[cfg(feature = "concurrency")]
pub mod concurrency;
#[cfg(feature = "encryption")]
pub mod encryption;
mod extended;
mod layer;
mod layered;
#[cfg(feature = "metrics")]
pub mod measure;
mod policy;
#[cfg(feature = "prefix")]
pub mod prefix;
#[cfg(feature = "read-only")]
pub mod read_only;
#[cfg(any(feature = "prefix", feature = "encryption"))]
mod renamed;
#[cfg(feature = "retry")]
pub mod retry;
mod streams;
#[cfg(feature = "timeout")]
pub mod timeout;
#[cfg(feature = "tracing")]
pub mod trace;

pub use call::{Call, Repeat, Reply, Step};
pub use layer::{Layer, LayerExt};
pub use layered::Layered;
pub use policy::{BoxFuture, Policy};
#[cfg(any(feature = "prefix", feature = "encryption"))]
pub use renamed::Renamed;
