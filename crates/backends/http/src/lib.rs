//! A read-only storage backend over any static web server or CDN.
//!
//! Objects are what lies below one URL. Reads stream, also parts of objects from servers that know no
//! ranges, and go on where they were when a connection breaks and the object is still the same.
//! Listings come from the server's index pages (nginx, Apache, Caddy, lighttpd, Python) or from a
//! manifest. Credentials are shown to the endpoint's own origin alone.
//!
//! ```no_run
//! use storage_core::{BackendExt, ListOptions, Prefix};
//! use storage_http::HttpBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = HttpBackend::builder("https://example.com/files").open().await?;
//! let first = backend.read_range("big.iso", 0..1024).await?;
//! let mut entries = backend.entries(Prefix::root(), ListOptions::default().recursive(true));
//! while let Some(entry) = entries.next().await {
//!     let entry = entry?;
//!     println!("{} {:?}", entry.path, entry.size);
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod backend;
mod client;
mod download;
mod entity;
mod factory;
mod failure;
mod index;
mod listing;
mod manifest;
mod read;
mod retry;
mod settings;
mod status;
mod walk;

pub use backend::HttpBackend;
pub use factory::HttpFactory;
pub use settings::HttpBuilder;

/// The example of the backend's page is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/backends/http.md")]
struct Page;
