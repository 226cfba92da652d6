use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use storage_core::{
    Backend, Error, ExtendedBackend, Features, Lifecycle, ListOptions, ListPage, ObjectPath,
    Operation, Payload, Prefix, ReadOptions, Reader, Result, WriteOptions, WriteParts, WriteSink,
    Writer, Written,
};
use tokio::time::sleep;

use crate::attempt::delay;
use crate::claim::marked;
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
            .with_directory_times(false)
            .with_rename(false)
            .with_presign(self.client.signer.is_some())
    }

    /// Takes the options of a write apart and refuses what cannot be honoured.
    fn admit(&self, path: &ObjectPath, options: WriteOptions) -> Result<(Target, WriteParts)> {
        let mut parts = options.into_parts();
        parts.restrict_to(self.features_now())?;
        let attributes = Attributes::of(&parts)?;
        let name = self.client.name(path)?;
        let client = Arc::clone(&self.client);
        let target = Target::new(client, name, parts.mode.clone(), attributes)?;
        Ok((target, parts))
    }

    /// Writes a payload, from its start again where an upload broke off: what was not published does
    /// no harm, and what was is known by its mark or replaced by the same.
    async fn publish(
        &self,
        path: &ObjectPath,
        payload: &Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let (target, mut parts) = self.admit(path, options)?;
        parts.size.get_or_insert(payload.len());
        let large = payload.len() > self.client.settings.part_size;
        let most = if large {
            self.client.settings.max_attempts
        } else {
            1
        };
        let (mut tried, mut unsure) = (1, false);
        loop {
            let error = match self.send(&target, &parts, payload).await {
                Ok(written) => return Ok(written),
                Err(error) => error,
            };
            unsure |= error.outcome_unknown();
            if !error.is_transient() || tried >= most {
                return Err(marked(error, unsure));
            }
            tracing::debug!(name = target.name, tried, %error, "uploading again");
            sleep(delay(tried)).await;
            tried += 1;
        }
    }

    async fn send(
        &self,
        target: &Target,
        parts: &WriteParts,
        payload: &Payload,
    ) -> Result<Written> {
        let mut sink = Box::new(GcsSink::new(target.clone(), parts));
        let mut chunks = payload.stream();
        while let Some(chunk) = chunks.next().await {
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
        let open = async {
            let (target, parts) = self.admit(path, options)?;
            // Decided again when it finishes; a write that cannot succeed need not be streamed.
            target.check().await?;
            Ok(GcsSink::new(target, &parts))
        };
        let sink = open.await;
        let sink = sink.map_err(|error: Error| error.at(Operation::Write, NAME, path))?;
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
