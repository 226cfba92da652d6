//! The names of everything that the backend keeps. All begin with the prefix in braces, so that a
//! cluster keeps them in one slot.

use storage_core::{Error, Result};

/// Bytes of a full chunk.
pub(crate) const CHUNK: u64 = 64 << 10;

/// Chunks in one hash.
pub(crate) const PER_GROUP: u64 = 128;

/// Bytes in one full hash of chunks.
pub(crate) const GROUP: u64 = CHUNK * PER_GROUP;

/// Keys of one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) start: String,
    /// The sorted set of all paths.
    pub(crate) index: String,
}

impl Keys {
    /// # Errors
    /// `Config` for a prefix that would not do as the hash tag of a cluster.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        if prefix.is_empty() || prefix.contains(['{', '}', '\0']) {
            let message = format!("the key \"prefix\" needs text without braces, not {prefix:?}");
            return Err(Error::config(message));
        }
        let start = format!("{{{prefix}}}:");
        let index = format!("{start}i");
        Ok(Self { start, index })
    }

    /// The hash that holds an object's attributes, and its bytes where they are few.
    pub(crate) fn header(&self, path: &str) -> String {
        format!("{}o:{path}", self.start)
    }

    /// A hash of chunks.
    pub(crate) fn group(&self, blob: &str, number: u64) -> String {
        format!("{}c:{blob}:{number}", self.start)
    }

    /// The hashes of all chunks of a blob.
    pub(crate) fn groups(&self, blob: &str, size: u64) -> impl Iterator<Item = String> {
        (0..size.div_ceil(GROUP)).map(move |number| self.group(blob, number))
    }

    /// What is kept for a while of a request, by which its repetition is known.
    pub(crate) fn token(&self, token: &str) -> String {
        format!("{}t:{token}", self.start)
    }
}
