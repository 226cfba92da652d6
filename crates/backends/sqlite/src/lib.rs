//! A storage backend in one SQLite file: the embedded store where a single file is wanted.
//!
//! Writes become visible when they finish, readers keep the state of the file that they began with,
//! conditional writes and appends are decided in a transaction, and any number of processes may have
//! the file open. SQLite itself is compiled in.
//!
//! ```
//! use storage_core::{Backend, BackendExt, ListOptions, Prefix};
//! use storage_sqlite::SqliteBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("data.db");
//! let backend = SqliteBackend::builder(path).table("logs").open().await?;
//! backend.put("2026/one.txt", "first\n").await?;
//! backend.append("2026/one.txt", "second\n").await?;
//! assert_eq!(backend.get("2026/one.txt").await?, "first\nsecond\n");
//!
//! let page = backend.list(&Prefix::root(), ListOptions::default()).await?;
//! assert!(page.entries[0].is_dir);
//! backend.close().await?;
//! # Ok(())
//! # }
//! ```

mod backend;
mod builder;
mod call;
mod chunks;
mod connect;
mod database;
mod draft;
mod extended;
mod factory;
mod failure;
mod listing;
mod owner;
mod publish;
mod read;
mod record;
mod schema;
mod sink;
mod sweep;
mod version;

pub use backend::SqliteBackend;
pub use builder::{SqliteBuilder, Synchronous};
pub use factory::SqliteFactory;

/// The example of the backend's page is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/backends/sqlite.md")]
struct Page;
