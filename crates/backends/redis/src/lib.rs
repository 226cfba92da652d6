//! A storage backend in Redis: objects of any size, shared by any number of processes.
//!
//! Small objects are one hash; larger ones are chunks of 64 KiB in hashes of 8 MiB. A write becomes
//! visible in one step, in which its condition is decided; a reader keeps the object that it opened;
//! listings are sorted and cost what a page holds. A lost connection is made anew, and what was under
//! way is tried again without happening twice.
//!
//! ```no_run
//! use storage_core::{Backend, BackendExt};
//! use storage_redis::RedisBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = RedisBackend::builder("localhost").prefix("sessions").open().await?;
//! backend.put_if("lock", "me", None).await?;
//! assert!(backend.put_if("lock", "you", None).await.is_err());
//! backend.close().await?;
//! # Ok(())
//! # }
//! ```

mod backend;
mod builder;
mod draft;
mod extended;
mod factory;
mod failure;
mod header;
mod keys;
mod link;
mod listing;
mod read;
mod script;
mod settings;
mod sink;
mod store;
mod version;

pub use backend::RedisBackend;
pub use builder::RedisBuilder;
pub use factory::RedisFactory;

/// The example of the backend's page is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/backends/redis.md")]
struct Page;
