use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use storage_core::{ObjectPath, Reader, Result, WriteSink, Writer, Written};

use super::{Naming, shown};

/// A reader that says the names above.
pub(super) fn renamed_reader<N: Naming>(
    reader: Reader,
    path: &ObjectPath,
    naming: &Arc<N>,
) -> Reader {
    let mut info = reader.info().clone();
    info.path = path.clone();
    let naming = Arc::clone(naming);
    let errors = move |error| shown(&*naming, error);
    reader
        .with_info(info)
        .map_stream(|stream| Box::pin(stream.map_err(errors)))
}

/// A writer that says the names above.
pub(super) fn renamed_writer<N: Naming>(
    inner: Writer,
    path: &ObjectPath,
    naming: &Arc<N>,
) -> Writer {
    let backend = inner.backend();
    let naming = Arc::clone(naming);
    Writer::new(backend, path.clone(), Sink { inner, naming })
}

struct Sink<N> {
    inner: Writer,
    naming: Arc<N>,
}

#[async_trait]
impl<N: Naming> WriteSink for Sink<N> {
    /// What is gathered is gathered by the writer below.
    fn chunk_size(&self) -> usize {
        64 * 1024
    }

    fn keeps_chunks(&self) -> bool {
        self.inner.keeps_chunks()
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        let outcome = self.inner.write_bytes(chunk).await;
        outcome.map_err(|error| shown(&*self.naming, error))
    }

    async fn flush(&mut self) -> Result<()> {
        let outcome = self.inner.flush().await;
        outcome.map_err(|error| shown(&*self.naming, error))
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let outcome = self.inner.finish().await;
        outcome.map_err(|error| shown(&*self.naming, error))
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        let outcome = self.inner.abort().await;
        outcome.map_err(|error| shown(&*self.naming, error))
    }
}
