use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{Result, WriteSink, Writer, Written};
use tokio::io::AsyncWriteExt;

use crate::{CompressWriter, Encode};

/// Compresses the chunks of one write on their way to a backend.
pub(crate) struct CompressSink<E>(pub(crate) CompressWriter<Writer, E>);

#[async_trait]
impl<E: Encode + 'static> WriteSink for CompressSink<E> {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        Ok(self.0.write_all(&chunk).await?)
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        self.0.finish().await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.0.abort().await
    }
}
