use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use storage_core::{
    ByteStream, ObjectPath, Operation, Reader, Result, WriteOptions, WriteSink, Writer, Written,
};

use crate::call::Options;
use crate::intercepted::{admit, settle};
use crate::{Break, Call, Intercept, Step};

/// A writer whose chunks, flushes, finish and abort pass the hooks.
pub(crate) fn watched_writer<I: Intercept>(
    inner: Writer,
    backend: &'static str,
    options: WriteOptions,
    intercept: Arc<I>,
) -> Writer {
    let path = inner.path().clone();
    let sink = WatchedSink {
        inner,
        backend,
        path: path.clone(),
        options,
        intercept,
    };
    Writer::new(backend, path, sink)
}

struct WatchedSink<I> {
    inner: Writer,
    backend: &'static str,
    path: ObjectPath,
    options: WriteOptions,
    intercept: Arc<I>,
}

#[async_trait]
impl<I: Intercept> WriteSink for WatchedSink<I> {
    /// Small, so that a write has many steps to fail at.
    fn chunk_size(&self) -> usize {
        64 * 1024
    }

    fn keeps_chunks(&self) -> bool {
        self.inner.keeps_chunks()
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        let mut call = Call::new(Operation::Write, Step::Chunk, &self.path)
            .with(Options::Write(self.options.clone()))
            .with_bytes(chunk.len() as u64);
        admit(&*self.intercept, &mut call, self.backend).await?;
        let outcome = self.inner.write_bytes(chunk).await;
        settle(&*self.intercept, &call, self.backend, outcome).await
    }

    async fn flush(&mut self) -> Result<()> {
        let mut call = Call::new(Operation::Write, Step::Flush, &self.path);
        admit(&*self.intercept, &mut call, self.backend).await?;
        let outcome = self.inner.flush().await;
        settle(&*self.intercept, &call, self.backend, outcome).await
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let mut call = Call::new(Operation::Write, Step::Finish, &self.path)
            .with(Options::Write(self.options.clone()));
        admit(&*self.intercept, &mut call, self.backend).await?;
        let outcome = self.inner.finish().await;
        settle(&*self.intercept, &call, self.backend, outcome).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        let mut call = Call::new(Operation::Write, Step::Abort, &self.path);
        admit(&*self.intercept, &mut call, self.backend).await?;
        let outcome = self.inner.abort().await;
        settle(&*self.intercept, &call, self.backend, outcome).await
    }
}

/// A reader whose chunks pass the hooks.
pub(crate) fn watched_reader<I: Intercept>(
    reader: Reader,
    backend: &'static str,
    intercept: Arc<I>,
) -> Reader {
    rebuilt(reader, |inner| {
        let watched = Watched {
            path: inner.info().path.clone(),
            inner,
            backend,
            intercept,
        };
        Box::pin(stream::unfold(watched, Watched::next))
    })
}

struct Watched<I> {
    inner: Reader,
    path: ObjectPath,
    backend: &'static str,
    intercept: Arc<I>,
}

impl<I: Intercept> Watched<I> {
    async fn next(mut self) -> Option<(Result<Bytes>, Self)> {
        let mut call = Call::new(Operation::Read, Step::Chunk, &self.path);
        let chunk = match admit(&*self.intercept, &mut call, self.backend).await {
            Ok(()) => self.inner.chunk().await?,
            Err(error) => return Some((Err(error), self)),
        };
        let chunk = settle(&*self.intercept, &call, self.backend, chunk).await;
        Some((chunk, self))
    }
}

/// A reader that breaks off.
pub(crate) fn broken_reader(reader: Reader, at: Break) -> Reader {
    let Break { after, error } = at;
    rebuilt(reader, |reader| {
        let state = (reader, after, error);
        Box::pin(stream::unfold(state, async |(mut reader, left, error)| {
            if left == 0 {
                return error.map(|error| (Err(error), (reader, 0, None)));
            }
            let mut chunk = match reader.chunk().await? {
                Ok(chunk) => chunk,
                Err(error) => return Some((Err(error), (reader, 0, None))),
            };
            chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - chunk.len() as u64;
            Some((Ok(chunk), (reader, left, error)))
        }))
    })
}

/// A reader of the same object and range over another stream.
fn rebuilt(reader: Reader, stream: impl FnOnce(Reader) -> ByteStream) -> Reader {
    let (info, range) = (reader.info().clone(), reader.range());
    match range {
        Some(range) => Reader::from_stream(info, range, stream(reader)),
        None => Reader::from_unsized_stream(info, stream(reader)),
    }
}
