use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use storage_core::{
    Backend, Error, ExtendedBackend, Lifecycle, ListOptions, ListPage, ObjectPath, Operation,
    Payload, Prefix, ReadOptions, Reader, Result, WriteOptions, Writer, Written,
};

use crate::call::{Call, Reply, Step};
use crate::policy::{BoxFuture, Policy};

/// A backend with a [`Policy`] around every step.
///
/// It has the name of the backend below, and an extended part where that one has one.
#[derive(Debug)]
pub struct Layered<B, P> {
    pub(crate) inner: Arc<B>,
    pub(crate) policy: Arc<P>,
    /// That a call is refused because the backend was closed comes before any other refusal.
    lifecycle: Lifecycle,
}

impl<B: Backend, P: Policy> Layered<B, P> {
    pub(crate) fn new(inner: B, policy: P) -> Self {
        Self {
            inner: Arc::new(inner),
            policy: Arc::new(policy),
            lifecycle: Lifecycle::new(),
        }
    }

    /// The backend below.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.inner
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &P {
        &self.policy
    }

    pub(crate) fn begin<'a>(&self, operation: Operation, path: &'a str) -> Call<'a> {
        Call::new(operation, Step::Call, self.inner.name(), path)
    }

    pub(crate) async fn run<'a, T: Reply>(
        &self,
        call: Call<'_>,
        again: impl FnMut() -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        self.lifecycle.check(call.operation, call.backend)?;
        let outcome = self.policy.call(&call, again).await;
        outcome.map_err(|error| placed(error, &call))
    }

    /// Writes a payload chunk by chunk.
    async fn write_chunks(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let options = match options.clone().into_parts().size {
            Some(_) => options,
            None => options.size(payload.len()),
        };
        let mut writer = self.writer(path, options).await?;
        let mut chunks = payload.stream();
        while let Some(chunk) = chunks.next().await {
            writer.write_bytes(chunk?).await?;
        }
        writer.finish().await
    }
}

/// The error with the place of a policy's own errors.
pub(crate) fn placed(error: Error, call: &Call<'_>) -> Error {
    let error = error.on(call.operation, call.backend);
    match call.path {
        "" => error,
        path => error.with_path(path),
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend, P: Policy> Backend for Layered<B, P> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let mut call = self.begin(Operation::Read, path);
        call.step = Step::Open;
        self.lifecycle.check(call.operation, call.backend)?;
        if let Some(served) = self.policy.serve(&self.inner, path, &options).await {
            return served.map_err(|error| placed(error, &call));
        }
        let open = || self.inner.reader(path, options.clone());
        let reader = self.run(call, open).await?;
        Ok(self.policy.reader(&self.inner, reader, &options))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        let mut call = self.begin(Operation::Write, path).repeat_of(&options);
        call.step = Step::Open;
        call.mutates = true;
        let open = || self.inner.writer(path, options.clone());
        let writer = self.run(call, open).await?;
        Ok(self.policy.writer(self.name(), writer))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        let call = self.begin(Operation::Delete, path).mutating();
        self.run(call, || self.inner.delete(path)).await
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let call = self.begin(Operation::List, prefix);
        self.run(call, || self.inner.list(prefix, options.clone()))
            .await
    }

    /// Never refused by a policy and never repeated.
    async fn close(&self) -> Result<()> {
        self.inner.close().await?;
        self.lifecycle.close();
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        let call = self.begin(Operation::Exists, path);
        self.run(call, || self.inner.exists(path)).await
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        if self.policy.reads_by_chunks() {
            let bytes = self.reader(path, options).await?.bytes().await;
            return bytes.map_err(|error| error.at(Operation::Read, self.name(), path));
        }
        let call = self.begin(Operation::Read, path);
        self.lifecycle.check(call.operation, call.backend)?;
        if let Some(served) = self.policy.serve(&self.inner, path, &options).await {
            let bytes = match served {
                Ok(reader) => reader.bytes().await,
                Err(error) => Err(error),
            };
            return bytes.map_err(|error| placed(error, &call));
        }
        self.run(call, || self.inner.read(path, options.clone()))
            .await
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let lengths = ranges.iter().map(|r| r.end.saturating_sub(r.start));
        let bytes = lengths.fold(0, u64::saturating_add);
        let call = self.begin(Operation::Read, path).with_bytes(bytes);
        self.run(call, || self.inner.read_ranges(path, ranges))
            .await
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        if self.policy.writes_by_chunks(&payload) {
            return self.write_chunks(path, payload, options).await;
        }
        let call = self.begin(Operation::Write, path).mutating();
        let call = call.with_bytes(payload.len()).repeat_of(&options);
        self.lifecycle.check(call.operation, call.backend)?;
        let write = |payload| self.inner.write(path, payload, options.clone());
        let outcome = self.policy.write(&call, payload, write).await;
        outcome.map_err(|error| placed(error, &call))
    }

    fn identity(&self) -> Option<String> {
        self.inner.identity()
    }

    fn blocks(&self) -> bool {
        self.inner.blocks()
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        self.inner.as_extended().map(|_| self as _)
    }
}
