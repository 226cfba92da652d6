use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use storage_core::{
    Backend, Bytes, ExtendedBackend, Features, Lifecycle, ListOptions, ListPage, ObjectPath,
    Operation, Payload, Prefix, ReadOptions, Reader, Result, WriteMode, WriteOptions, WriteParts,
    WriteSink, Writer, Written,
};
use storage_core::{Error, ErrorKind};

use crate::RedisBuilder;
use crate::read::Opened;
use crate::sink::RedisSink;
use crate::store::Store;

/// The name under which it registers and which its errors carry.
pub(crate) const NAME: &str = "redis";

pub(crate) const FEATURES: Features = Features::ALL
    .with_presign(false)
    .with_directories(false)
    .with_directory_times(false);

/// A store of objects in Redis, below one prefix.
///
/// The name space is flat, as an object store's is: `x` may stand beside `x/y`. All requests share one
/// connection, which is made anew when it is lost; what was under way then is tried again, and nothing
/// happens twice.
pub struct RedisBackend {
    store: Arc<Store>,
    lifecycle: Lifecycle,
}

impl RedisBackend {
    /// Settings for a store on the server at `host`, such as `localhost`.
    pub fn builder(host: impl Into<String>) -> RedisBuilder {
        RedisBuilder::new(host.into())
    }

    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            lifecycle: Lifecycle::new(),
        }
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<()> {
        self.lifecycle.check(operation, NAME)
    }

    async fn open_reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        Opened::find(&self.store, path, options)
            .await?
            .into_reader()
    }

    fn sink(&self, path: &ObjectPath, options: WriteOptions) -> Result<(RedisSink, WriteParts)> {
        let mut parts = options.into_parts();
        parts.restrict_to(FEATURES)?;
        let sink = RedisSink::new(Arc::clone(&self.store), path.clone(), &parts);
        Ok((sink, parts))
    }

    async fn open_writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<RedisSink> {
        let (sink, parts) = self.sink(path, options)?;
        // Decided again when it finishes; a write that cannot succeed need not be streamed.
        match parts.mode {
            WriteMode::Replace | WriteMode::Append => {}
            WriteMode::CreateNew => {
                if self.store.exists(path).await? {
                    return Err(Error::new(ErrorKind::AlreadyExists, ""));
                }
            }
            WriteMode::IfVersion(expected) => {
                let found = match self.store.stat(path).await {
                    Ok(found) => Some(found.version),
                    Err(error) if error.is_not_found() => None,
                    Err(error) => return Err(error),
                };
                if found.as_ref() != Some(&expected) {
                    return Err(Error::precondition_failed(Some(expected), found));
                }
            }
        }
        Ok(sink)
    }

    async fn write_all(
        &self,
        path: &ObjectPath,
        payload: &Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let options = match options.clone().into_parts().size {
            Some(_) => options,
            None => options.size(payload.len()),
        };
        let (sink, _) = self.sink(path, options)?;
        let mut sink = Box::new(sink);
        let mut chunks = payload.stream();
        while let Some(chunk) = chunks.next().await {
            sink.write(chunk?).await?;
        }
        sink.finish().await
    }
}

#[async_trait]
impl Backend for RedisBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.check(Operation::Read)?;
        let reader = self.open_reader(path, options).await;
        tracing::debug!(operation = "read", %path, ok = reader.is_ok(), "redis");
        reader.map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.check(Operation::Write)?;
        let sink = self.open_writer(path, options).await;
        let sink = sink.map_err(|error| error.at(Operation::Write, NAME, path))?;
        Ok(Writer::new(NAME, path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Delete)?;
        let deleted = self.store.delete(path).await;
        tracing::debug!(operation = "delete", %path, ok = deleted.is_ok(), "redis");
        deleted.map_err(|error| error.at(Operation::Delete, NAME, path))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.check(Operation::List)?;
        let page = crate::listing::page(&self.store, prefix, &options.into_parts()).await;
        tracing::debug!(operation = "list", %prefix, ok = page.is_ok(), "redis");
        page.map_err(|error| error.on(Operation::List, NAME).with_path(prefix))
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        // Also where an earlier call was dropped before it had.
        self.store.link.close().await;
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Exists)?;
        let found = self.store.exists(path).await;
        found.map_err(|error| error.at(Operation::Exists, NAME, path))
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check(Operation::Read)?;
        let read = async {
            let opened = &Opened::find(&self.store, path, ReadOptions::default()).await?;
            let parts = stream::iter(ranges.to_vec())
                .map(|range| async move { opened.range(&range).await })
                .buffered(self.store.settings.concurrency);
            parts.try_collect().await
        };
        read.await
            .map_err(|error: Error| error.at(Operation::Read, NAME, path))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Write)?;
        let written = self.write_all(path, &payload, options).await;
        let bytes = payload.len();
        tracing::debug!(operation = "write", %path, bytes, ok = written.is_ok(), "redis");
        written.map_err(|error| error.at(Operation::Write, NAME, path))
    }

    fn identity(&self) -> Option<String> {
        let settings = &self.store.settings;
        Some(format!(
            "{}?prefix={}/",
            settings.address(),
            settings.prefix
        ))
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackend")
            .field("settings", &self.store.settings)
            .finish_non_exhaustive()
    }
}
