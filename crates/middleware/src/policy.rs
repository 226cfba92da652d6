use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use storage_core::{Backend, Features, ObjectPath, Payload, ReadOptions, Reader, Result, Writer};

use crate::call::{Call, Reply};
use crate::layer::Layer;
use crate::layered::Layered;
use crate::streams::{watched_reader, watched_writer};

/// What the methods of a backend return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is done around every step of every call: the layers that leave names and bytes as they are
/// are one of these each, over [`Layered`]. Every policy is a [`Layer`].
///
/// ```
/// use std::future::Future;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use storage_core::{BackendExt, Result};
/// use storage_middleware::{Call, LayerExt, Policy, Reply};
///
/// #[derive(Debug, Default)]
/// struct Steps(AtomicU64);
///
/// impl Policy for Steps {
///     async fn step<T: Reply>(
///         &self,
///         _: &Call<'_>,
///         action: impl Future<Output = Result<T>> + Send,
///     ) -> Result<T> {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         action.await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let backend = storage_memory::MemoryBackend::new().layer(Steps::default());
/// backend.put("a", "one").await?;
/// assert_eq!(backend.policy().0.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
pub trait Policy: fmt::Debug + Send + Sync + Sized + 'static {
    /// Runs one step. `action` does nothing unless it is polled, and may be dropped.
    fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send;

    /// Runs a step that can be made again. Provided: once.
    fn call<'a, T: Reply>(
        &self,
        call: &Call<'_>,
        mut again: impl FnMut() -> BoxFuture<'a, Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send {
        self.step(call, again())
    }

    /// Runs a write of a whole object, which may be given another payload with the same bytes.
    /// Provided: [`call`](Self::call) with the payload as it is.
    fn write<'a, T: Reply>(
        &self,
        call: &Call<'_>,
        payload: Payload,
        mut again: impl FnMut(Payload) -> BoxFuture<'a, Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send {
        self.call(call, move || again(payload.clone()))
    }

    /// Answers a read without the calls of the backend that it stands for. Provided: it does not.
    fn serve<B: Backend>(
        &self,
        backend: &Arc<B>,
        path: &ObjectPath,
        options: &ReadOptions,
    ) -> impl Future<Output = Option<Result<Reader>>> + Send {
        let _ = (backend, path, options);
        std::future::ready(None)
    }

    /// Puts the policy over a reader that `backend` opened. Provided: every chunk that is not in
    /// memory already is a step.
    fn reader<B: Backend>(
        self: &Arc<Self>,
        backend: &Arc<B>,
        reader: Reader,
        options: &ReadOptions,
    ) -> Reader {
        let _ = options;
        watched_reader(reader, backend.name(), Arc::clone(self))
    }

    /// Whether `read` goes through a reader, so that each chunk is a step.
    fn reads_by_chunks(&self) -> bool {
        false
    }

    /// Whether a write of this payload goes through a writer, so that each chunk is a step.
    fn writes_by_chunks(&self, payload: &Payload) -> bool {
        let _ = payload;
        false
    }

    /// Puts the policy over a writer that the backend of that name opened. Provided: every step of it
    /// is a step.
    fn writer(self: &Arc<Self>, backend: &'static str, writer: Writer) -> Writer {
        watched_writer(writer, backend, Arc::clone(self))
    }

    /// The features to report for a backend that has `inner`.
    fn features(&self, inner: Features) -> Features {
        inner
    }
}

impl<B: Backend, P: Policy> Layer<B> for P {
    type Layered = Layered<B, P>;

    fn over(self, inner: B) -> Self::Layered {
        Layered::new(inner, self)
    }
}
