//! A stand-in for Google Cloud Storage in tests: buckets in memory behind the two protocols that
//! `google-cloud-storage` speaks, the JSON API over HTTP/1 for content and
//! `google.storage.v2.Storage` over gRPC for everything else, on one loopback port.
//!
//! It is written from the public description of the API and is no more than a stand-in: it keeps
//! generations, preconditions, resumable uploads, checksums and pages as the service does, and has
//! no access control, no other versions of an object than the live one, and no limits of rate.
//!
//! On request it misbehaves, see [`Emulator::inject`].
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use storage_gcs_emulator::Emulator;
//!
//! let emulator = Emulator::start().await?;
//! emulator.create_bucket("photos");
//! println!("gs://photos/2026?endpoint={}&anonymous=true", emulator.endpoint());
//! # Ok(())
//! # }
//! ```

mod emulator;
mod fault;
mod grpc;
mod http;
mod media;
mod multipart;
mod object;
mod refusal;
mod resource;
mod resumable;
mod server;
mod store;

pub use emulator::Emulator;
pub use fault::{Call, Fault};
