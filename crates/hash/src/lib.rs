//! The hashes of the storage contract, computed and checked while bytes stream past.
//!
//! `storage-core` names hash algorithms and carries digests; this crate computes them. Backends use
//! [`WriteHasher`] for the options of a write and [`verified`] for `ReadOptions::verify`.
//!
//! ```
//! use storage_core::{HashType, HashTypes};
//! use storage_hash::Hasher;
//!
//! let mut hasher = Hasher::new(HashTypes::from(HashType::Crc32c).with(HashType::Md5));
//! hasher.update(b"123456789");
//! let hashes = hasher.finish();
//! assert_eq!(hashes.get_hex(HashType::Crc32c).as_deref(), Some("e3069283"));
//! ```

mod hasher;
mod verify;
mod write;

pub use hasher::{Hasher, hash};
pub use verify::verified;
pub use write::{WriteHasher, WriteHashes};
