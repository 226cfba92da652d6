//! The storage contract: the small crate that every Omnistorage backend, layer and engine is built on.
//!
//! A [`Backend`] stores objects, byte strings under a validated [`ObjectPath`]. It has six required
//! methods; everything else is provided on top of them and may be overridden for speed. What goes
//! beyond objects (directories, server-side copy, attributes) is in [`ExtendedBackend`], and
//! [`Features`] tells which of it a backend really has. [`BackendExt`] is what callers use.
//!
//! ```
//! use storage_core::{Backend, BackendExt, Result};
//!
//! /// Works on any backend: a directory, memory, an object store.
//! async fn publish(backend: &dyn Backend) -> Result<u64> {
//!     let written = backend.put_atomic("reports/2026.csv", "year,total\n2026,7\n").await?;
//!     assert!(backend.has("reports/2026.csv").await?);
//!     Ok(written.size)
//! }
//! ```
//!
//! The rules that every backend keeps are stated on the items they concern and are checked, one
//! named test a rule, by the `storage-conformance` crate.

mod backend;
mod blocking;
mod config;
mod error;
mod ext;
mod features;
mod folding;
mod glob;
mod hash;
mod info;
mod lifecycle;
mod list;
mod location;
mod options;
mod pages;
mod path;
mod payload;
mod reader;
mod record;
mod registry;
pub mod timestamp;
mod uri;
mod writer;

pub use async_trait::async_trait;
pub use bytes::Bytes;

pub use backend::{Backend, ExtendedBackend};
pub use blocking::{allow_blocking, blocking_allowed};
pub use config::Config;
pub use error::{Error, ErrorKind, Operation, Result};
pub use ext::BackendExt;
pub use features::Features;
pub use folding::NameFolding;
pub use glob::Glob;
pub use hash::{HashType, HashTypes, Hashes};
pub use info::{Metadata, ObjectInfo, Special, Version, Written};
pub use lifecycle::Lifecycle;
pub use list::{Cursor, Entries, ListFilter, ListPage};
pub use location::{Location, ReaderAt, Seeker};
pub use options::{
    AttributePolicy, ByteRange, Durability, Links, ListOptions, PresignOptions, PresignedMethod,
    ReadOptions, RmdirOptions, WriteMode, WriteOptions,
};
#[doc(hidden)]
pub use options::{ListParts, ReadParts, WriteParts};
pub use path::{ObjectPath, Prefix};
pub use payload::{Payload, PayloadSource};
pub use reader::{ByteStream, Reader};
pub use record::{RecordReader, RecordWriter};
pub use registry::{BackendFactory, Registry};
pub use uri::Uri;
pub use writer::{WriteSink, Writer};
