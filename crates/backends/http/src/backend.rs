use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use http::{Method, StatusCode};
use storage_core::{
    Backend, Error, ErrorKind, ExtendedBackend, Features, Lifecycle, ListFilter, ListOptions,
    ListPage, ObjectInfo, ObjectPath, Operation, Prefix, ReadOptions, Reader, Result, WriteOptions,
    Writer,
};

use crate::HttpBuilder;
use crate::address::{Base, shown};
use crate::client::{Ask, Client, discard};
use crate::entity::is_strong_tag;
use crate::listing::{self, Kept};
use crate::manifest::Manifest;
use crate::read::{Conditions, Read};
use crate::walk::Walk;

/// The name under which it registers and which its errors carry.
pub(crate) const NAME: &str = "http";

/// How long opening may take.
const OPENING: Duration = Duration::from_secs(9);

/// The objects below one URL of a web server, to be read.
///
/// Every call that would write is `Unsupported`. A read is one request, whose body is handed on as it
/// comes; one that breaks off goes on with another request if the strong entity tag is still the same,
/// and fails if it is not or there is none. See the crate's documentation for listings.
#[derive(Debug)]
pub struct HttpBackend {
    base: Base,
    client: Arc<Client>,
    manifest: Option<Manifest>,
    kept: Kept,
    versions: bool,
    lifecycle: Lifecycle,
}

impl HttpBackend {
    /// Settings for what lies below `endpoint`, an absolute URL of http or https without credentials.
    pub fn builder(endpoint: impl Into<String>) -> HttpBuilder {
        HttpBuilder::new(endpoint)
    }

    pub(crate) async fn open(settings: HttpBuilder) -> Result<Self> {
        let base = Base::parse(&settings.endpoint)?;
        let secrets = settings.secret_headers()?;
        let manifest = match &settings.manifest {
            Some(reference) => Some(Manifest::new(base.resolve("manifest", reference)?)),
            None => None,
        };
        let client = Client::new(base.url(), secrets, settings.limits.checked()?).await?;
        let backend = Self {
            base,
            client,
            manifest,
            kept: Kept::default(),
            versions: settings.versions,
            lifecycle: Lifecycle::new(),
        };
        let silent = |_| {
            let message = format!("the server did not answer within {OPENING:?}");
            Error::new(ErrorKind::Timeout, message)
        };
        let probed = tokio::time::timeout(OPENING, backend.probe()).await;
        probed.map_err(silent)??;
        Ok(backend)
    }

    /// Whether the server answers and lets us in. It need not show an index of its root, nor know
    /// `HEAD`, but a manifest has to be there.
    async fn probe(&self) -> Result<()> {
        let url = self
            .manifest
            .as_ref()
            .map_or(self.base.url(), Manifest::url);
        let mut ask = Ask::new(Method::HEAD, url.clone());
        ask.is_object = self.manifest.is_some();
        let reply = self.client.send(&ask).await?;
        let refused = match reply.status {
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => true,
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => false,
            status => self.manifest.is_some() && !status.is_success(),
        };
        if refused {
            let error = reply.into_error().await;
            let message = format!("{}: {}", shown(url), error.message());
            return Err(Error::new(error.kind(), message));
        }
        discard(reply.body).await;
        Ok(())
    }

    fn read<'a>(&'a self, path: &'a ObjectPath) -> Read<'a> {
        Read {
            client: &self.client,
            path,
            url: self.base.object(path),
            versions: self.versions,
        }
    }

    async fn page(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        if let Some(manifest) = &self.manifest {
            return manifest.page(&self.client, prefix, options).await;
        }
        let parts = options.into_parts();
        let filter = ListFilter::new(prefix, &parts);
        let scope = listing::scope(prefix, &parts, &filter);
        let kept = parts.cursor.as_ref().and_then(|_| self.kept.take(&scope));
        let walk = match kept {
            Some(walk) => walk,
            None => Walk::start(&self.client, &self.base, scope).await?,
        };
        listing::page(walk, &parts, &filter, &self.kept).await
    }

    /// Reads ranges of one version: what the first one finds is asked for by its strong entity tag.
    /// Without one, whatever else the server tells of the object has to stay the same.
    async fn ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let read = self.read(path);
        let Some((first, rest)) = ranges.split_first() else {
            return Ok(Vec::new());
        };
        let (first, found) = read.range(first.clone(), None).await?;
        let pin = found.etag.as_deref().filter(|tag| is_strong_tag(tag));
        let rest: Vec<_> = rest
            .iter()
            .map(|range| read.range(range.clone(), pin))
            .collect();
        let mut parts = vec![first];
        let mut rest = iter(rest).buffered(self.client.limits().concurrency);
        while let Some((part, info)) = rest.try_next().await? {
            if !may_be_same(&found, &info) {
                let message = "the object changed while its ranges were read";
                return Err(Error::new(ErrorKind::Other, message).with_transient(true));
            }
            parts.push(part);
        }
        Ok(parts)
    }

    fn read_only(&self, operation: Operation, path: &ObjectPath) -> Error {
        match self.lifecycle.check(operation, NAME) {
            Ok(()) => Error::unsupported("this backend only reads").at(operation, NAME, path),
            Err(closed) => closed,
        }
    }
}

/// Whether nothing that two replies tell of an object differs.
fn may_be_same(first: &ObjectInfo, next: &ObjectInfo) -> bool {
    fn agree<T: PartialEq>(first: Option<&T>, next: Option<&T>) -> bool {
        first.zip(next).is_none_or(|(first, next)| first == next)
    }
    agree(first.etag.as_ref(), next.etag.as_ref())
        && agree(first.modified.as_ref(), next.modified.as_ref())
        && agree(first.size.as_ref(), next.size.as_ref())
}

#[async_trait]
impl Backend for HttpBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.lifecycle.check(Operation::Read, NAME)?;
        let reader = self.read(path).open(options.into_parts()).await;
        reader.map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn writer(&self, path: &ObjectPath, _options: WriteOptions) -> Result<Writer> {
        Err(self.read_only(Operation::Write, path))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        Err(self.read_only(Operation::Delete, path))
    }

    /// As the server's index pages show it, or the manifest. A directory without an index page is an
    /// error, `PermissionDenied` or `Unsupported`, and not empty.
    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.lifecycle.check(Operation::List, NAME)?;
        let page = self.page(prefix, options).await;
        page.map_err(|error| error.on(Operation::List, NAME).with_path(prefix))
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        self.kept.clear();
        if let Some(manifest) = &self.manifest {
            manifest.clear();
        }
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.lifecycle.check(Operation::Exists, NAME)?;
        match self.read(path).head(&Conditions::default()).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error.at(Operation::Exists, NAME, path)),
        }
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.lifecycle.check(Operation::Read, NAME)?;
        let parts = self.ranges(path, ranges).await;
        parts.map_err(|error| error.at(Operation::Read, NAME, path))
    }

    fn identity(&self) -> Option<String> {
        Some(self.base.url().to_string())
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

#[async_trait]
impl ExtendedBackend for HttpBackend {
    fn features(&self) -> Features {
        Features::NONE
            .with_range_read(true)
            .with_versions(self.versions)
    }

    /// HTTP tells times in seconds.
    fn modified_precision(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.lifecycle.check(Operation::Stat, NAME)?;
        let info = self.read(path).head(&Conditions::default()).await;
        info.map_err(|error| error.at(Operation::Stat, NAME, path))
    }
}
