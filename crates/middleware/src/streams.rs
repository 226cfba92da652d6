use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use storage_core::{ByteStream, ObjectPath, Operation, Reader, Result, WriteSink, Writer, Written};

use crate::call::{Call, Step};
use crate::layered::placed;
use crate::policy::Policy;

/// A reader whose chunks are steps of the policy; those in memory already are not.
pub(crate) fn watched_reader<P: Policy>(
    reader: Reader,
    backend: &'static str,
    policy: Arc<P>,
) -> Reader {
    let path = reader.info().path.clone();
    reader.map_stream(|stream| watched(stream, path, backend, policy))
}

/// A reader of the same object whose every byte passes through `wrap`, those in memory too.
#[cfg(any(feature = "bandwidth", feature = "metrics", feature = "tracing"))]
pub(crate) fn rebuilt(reader: Reader, wrap: impl FnOnce(ByteStream) -> ByteStream) -> Reader {
    let (info, range) = (reader.info().clone(), reader.range());
    let stream = wrap(Box::pin(reader));
    match range {
        Some(range) => Reader::from_stream(info, range, stream),
        None => Reader::from_unsized_stream(info, stream),
    }
}

/// A stream whose chunks are steps of the policy.
pub(crate) fn watched<P: Policy>(
    stream: ByteStream,
    path: ObjectPath,
    backend: &'static str,
    policy: Arc<P>,
) -> ByteStream {
    let state = Some((stream, path, backend, policy));
    Box::pin(stream::unfold(state, async |state| {
        let (mut stream, path, backend, policy) = state?;
        let call = Call::of_stream(Operation::Read, Step::Chunk, backend, &path);
        let next = async { stream.next().await.transpose() };
        match policy.step(&call, next).await.transpose()? {
            Ok(chunk) => Some((Ok(chunk), Some((stream, path, backend, policy)))),
            // What failed is over; the reader is not polled again.
            Err(error) => Some((Err(placed(error, &call)), None)),
        }
    }))
}

/// A writer whose steps are steps of the policy.
pub(crate) fn watched_writer<P: Policy>(
    inner: Writer,
    backend: &'static str,
    policy: Arc<P>,
) -> Writer {
    let path = inner.path().clone();
    let sink = WatchedSink {
        inner,
        backend,
        path: path.clone(),
        policy,
    };
    Writer::new(backend, path, sink)
}

struct WatchedSink<P> {
    inner: Writer,
    backend: &'static str,
    path: ObjectPath,
    policy: Arc<P>,
}

#[async_trait]
impl<P: Policy> WriteSink for WatchedSink<P> {
    /// What is gathered is gathered by the writer below.
    fn chunk_size(&self) -> usize {
        64 * 1024
    }

    fn keeps_chunks(&self) -> bool {
        self.inner.keeps_chunks()
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        let (policy, path) = (Arc::clone(&self.policy), self.path.clone());
        let call = Call::of_stream(Operation::Write, Step::Chunk, self.backend, &path)
            .with_bytes(chunk.len() as u64);
        policy.step(&call, self.inner.write_bytes(chunk)).await
    }

    async fn flush(&mut self) -> Result<()> {
        let (policy, path) = (Arc::clone(&self.policy), self.path.clone());
        let call = Call::of_stream(Operation::Write, Step::Flush, self.backend, &path);
        policy.step(&call, self.inner.flush()).await
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let (policy, path) = (Arc::clone(&self.policy), self.path.clone());
        let call = Call::of_stream(Operation::Write, Step::Finish, self.backend, &path);
        policy.step(&call, self.inner.finish()).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        let (policy, path) = (Arc::clone(&self.policy), self.path.clone());
        let call = Call::of_stream(Operation::Write, Step::Abort, self.backend, &path);
        policy.step(&call, self.inner.abort()).await
    }
}
