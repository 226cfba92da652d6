//! A storage backend on Amazon S3 and what speaks its protocol: R2, MinIO, Ceph, Wasabi and others.
//!
//! What a store can do is found out when it is opened, and [`features`](storage_core::ExtendedBackend::features)
//! tells nothing else. Small objects are one request each; large ones are sent and read in parts,
//! several at once, within a budget of memory. Retries are the backend's own: only it knows which
//! requests may be repeated.
//!
//! ```no_run
//! use storage_core::BackendExt;
//! use storage_s3::S3Backend;
//!
//! # async fn example() -> storage_core::Result<()> {
//! let backend = S3Backend::builder("reports")
//!     .endpoint("http://127.0.0.1:9000")
//!     .credentials("key", "secret", None)
//!     .open()
//!     .await?;
//! backend.put("2026/january.csv", "a,b\n").await?;
//! # Ok(())
//! # }
//! ```

mod attributes;
mod backend;
mod background;
mod body;
mod budget;
mod call;
mod capabilities;
mod checksum;
mod cleanup;
mod client;
mod copy;
mod delete;
mod extras;
mod factory;
mod failure;
mod get;
mod list;
mod multipart;
mod open;
mod presign;
mod probe;
mod publish;
mod put;
mod read;
mod request;
mod settings;
mod signature;
mod sink;
mod store;
mod stream;
mod text;
mod whole;
mod wire;

pub use backend::S3Backend;
pub use capabilities::Capabilities;
pub use cleanup::UnfinishedUpload;
pub use factory::S3Factory;
pub use settings::S3Builder;

/// The name of the backend.
const NAME: &str = "s3";

/// The example of the backend's page is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/backends/s3.md")]
struct Page;
