//! What a library is asked to do.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// A library, in one of the ways that it offers.
#[async_trait]
pub(crate) trait Client: Send + Sync {
    async fn put(&self, key: &str, bytes: Bytes) -> Result;

    /// Writes an object in these parts.
    async fn put_large(&self, key: &str, parts: &[Bytes]) -> Result;

    /// Reads an object and gives its size.
    async fn get(&self, key: &str) -> Result<u64>;

    /// The same of a large one, dropping what comes.
    async fn get_large(&self, key: &str, size: u64) -> Result<u64>;

    async fn range(&self, key: &str, range: Range<u64>) -> Result<u64>;

    /// The size of an object.
    async fn stat(&self, key: &str) -> Result<u64>;

    async fn delete(&self, key: &str) -> Result;

    async fn purge(&self, prefix: &str) -> Result;

    /// The number of objects below a prefix, all sizes and times known.
    async fn list(&self, prefix: &str) -> Result<u64>;
}
