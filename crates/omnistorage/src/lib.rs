#![doc = include_str!("../../../README.md")]

pub use storage_core::*;

#[cfg(feature = "file")]
#[doc(inline)]
pub use storage_file as file;
#[cfg(feature = "hash")]
#[doc(inline)]
pub use storage_hash as hash;
#[cfg(feature = "memory")]
#[doc(inline)]
pub use storage_memory as memory;
#[cfg(feature = "sync")]
#[doc(inline)]
pub use storage_sync as sync;

mod open;

pub use open::{open, open_uri, registry};
