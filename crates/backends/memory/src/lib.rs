//! A storage backend in memory: for tests, caches, scratch space and pipelines.
//!
//! Writes become visible when they finish, readers keep the snapshot they opened, and bytes are
//! handed in and out without a copy. Everything the contract offers but presigned URLs is there, and
//! conditional writes and appends are decided atomically.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ListOptions, Prefix};
//! use storage_memory::MemoryBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = MemoryBackend::builder().max_bytes(1 << 20).build();
//! backend.put("logs/2026/one.txt", "first\n").await?;
//! backend.append("logs/2026/one.txt", "second\n").await?;
//! assert_eq!(backend.get("logs/2026/one.txt").await?, "first\nsecond\n");
//!
//! let page = backend.list(&Prefix::new("logs")?, ListOptions::default()).await?;
//! assert!(page.entries[0].is_dir);
//! assert_eq!((backend.len(), backend.total_bytes()), (1, 13));
//! # Ok(())
//! # }
//! ```

mod backend;
mod budget;
mod content;
mod extended;
mod factory;
mod listing;
mod object;
mod sink;
mod store;
mod tree;

pub use backend::MemoryBackend;
pub use factory::{MemoryBuilder, MemoryFactory};

/// The example of the backend's page is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/backends/memory.md")]
struct Page;
