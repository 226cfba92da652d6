//! An S3 server in the process: any storage backend behind the S3 protocol, on a free port of the
//! loopback interface.
//!
//! The wire (requests, signatures, XML, chunked bodies) is that of the crate `s3s`; what is here maps
//! buckets and objects to a [`Backend`](storage_core::Backend) that has metadata and atomic writes.
//! Conditions are decided by the backend's own conditional writes, so racing clients have one winner.
//!
//! ```
//! use std::sync::Arc;
//!
//! use storage_memory::MemoryBackend;
//! use storage_s3_server::{S3Server, ServerOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = MemoryBackend::builder().directories(false).build();
//! let options = ServerOptions::new("key", "secret").bucket("photos");
//! let server = S3Server::start(Arc::new(backend), options).await?;
//! assert!(server.endpoint().starts_with("http://127.0.0.1:"));
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What is served
//! - Objects: get (ranges, part numbers, all four conditions), head, put, copy, delete, delete many.
//!   `If-None-Match: *` and `If-Match` on put, copy and the completion of a multipart upload;
//!   `If-Match` on delete.
//! - Multipart uploads: create, upload and copy parts, list parts and uploads, complete, abort.
//! - Buckets: create, head, list, delete; both versions of the object listing.
//! - Checksums CRC32, CRC32C, CRC64NVME, SHA-1 and SHA-256, in headers and trailers, of the whole and
//!   composite, checked, kept and returned. Without one, CRC64NVME is computed, as AWS does.
//! - Signatures version 4 in headers and in presigned URLs.
//!
//! # What is not
//! Versioning, access control lists, tags, encryption, object lock, storage classes, virtual hosts: a
//! request that asks for one of them is `NotImplemented`. Keys that are no
//! [`ObjectPath`](storage_core::ObjectPath), such as `a//b` or `a/`, cannot be written.
//!
//! # Where things lie
//! The object `KEY` of the bucket `BUCKET` is the backend's object `BUCKET/KEY`, readable by any other
//! user of the backend; its entity tag, checksums and part sizes lie in one metadata entry. An object
//! without that entry, because others wrote it, is served with a tag derived from its version.
//! Buckets, unfinished uploads and bodies on their way lie below `.omnistorage-s3/`, which no bucket
//! name can reach.

mod body;
mod buckets;
mod checksum;
mod complete;
mod conditions;
mod copy;
mod delete;
mod error;
mod gateway;
mod grouping;
mod keys;
mod list;
mod object;
mod options;
mod publish;
mod put;
mod read;
mod refusals;
mod server;
mod service;
mod upload_listing;
mod uploads;

pub use options::ServerOptions;
pub use server::S3Server;
