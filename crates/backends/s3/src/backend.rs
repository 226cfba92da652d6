use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, Config, Error, ExtendedBackend, Features, ListOptions, ListPage, ObjectInfo,
    ObjectPath, Operation, Payload, Prefix, PresignOptions, ReadOptions, Reader, Result,
    RmdirOptions, WriteOptions, Writer, Written,
};

use crate::settings::without_user;
use crate::sink::S3Sink;
use crate::store::Store;
use crate::{Capabilities, NAME, S3Builder, factory};

/// Objects in a bucket of S3, or of what speaks its protocol. Cloning gives another handle on the
/// same connections.
#[derive(Debug, Clone)]
pub struct S3Backend(pub(crate) Arc<Store>);

impl S3Backend {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self(store)
    }

    /// Settings for a bucket.
    pub fn builder(bucket: impl Into<String>) -> S3Builder {
        S3Builder::new(bucket)
    }

    /// Opens what a configuration describes; its keys are on the backend's page.
    ///
    /// # Errors
    /// `Config` for unknown or malformed keys; otherwise those of [`S3Builder::open`].
    pub async fn from_config(config: Config) -> Result<Self> {
        factory::builder_of(config)?.open().await
    }

    /// What was found, or stated, of the store.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }
}

/// Runs one operation of an open backend and names its place in the error.
macro_rules! operation {
    ($store:expr, $operation:ident, $path:expr, $work:expr) => {{
        $store.check(Operation::$operation)?;
        tracing::debug!(operation = %Operation::$operation, path = $path.as_str(), "s3");
        let result: Result<_> = $work.await;
        result.map_err(|error| error.at(Operation::$operation, NAME, $path))
    }};
}

#[async_trait]
impl Backend for S3Backend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        operation!(self.0, Read, path, self.0.open(path, options))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        let store = Arc::clone(&self.0);
        let sink = async { S3Sink::new(store, path.clone(), options.into_parts()) };
        let sink = operation!(self.0, Write, path, sink)?;
        Ok(Writer::new(NAME, path.clone(), sink))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        operation!(
            self.0,
            Write,
            path,
            crate::whole::write(&self.0, path, payload, options)
        )
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        operation!(self.0, Delete, path, self.0.remove(path))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.0.check(Operation::List)?;
        let page = self.0.page(prefix, options).await;
        page.map_err(|error| error.on(Operation::List, NAME).with_path(prefix.as_str()))
    }

    async fn close(&self) -> Result<()> {
        self.0.lifecycle.close();
        self.0.background.settle().await;
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        let found = async {
            match self.0.head(path).await {
                Ok(_) => Ok(true),
                Err(failure) if failure.is_missing() => Ok(false),
                Err(failure) => Err(Error::from(failure)),
            }
        };
        operation!(self.0, Exists, path, found)
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        operation!(self.0, Read, path, self.0.ranges(path, ranges))
    }

    fn identity(&self) -> Option<String> {
        let settings = &self.0.settings;
        let endpoint = settings.endpoint.as_deref().map_or_else(
            || "amazonaws.com".to_owned(),
            |url| {
                without_user(url)
                    .rsplit("://")
                    .next()
                    .unwrap_or("")
                    .to_ascii_lowercase()
            },
        );
        Some(format!(
            "s3://{endpoint}/{}/{}",
            settings.bucket, settings.prefix
        ))
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

#[async_trait]
impl ExtendedBackend for S3Backend {
    fn features(&self) -> Features {
        self.0.features()
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        let found = async { self.0.head(path).await.map_err(Error::from) };
        operation!(self.0, Stat, path, found)
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        let removed = async {
            if !options.recursive {
                return Err(Error::unsupported(
                    "this backend has no feature `directories`",
                ));
            }
            match self.0.purge(&self.0.key_prefix(&path.as_prefix())).await? {
                true => Ok(()),
                false => Err(Error::not_found("")),
            }
        };
        operation!(self.0, Rmdir, path, removed)
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        operation!(self.0, Copy, from, self.0.copied(from, to, options))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        let set = async {
            if self.0.settings.server_modified {
                return Err(Error::unsupported("the modified time is the store's"));
            }
            self.0.touch(path, modified).await
        };
        operation!(self.0, SetModified, path, set)
    }

    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        operation!(self.0, Presign, path, self.0.signed_url(path, options))
    }

    fn modified_precision(&self) -> Duration {
        match self.0.settings.server_modified {
            true => Duration::from_secs(1),
            false => Duration::from_nanos(1),
        }
    }
}
