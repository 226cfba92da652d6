//! Limiting how much goes on at once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use storage_core::{
    Backend, ByteStream, Error, ErrorKind, Operation, Payload, ReadOptions, Reader, Result,
    WriteSink, Writer, Written,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::call::{Call, Reply};
use crate::policy::Policy;

/// Lets at most so many steps go on at once; all clones share the limit. The others wait, in the
/// order in which they came.
///
/// A permit is held for a call, or for one chunk of a reader or writer, never between two chunks: a
/// task that holds a reader and asks for a writer cannot block itself. A chunk that was begun goes on
/// by itself, as a task that ends with its reader or writer, so that one that nobody polls does not
/// keep its permit. Any other future of a call has to be polled to its end or dropped. A payload that
/// is neither in memory nor a file, and so may read from the same store, is written through
/// [`Backend::writer`], whose every chunk is a step. Put a limit over one backend of a stack only: a
/// step that needs two permits of one limit can wait for itself.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit(Arc<Semaphore>);

impl ConcurrencyLimit {
    /// At most `steps` at once; 0 counts as 1.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        let permits = steps.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(permits)))
    }

    /// Does something with a permit. The semaphore is never closed.
    async fn permitted<T>(&self, action: impl Future<Output = T>) -> Result<T> {
        let permit = self.0.acquire().await;
        let _permit = permit.map_err(|error| gone("the limit is gone", error))?;
        Ok(action.await)
    }

    /// Does something with a permit, whether or not this future is polled again; dropping it ends the
    /// action. What can be done at once needs no task.
    async fn unattended<T: Send + 'static>(
        &self,
        action: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let limit = self.clone();
        let mut step = Box::pin(async move { limit.permitted(action).await });
        let first = std::future::poll_fn(|cx| Poll::Ready(step.as_mut().poll(cx))).await;
        if let Poll::Ready(done) = first {
            return done;
        }
        match Handle::try_current() {
            Ok(runtime) => Attended(runtime.spawn(step)).await,
            Err(_) => step.await,
        }
    }
}

fn gone(what: &'static str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Other, what).with_source(error)
}

/// A task that ends when nobody waits for it any more.
struct Attended<T>(JoinHandle<Result<T>>);

impl<T> Future for Attended<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let done = Pin::new(&mut self.0).poll(cx);
        done.map(|done| done.unwrap_or_else(|error| Err(gone("the task of a chunk ended", error))))
    }
}

impl<T> Drop for Attended<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Policy for ConcurrencyLimit {
    async fn step<T: Reply>(
        &self,
        _: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        self.permitted(action).await?
    }

    fn reader<B: Backend>(
        self: &Arc<Self>,
        backend: &Arc<B>,
        reader: Reader,
        _: &ReadOptions,
    ) -> Reader {
        let (limit, name, path) = ((**self).clone(), backend.name(), reader.info().path.clone());
        let place = move |error: Error| error.at(Operation::Read, name, &path);
        reader.map_stream(|stream| limited(stream, limit, place))
    }

    fn writer(self: &Arc<Self>, backend: &'static str, writer: Writer) -> Writer {
        let path = writer.path().clone();
        let sink = LimitedSink {
            keeps_chunks: writer.keeps_chunks(),
            inner: Some(writer),
            limit: (**self).clone(),
        };
        Writer::new(backend, path, sink)
    }

    fn writes_by_chunks(&self, payload: &Payload) -> bool {
        payload.as_slices().is_none() && payload.as_file().is_none()
    }
}

/// A stream of which at most so many chunks, with those of others, are read at once.
fn limited(
    stream: ByteStream,
    limit: ConcurrencyLimit,
    place: impl Fn(Error) -> Error + Send + 'static,
) -> ByteStream {
    let state = Some((stream, limit, place));
    Box::pin(stream::unfold(state, async |state| {
        let (mut stream, limit, place) = state?;
        let next = async move { (stream.next().await, stream) };
        match limit.unattended(next).await {
            Ok((chunk, stream)) => {
                let chunk = chunk?.map_err(&place);
                // What failed is over.
                let rest = chunk.is_ok().then_some((stream, limit, place));
                Some((chunk, rest))
            }
            Err(error) => Some((Err(place(error)), None)),
        }
    }))
}

/// A writer whose steps take permits. `None` when a step did not give it back.
struct LimitedSink {
    inner: Option<Writer>,
    keeps_chunks: bool,
    limit: ConcurrencyLimit,
}

impl LimitedSink {
    fn take(&mut self) -> Result<Writer> {
        let lost = || Error::new(ErrorKind::WriterClosed, "");
        self.inner.take().ok_or_else(lost)
    }
}

#[async_trait]
impl WriteSink for LimitedSink {
    /// What is gathered is gathered by the writer below.
    fn chunk_size(&self) -> usize {
        64 * 1024
    }

    fn keeps_chunks(&self) -> bool {
        self.keeps_chunks
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        let mut inner = self.take()?;
        let step = async move { (inner.write_bytes(chunk).await, inner) };
        let (written, inner) = self.limit.unattended(step).await?;
        self.inner = Some(inner);
        written
    }

    async fn flush(&mut self) -> Result<()> {
        let mut inner = self.take()?;
        let step = async move { (inner.flush().await, inner) };
        let (flushed, inner) = self.limit.unattended(step).await?;
        self.inner = Some(inner);
        flushed
    }

    /// Not by a task: when a writer is dropped, nothing may be published any more.
    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let mut inner = self.take()?;
        self.limit.permitted(inner.finish()).await?
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        let inner = self.take()?;
        self.limit.permitted(inner.abort()).await?
    }
}

impl fmt::Debug for LimitedSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitedSink").finish_non_exhaustive()
    }
}
