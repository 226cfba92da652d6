//! A storage backend over Google Cloud Storage, on Google's own client library.
//!
//! Uploads are resumable, conditional writes are decided by the service on the generation of an
//! object, and an object is read in parallel requests that are pinned to one generation and resumed
//! where they break. CRC32C is checked in both directions.
//!
//! ```no_run
//! use storage_core::BackendExt;
//! use storage_gcs::GcsBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = GcsBackend::builder("photos").prefix("2026").open().await?;
//! backend.put("summer/one.jpg", "…").await?;
//! # Ok(())
//! # }
//! ```

mod attempt;
mod backend;
mod budget;
mod claim;
mod client;
mod content;
mod copying;
mod extended;
mod factory;
mod failure;
mod info;
mod listing;
mod names;
mod pinned;
mod random;
mod reading;
mod settings;
mod sink;
mod upload;

pub use backend::GcsBackend;
pub use factory::GcsFactory;
pub use settings::GcsBuilder;
