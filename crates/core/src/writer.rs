use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWrite;

use crate::{Error, ErrorKind, ObjectPath, Operation, Result, Written};

/// What a backend implements to take the chunks of one write.
///
/// Nothing is visible before `finish` succeeds. **Dropping a sink aborts the write**: `Drop` must
/// see to it that no object, temporary file or unfinished upload is left; a task that does so in the
/// background is fine where `Drop` cannot.
///
/// ```
/// use storage_core::{async_trait, Bytes, Result, WriteSink, Written};
///
/// /// Wrong: publishes in `write`, so a dropped writer leaves half an object.
/// /// Right: keep the chunks and publish in `finish`.
/// struct Collect { chunks: Vec<Bytes>, publish: fn(Vec<Bytes>) }
///
/// #[async_trait]
/// impl WriteSink for Collect {
///     async fn write(&mut self, chunk: Bytes) -> Result<()> {
///         self.chunks.push(chunk);
///         Ok(())
///     }
///     async fn finish(self: Box<Self>) -> Result<Written> {
///         let size = self.chunks.iter().map(|c| c.len() as u64).sum();
///         (self.publish)(self.chunks);
///         Ok(Written::new(size))
///     }
/// }
/// ```
#[async_trait]
pub trait WriteSink: Send + 'static {
    /// The chunk size that suits the backend, in bytes: small writes are gathered up to it.
    fn chunk_size(&self) -> usize {
        256 * 1024
    }

    /// Whether every [`Writer::write_bytes`] arrives as one chunk of its own, however small: for
    /// stores of messages, where the boundaries mean something. The default gathers small chunks.
    /// What is written as [`AsyncWrite`] has no boundaries and is gathered either way.
    fn keeps_chunks(&self) -> bool {
        false
    }

    /// Takes the next chunk. May return before the bytes are stored; a failure then shows in a
    /// later call.
    async fn write(&mut self, chunk: Bytes) -> Result<()>;

    /// Hands everything taken so far to the store. Publishes nothing.
    async fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Publishes the object.
    async fn finish(self: Box<Self>) -> Result<Written>;

    /// Aborts and waits until nothing is left. The default drops the sink.
    async fn abort(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

type Sink = Box<dyn WriteSink>;
type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

enum State {
    Idle(Sink),
    Writing(Task<(Sink, Result<()>)>),
    Finishing(Task<Result<Written>>),
    Finished(Written),
    Closed,
}

/// One write in progress.
///
/// Give it bytes with [`write_bytes`](Self::write_bytes) (no copy for large chunks) or as an
/// [`AsyncWrite`], then [`finish`](Self::finish): only then is the object visible.
/// [`AsyncWrite::poll_shutdown`] finishes too, so that a layer on top closes the whole stack.
/// **Dropping a writer that was not finished aborts it and leaves nothing.**
///
/// Work begun by a call that was dropped goes on in the next one, so nothing is lost or torn. Whether
/// a dropped `write_bytes` took its chunk cannot be known: drop the writer then.
pub struct Writer {
    state: State,
    buffer: BytesMut,
    chunk_size: usize,
    /// Chunks shorter than this are gathered; 0 for a sink that keeps chunks.
    gathered_below: usize,
    /// Whether the sink got bytes since the last flush began.
    unflushed: bool,
    backend: &'static str,
    path: ObjectPath,
}

impl Writer {
    /// A writer over a backend's sink; `backend` and `path` appear in errors.
    #[must_use]
    pub fn new(backend: &'static str, path: ObjectPath, sink: impl WriteSink) -> Self {
        let chunk_size = sink.chunk_size().max(1);
        let gathered_below = if sink.keeps_chunks() {
            0
        } else {
            chunk_size / 2
        };
        let state = State::Idle(Box::new(sink));
        Self {
            state,
            buffer: BytesMut::new(),
            chunk_size,
            gathered_below,
            unflushed: false,
            backend,
            path,
        }
    }

    /// The path that is written.
    #[must_use]
    pub fn path(&self) -> &ObjectPath {
        &self.path
    }

    /// The name of the backend that is written to.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        self.backend
    }

    /// Whether the sink [keeps chunks](WriteSink::keeps_chunks) apart; for wrappers.
    #[must_use]
    pub fn keeps_chunks(&self) -> bool {
        self.gathered_below == 0
    }

    /// Writes all of `chunk`. Chunks of at least half the sink's chunk size are passed on as they
    /// are, smaller ones gathered, unless the sink [keeps chunks](WriteSink::keeps_chunks).
    ///
    /// # Errors
    /// `WriterClosed` after finish, abort or a failure; otherwise those of the backend. An error
    /// closes the writer and aborts the write.
    pub async fn write_bytes(&mut self, mut chunk: Bytes) -> Result<()> {
        std::future::poll_fn(|cx| self.poll_take(cx, &mut chunk)).await
    }

    /// Hands everything written so far to the store, publishing nothing.
    ///
    /// # Errors
    /// As [`write_bytes`](Self::write_bytes).
    pub async fn flush(&mut self) -> Result<()> {
        std::future::poll_fn(|cx| self.poll_sync(cx)).await
    }

    /// Publishes the object. A second call returns the same again.
    ///
    /// # Errors
    /// `WriterClosed` after an abort or a failure; otherwise those of the backend, after which
    /// nothing was published unless [`Error::outcome_unknown`] says so.
    pub async fn finish(&mut self) -> Result<Written> {
        std::future::poll_fn(|cx| self.poll_finish(cx)).await
    }

    /// Abandons the write and waits until nothing of it is left. Fine on a closed writer.
    ///
    /// # Errors
    /// Those of the backend while cleaning up.
    pub async fn abort(mut self) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Idle(sink) => sink.abort().await,
            State::Writing(task) => task.await.0.abort().await,
            State::Finishing(_) | State::Finished(_) | State::Closed => Ok(()),
        }
        .map_err(|error| error.at(Operation::Write, self.backend, &self.path))
    }

    /// Waits for the sink; on success it is idle.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.state {
            State::Idle(_) => Poll::Ready(Ok(())),
            State::Writing(task) => {
                let (sink, result) = ready!(task.as_mut().poll(cx));
                self.state = State::Idle(sink);
                Poll::Ready(result.map_err(|error| self.fail(error)))
            }
            State::Finishing(_) | State::Finished(_) | State::Closed => {
                let message = "the writer was finished, aborted or failed before";
                let error = Error::new(ErrorKind::WriterClosed, message);
                Poll::Ready(Err(error.at(Operation::Write, self.backend, &self.path)))
            }
        }
    }

    /// Closes after a failure; dropping the sink aborts the write.
    fn fail(&mut self, error: Error) -> Error {
        self.state = State::Closed;
        error.at(Operation::Write, self.backend, &self.path)
    }

    /// Starts a call of the idle sink; the next `poll_idle` waits for it.
    fn start<F>(&mut self, call: impl FnOnce(Sink) -> F)
    where
        F: Future<Output = (Sink, Result<()>)> + Send + 'static,
    {
        if let State::Idle(sink) = std::mem::replace(&mut self.state, State::Closed) {
            self.state = State::Writing(Box::pin(call(sink)));
        }
    }

    fn start_write(&mut self, chunk: Bytes) {
        self.unflushed = true;
        self.start(async move |mut sink| {
            let result = sink.write(chunk).await;
            (sink, result)
        });
    }

    /// Takes `chunk`, leaving it empty, and waits until the sink has it.
    fn poll_take(&mut self, cx: &mut Context<'_>, chunk: &mut Bytes) -> Poll<Result<()>> {
        loop {
            ready!(self.poll_idle(cx))?;
            let fits = self.buffer.len() + chunk.len() < self.chunk_size;
            if chunk.is_empty() {
                return Poll::Ready(Ok(()));
            } else if fits && chunk.len() < self.gathered_below {
                self.buffer.extend_from_slice(chunk);
                chunk.clear();
            } else if !self.buffer.is_empty() {
                let gathered = self.buffer.split().freeze();
                self.start_write(gathered);
            } else {
                self.start_write(std::mem::take(chunk));
            }
        }
    }

    /// Passes the gathered bytes on.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_idle(cx))?;
        if !self.buffer.is_empty() {
            let gathered = self.buffer.split().freeze();
            self.start_write(gathered);
            ready!(self.poll_idle(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_sync(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_drain(cx))?;
        if !std::mem::take(&mut self.unflushed) {
            return Poll::Ready(Ok(()));
        }
        self.start(async move |mut sink| {
            let result = sink.flush().await;
            (sink, result)
        });
        self.poll_idle(cx)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<Written>> {
        loop {
            match &mut self.state {
                State::Finished(written) => return Poll::Ready(Ok(written.clone())),
                State::Finishing(task) => {
                    return Poll::Ready(match ready!(task.as_mut().poll(cx)) {
                        Ok(written) => {
                            self.state = State::Finished(written.clone());
                            Ok(written)
                        }
                        Err(error) => Err(self.fail(error)),
                    });
                }
                State::Idle(_) | State::Writing(_) | State::Closed => {
                    ready!(self.poll_drain(cx))?;
                    if let State::Idle(sink) = std::mem::replace(&mut self.state, State::Closed) {
                        self.state = State::Finishing(sink.finish());
                    }
                }
            }
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_idle(cx))?;
        let count = buf.len().min(self.chunk_size - self.buffer.len());
        self.buffer.extend_from_slice(&buf[..count]);
        if self.buffer.len() == self.chunk_size {
            let gathered = self.buffer.split().freeze();
            self.start_write(gathered);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.state, State::Finished(_)) {
            return Poll::Ready(Ok(()));
        }
        self.poll_sync(cx).map_err(Into::into)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx).map_ok(|_| ()).map_err(Into::into)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Idle(_) => "idle",
            State::Writing(_) => "writing",
            State::Finishing(_) => "finishing",
            State::Finished(_) => "finished",
            State::Closed => "closed",
        };
        f.debug_struct("Writer")
            .field("backend", &self.backend)
            .field("path", &self.path)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
