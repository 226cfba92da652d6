use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Writes records, byte strings with boundaries, in one format.
#[async_trait]
pub trait RecordWriter: Send {
    /// Writes one record. `InvalidData`-class errors of the format leave the stream as it was.
    async fn write(&mut self, record: &[u8]) -> Result<()>;

    /// Hands everything written so far to the layer below.
    async fn flush(&mut self) -> Result<()>;

    /// Ends the stream and closes every layer below, in order; the first error is returned. Dropping
    /// a writer instead publishes nothing.
    async fn close(&mut self) -> Result<()>;
}

/// Reads records of one format.
#[async_trait]
pub trait RecordReader: Send {
    /// The next record, `None` at the end. Malformed input is `Corrupt` and says where.
    async fn read(&mut self) -> Result<Option<Bytes>>;

    /// Releases every layer below.
    async fn close(&mut self) -> Result<()>;
}
