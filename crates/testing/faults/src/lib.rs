//! Backends for tests, over any backend of `storage-core` and through its public traits alone:
//! [`Failing`], [`BrokenReads`], [`Crash`], [`Slow`], [`Counting`], [`Recording`] and [`Masked`].
//!
//! Each is an [`Intercept`]: hooks before and after every step of every call. [`Intercept::over`]
//! puts it over a backend; a clone kept aside reads its counters or log. [`Intercepted`] forwards
//! every method and has an extended part only where the backend below has one. They can be stacked.
//!
//! ```
//! use storage_core::{BackendExt, Error, ErrorKind, Operation};
//! use storage_faults::{Counting, Failing, Intercept, Point};
//! use storage_memory::MemoryBackend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let counting = Counting::new();
//! let cut = || Error::new(ErrorKind::Network, "the cable was cut");
//! let failing = Failing::nth(2, Point::on(Operation::Write), cut);
//! let backend = failing.over(counting.over(MemoryBackend::new()));
//!
//! backend.put("a", "one").await?;
//! assert!(backend.put("a", "two").await.unwrap_err().is_transient());
//! assert_eq!(backend.get("a").await?, "one");
//! assert_eq!(counting.of(Operation::Write).calls, 1);
//! # Ok(())
//! # }
//! ```

mod broken;
mod call;
mod counting;
mod crash;
mod extended;
mod failing;
mod intercept;
mod intercepted;
mod masked;
mod point;
mod recording;
mod reply;
mod slow;
mod streams;

pub use broken::BrokenReads;
pub use call::{Call, Step};
pub use counting::{Count, Counting};
pub use crash::Crash;
pub use failing::Failing;
pub use intercept::{Break, Intercept};
pub use intercepted::Intercepted;
pub use masked::Masked;
pub use point::Point;
pub use recording::{Record, Recording};
pub use slow::Slow;
