use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A number that nobody else has, from the operating system's randomness by way of the standard
/// library's hash keys. Not for secrets.
pub(crate) fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A name for one write that no other write has.
pub(crate) fn token() -> String {
    format!("{:016x}{:016x}", number(), number())
}
