use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, Error, ExtendedBackend, Lifecycle, ListOptions, ListPage, ObjectPath, Operation,
    Payload, Prefix, ReadOptions, Reader, Result, WriteOptions, Writer, Written,
};

use crate::call::Options;
use crate::reply::Reply;
use crate::streams::{broken_reader, watched_reader, watched_writer};
use crate::{Call, Intercept, Step};

/// A backend with the hooks of an [`Intercept`] around every step.
///
/// It has the name of the backend below, and an extended part only where that one has.
#[derive(Debug)]
pub struct Intercepted<B, I> {
    pub(crate) inner: B,
    pub(crate) intercept: Arc<I>,
    /// Whether the backend below was closed: that a call is refused for this comes before any other
    /// refusal.
    pub(crate) lifecycle: Lifecycle,
}

impl<B, I> Intercepted<B, I> {
    pub(crate) const fn new(inner: B, intercept: Arc<I>) -> Self {
        Self {
            inner,
            intercept,
            lifecycle: Lifecycle::new(),
        }
    }

    /// The backend below.
    #[must_use]
    pub const fn get_ref(&self) -> &B {
        &self.inner
    }

    /// Gives the backend below back.
    #[must_use]
    pub fn into_inner(self) -> B {
        self.inner
    }
}

/// Asks the hook before a step.
pub(crate) async fn admit<I: Intercept>(
    intercept: &I,
    call: &mut Call<'_>,
    backend: &'static str,
) -> Result<()> {
    let admitted = intercept.before(call).await;
    admitted.map_err(|error| placed(error, call, backend))
}

/// Tells the hook after a step, and gives the caller what is left of the outcome.
pub(crate) async fn settle<I: Intercept, T: Reply>(
    intercept: &I,
    call: &Call<'_>,
    backend: &'static str,
    outcome: Result<T>,
) -> Result<T> {
    let seen = outcome.as_ref().map(Reply::bytes);
    let after = intercept.after(call, seen).await;
    let reply = outcome?;
    after.map_err(|error| placed(error, call, backend))?;
    Ok(reply.edited(intercept))
}

fn placed(error: Error, call: &Call<'_>, backend: &'static str) -> Error {
    let error = error.on(call.operation(), backend);
    if call.path().is_empty() {
        return error;
    }
    error.with_path(call.path())
}

/// Runs one step: the hook before, the action, the hook after. Where the call has options, the action
/// is given them as the hook left them.
macro_rules! around {
    ($self:ident, $call:expr, $action:expr) => {{
        let mut call = $call;
        let name = $self.inner.name();
        if let Err(refused) = $crate::intercepted::admit(&*$self.intercept, &mut call, name).await {
            $self.lifecycle.check(call.operation(), name)?;
            return Err(refused);
        }
        let outcome = $action.await;
        $crate::intercepted::settle(&*$self.intercept, &call, name, outcome).await
    }};
    ($self:ident, $call:expr, $kind:ident($options:ident), $action:expr) => {{
        let given = $options;
        let mut call = $call.with($crate::call::Options::$kind(given.clone()));
        let name = $self.inner.name();
        if let Err(refused) = $crate::intercepted::admit(&*$self.intercept, &mut call, name).await {
            $self.lifecycle.check(call.operation(), name)?;
            return Err(refused);
        }
        let $options = match call.options.clone() {
            $crate::call::Options::$kind(options) => options,
            _ => given,
        };
        let outcome = $action.await;
        $crate::intercepted::settle(&*$self.intercept, &call, name, outcome).await
    }};
}
pub(crate) use around;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend, I: Intercept> Backend for Intercepted<B, I> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let call = Call::new(Operation::Read, Step::Open, path);
        let broken = self.intercept.breaks(&call);
        let mut reader: Reader =
            around!(self, call, Read(options), self.inner.reader(path, options))?;
        if let Some(at) = broken {
            reader = broken_reader(reader, at);
        }
        if self.intercept.watches_readers() {
            reader = watched_reader(reader, self.name(), Arc::clone(&self.intercept));
        }
        Ok(reader)
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        let call = Call::new(Operation::Write, Step::Open, path);
        let given = options.clone();
        let writer = around!(self, call, Write(options), self.inner.writer(path, options))?;
        let intercept = Arc::clone(&self.intercept);
        Ok(watched_writer(writer, self.name(), given, intercept))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        let call = Call::new(Operation::Delete, Step::Call, path);
        around!(self, call, self.inner.delete(path))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let call = Call::new(Operation::List, Step::Call, prefix);
        around!(self, call, List(options), self.inner.list(prefix, options))
    }

    async fn close(&self) -> Result<()> {
        let call = Call::new(Operation::Close, Step::Call, "");
        let close = async {
            self.inner.close().await?;
            self.lifecycle.close();
            Ok(())
        };
        around!(self, call, close)
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        let call = Call::new(Operation::Exists, Step::Call, path);
        around!(self, call, self.inner.exists(path))
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        let call = Call::new(Operation::Read, Step::Call, path);
        let broken = self.intercept.breaks(&call);
        let read = async |options: ReadOptions| match broken {
            None => self.inner.read(path, options).await,
            Some(at) => {
                let reader = self.inner.reader(path, options).await?;
                broken_reader(reader, at).bytes().await
            }
        };
        around!(self, call, Read(options), read(options))
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let call = Call::new(Operation::Read, Step::Call, path).with(Options::Ranges(ranges.len()));
        let Some(at) = self.intercept.breaks(&call) else {
            return around!(self, call, self.inner.read_ranges(path, ranges));
        };
        // The break is put into the first range's stream.
        let read = async || {
            let range = ranges.first().cloned().unwrap_or_default();
            let reader = self.inner.reader(path, range.into()).await?;
            broken_reader(reader, at).bytes().await?;
            self.inner.read_ranges(path, ranges).await
        };
        around!(self, call, read())
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let call = Call::new(Operation::Write, Step::Call, path).with_bytes(payload.len());
        around!(
            self,
            call,
            Write(options),
            self.inner.write(path, payload, options)
        )
    }

    fn identity(&self) -> Option<String> {
        self.inner.identity()
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        self.inner.as_extended().map(|_| self as _)
    }
}
