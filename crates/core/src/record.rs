use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Writes records, byte strings with boundaries, in one format.
#[async_trait]
pub trait RecordWriter: Send {
    /// Writes one record. `InvalidData`-class errors of the format leave the stream as it was.
    async fn write(&mut self, record: &[u8]) -> Result<()>;

    /// Writes one record if that needs no waiting: `false` when it was not taken and
    /// [`write`](Self::write) is to be called. Spares callers through `dyn` a boxed future per
    /// record. The default takes none.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn try_write(&mut self, record: &[u8]) -> Result<bool> {
        let _ = record;
        Ok(false)
    }

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

    /// The next record if that needs no waiting: `None` says nothing about the end, only that
    /// [`read`](Self::read) is to be called. Spares callers through `dyn` a boxed future per
    /// record. The default has none.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn try_read(&mut self) -> Result<Option<Bytes>> {
        Ok(None)
    }

    /// Releases every layer below.
    async fn close(&mut self) -> Result<()>;
}
