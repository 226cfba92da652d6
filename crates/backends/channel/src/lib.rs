//! A storage backend whose paths are named streams of messages between the tasks of one program.
//!
//! Streams are bounded and ordered: a writer that is ahead waits, a reader waits for the next message,
//! and the stream ends when its last writer finishes. A writer that is dropped instead makes the end
//! an error, so no reader takes half a stream for a whole one. Several readers share the messages
//! ([`Mode::Queue`]), each get all of them ([`Mode::Broadcast`]), or get all from the beginning however
//! late they come ([`Mode::Replay`]).
//!
//! ```
//! use storage_channel::ChannelBackend;
//! use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let backend = ChannelBackend::builder().capacity(2).build()?;
//! let mut writer = backend.writer(&ObjectPath::new("jobs")?, WriteOptions::default()).await?;
//! let mut reader = backend.open("jobs").await?;
//!
//! let sending = async move {
//!     for job in ["one", "two", "three"] {
//!         writer.write_bytes(job.into()).await?; // waits while two messages are unread
//!     }
//!     writer.finish().await
//! };
//! let receiving = async {
//!     let mut jobs = Vec::new();
//!     while let Some(job) = reader.chunk().await {
//!         jobs.push(job?);
//!     }
//!     Ok::<_, storage_core::Error>(jobs)
//! };
//! let (written, jobs) = tokio::join!(sending, receiving);
//! assert_eq!(jobs?, ["one", "two", "three"]);
//! assert_eq!(written?.size, 11);
//! # Ok(())
//! # }
//! ```

mod backend;
mod ends;
mod extended;
mod factory;
mod lagged;
mod namespace;
mod settings;
mod sink;
mod source;
mod state;
mod stats;
mod stream;
mod sync;

#[cfg(test)]
mod model;

pub use backend::ChannelBackend;
pub use factory::{ChannelBuilder, ChannelFactory};
pub use lagged::Lagged;
pub use settings::{Missing, Mode, SlowReaders};
pub use stats::StreamStats;
