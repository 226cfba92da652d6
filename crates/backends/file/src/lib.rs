//! The file backend of the storage contract: every object is a file below one directory.
//!
//! Writes are atomic: bytes go to a temporary file beside the target, which one rename publishes.
//! No path and no symbolic link leads outside the root. Conditional writes and appends hold across
//! processes. Each operation is one hop to a blocking thread, and small files that the system has in
//! memory are read without any.
//!
//! ```
//! use storage_core::{BackendExt, Result};
//! use storage_file::FileBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! # let dir = tempfile::tempdir()?;
//! let backend = FileBackend::open(dir.path()).await?;
//! backend.put("reports/2026.csv", "year,total\n").await?;
//! let written = backend.append("reports/2026.csv", "2026,7\n").await?;
//! assert_eq!(written.size, 18);
//!
//! // Replaced only if nobody else has written since.
//! let again = backend.put_if("reports/2026.csv", "", written.version).await?;
//! assert_eq!(backend.get("reports/2026.csv").await?.len() as u64, again.size);
//! # Ok(())
//! # }
//! ```

mod append;
mod attributes;
mod backend;
mod builder;
mod call;
mod directory;
mod draft;
mod extended;
mod factory;
mod failure;
mod journal;
mod link_objects;
mod moves;
mod names;
mod pause;
mod place;
mod pool;
mod read;
mod release;
mod remove;
mod sink;
mod stream;
mod sys;
mod system_metadata;
mod temporary;
mod transfer;
mod tree;
mod version;
mod walk;

pub use backend::FileBackend;
pub use builder::{FileBackendBuilder, Fsync, SymbolicLinks};
pub use factory::FileFactory;
