use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, Error, ExtendedBackend, Features, Lifecycle, ListOptions, ListPage, ObjectPath,
    Operation, Payload, Prefix, ReadOptions, Reader, Result, WriteMode, WriteOptions, Writer,
    Written,
};

use crate::client::{Client, Shared};
use crate::failure::Reason;
use crate::info::Attributes;
use crate::sink::GcsSink;
use crate::upload::Target;
use crate::{GcsBuilder, listing, reading};

/// The name under which it registers and which its errors carry.
pub(crate) const NAME: &str = "gcs";

/// A bucket of Google Cloud Storage, or what is below a prefix of it.
///
/// Closing it frees nothing but the right to use it; connections end when they are idle.
pub struct GcsBackend {
    client: Shared,
    lifecycle: Lifecycle,
    identity: String,
}

impl GcsBackend {
    /// Settings for a backend over a bucket.
    pub fn builder(bucket: impl Into<String>) -> GcsBuilder {
        GcsBuilder::new(bucket.into())
    }

    pub(crate) async fn open(settings: GcsBuilder, prefix: Prefix) -> Result<Self> {
        let endpoint = settings
            .endpoint
            .as_deref()
            .map(|e| e.trim_end_matches('/'));
        let place = endpoint.map_or("gs:/".to_owned(), str::to_owned);
        let identity = format!("{place}/{}/{prefix}", settings.bucket);
        let client = Client::open(settings, &prefix).await;
        let client = client.map_err(|error| error.on(Operation::Open, NAME))?;
        Ok(Self {
            client: Arc::new(client),
            lifecycle: Lifecycle::new(),
            identity,
        })
    }

    pub(crate) const fn client(&self) -> &Shared {
        &self.client
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<()> {
        self.lifecycle.check(operation, NAME)
    }

    pub(crate) fn features_now(&self) -> Features {
        Features::ALL
            .with_append(false)
            .with_directories(false)
            .with_rename(false)
            .with_presign(self.client.signer.is_some())
    }

    async fn sink(&self, path: &ObjectPath, options: WriteOptions, check: bool) -> Result<GcsSink> {
        let mut parts = options.into_parts();
        parts.restrict_to(self.features_now())?;
        let attributes = Attributes::of(&parts)?;
        let name = self.client.name(path)?;
        let mode: WriteMode = parts.mode.clone();
        let target = Target::new(Arc::clone(&self.client), name, mode, attributes)?;
        if check {
            target.check().await?;
        }
        Ok(GcsSink::new(target, &parts))
    }

    async fn publish(
        &self,
        path: &ObjectPath,
        payload: &Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        use storage_core::WriteSink as _;

        let sized = options.clone().into_parts().size.is_some();
        let options = if sized {
            options
        } else {
            options.size(payload.len())
        };
        let mut sink = Box::new(self.sink(path, options, false).await?);
        let mut chunks = payload.stream();
        while let Some(chunk) = futures_util::StreamExt::next(&mut chunks).await {
            sink.write(chunk?).await?;
        }
        sink.finish().await
    }
}

#[async_trait]
impl Backend for GcsBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.check(Operation::Read)?;
        let reader = reading::reader(&self.client, path, options.into_parts()).await;
        reader.map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.check(Operation::Write)?;
        let sink = self.sink(path, options, true).await;
        let sink = sink.map_err(|error| error.at(Operation::Write, NAME, path))?;
        Ok(Writer::new(NAME, path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Delete)?;
        let delete = async { Ok(self.client.delete(&self.client.name(path)?).await?) };
        delete
            .await
            .map_err(|error: Error| error.at(Operation::Delete, NAME, path))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.check(Operation::List)?;
        let page = listing::page(&self.client, prefix, &options.into_parts()).await;
        page.map_err(|error| error.on(Operation::List, NAME).with_path(prefix.as_str()))
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Exists)?;
        let look = async {
            match self.client.object(&self.client.name(path)?).await {
                Ok(_) => Ok(true),
                Err(failure) if failure.reason == Reason::Missing => Ok(false),
                Err(failure) => Err(failure.into()),
            }
        };
        look.await
            .map_err(|error: Error| error.at(Operation::Exists, NAME, path))
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        self.check(Operation::Read)?;
        let read = reading::bytes(&self.client, path, options).await;
        read.map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check(Operation::Read)?;
        let read = reading::ranges(&self.client, path, ranges).await;
        read.map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Write)?;
        let written = self.publish(path, &payload, options).await;
        written.map_err(|error| error.at(Operation::Write, NAME, path))
    }

    fn identity(&self) -> Option<String> {
        Some(self.identity.clone())
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

impl fmt::Debug for GcsBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcsBackend")
            .field("identity", &self.identity)
            .field("settings", &self.client.settings)
            .finish_non_exhaustive()
    }
}
