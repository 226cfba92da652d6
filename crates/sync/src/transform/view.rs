use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use storage_core::{
    Backend, BackendExt, Error, ErrorKind, ExtendedBackend, Features, Hashes, ListFilter,
    ListOptions, ListPage, ObjectInfo, ObjectPath, Operation, Prefix, ReadOptions, Reader, Result,
    WriteOptions, Writer, async_trait,
};
use tokio::sync::OnceCell;

use super::Transform;

/// A tree of a backend as a transformation makes it, to be read and deleted from.
#[derive(Debug)]
pub(crate) struct View {
    inner: Arc<dyn Backend>,
    prefix: Prefix,
    transform: Arc<dyn Transform>,
    /// What is below, by its new path.
    listed: OnceCell<BTreeMap<ObjectPath, ObjectInfo>>,
}

impl View {
    pub(crate) fn new(
        inner: Arc<dyn Backend>,
        prefix: Prefix,
        transform: Arc<dyn Transform>,
    ) -> Self {
        Self {
            inner,
            prefix,
            transform,
            listed: OnceCell::new(),
        }
    }

    async fn listing(&self, options: ListOptions) -> Result<BTreeMap<ObjectPath, ObjectInfo>> {
        let mut listed = BTreeMap::<ObjectPath, ObjectInfo>::new();
        let mut entries = self.inner.entries(self.prefix.clone(), options);
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let name = match entry.special {
                Some(_) => entry.path.clone(),
                None => self
                    .prefix
                    .join(self.transform.rename(&self.relative(&entry.path))?)?,
            };
            match listed.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(entry);
                }
                Entry::Occupied(taken) => {
                    let message = format!("{:?} gets the same new name", taken.get().path);
                    let error = Error::new(ErrorKind::AlreadyExists, message);
                    return Err(error.at(Operation::List, self.name(), &entry.path));
                }
            }
        }
        Ok(listed)
    }

    fn relative(&self, path: &ObjectPath) -> ObjectPath {
        let below = path.strip_prefix(&self.prefix).map(ObjectPath::new);
        below.and_then(Result::ok).unwrap_or_else(|| path.clone())
    }

    /// The object below a new path.
    fn original(&self, path: &ObjectPath, operation: Operation) -> Result<&ObjectInfo> {
        let found = self.listed.get().and_then(|listed| listed.get(path));
        found.ok_or_else(|| {
            let error = Error::not_found("there was no such object when the tree was listed");
            error.at(operation, self.name(), path)
        })
    }

    /// What is known of an object under its new path.
    fn info(&self, path: &ObjectPath, mut info: ObjectInfo) -> ObjectInfo {
        if info.special.is_none() && self.transform.changes_content(&self.relative(&info.path)) {
            (info.size, info.etag, info.hashes) = (None, None, Hashes::new());
        }
        info.path = path.clone();
        info
    }

    fn read_only(&self, path: &ObjectPath) -> Error {
        Error::unsupported("a transformed tree is a source").at(Operation::Write, self.name(), path)
    }
}

#[async_trait]
impl Backend for View {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let original = self.original(path, Operation::Read)?.path.clone();
        let relative = self.relative(&original);
        if !self.transform.changes_content(&relative) {
            let reader = self.inner.reader(&original, options).await?;
            let info = self.info(path, reader.info().clone());
            return Ok(match reader.range() {
                Some(range) => Reader::from_stream(info, range, Box::pin(reader)),
                None => Reader::from_unsized_stream(info, Box::pin(reader)),
            });
        }
        if options != ReadOptions::default() {
            let error = Error::unsupported("a changed content is read as a whole");
            return Err(error.at(Operation::Read, self.name(), path));
        }
        let reader = self.inner.reader(&original, options).await?;
        let info = self.info(path, reader.info().clone());
        let changed = self.transform.transform(&relative, reader).await?;
        Ok(Reader::from_unsized_stream(info, Box::pin(changed)))
    }

    async fn writer(&self, path: &ObjectPath, _: WriteOptions) -> Result<Writer> {
        Err(self.read_only(path))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        let original = &self.original(path, Operation::Delete)?.path;
        self.inner.delete(original).await
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let links = options.clone().into_parts().links;
        let whole = ListOptions::default().recursive(true).links(links);
        let listed = self.listed.get_or_try_init(|| self.listing(whole)).await?;
        let filter = ListFilter::new(prefix, &options.clone().into_parts());
        let after = filter.after().and_then(|after| ObjectPath::new(after).ok());
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let following = listed.range((start, Bound::Unbounded));
        let infos = following.map(|(path, info)| self.info(path, info.clone()));
        Ok(ListPage::of_sorted(prefix, options, infos))
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }

    /// Of the same objects, though by other names: a tree and its view are not source and
    /// destination of one job.
    fn identity(&self) -> Option<String> {
        self.inner.identity()
    }

    fn blocks(&self) -> bool {
        self.inner.blocks()
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        self.inner
            .as_extended()
            .map(|_| self as &dyn ExtendedBackend)
    }
}

#[async_trait]
impl ExtendedBackend for View {
    /// Those that tell where modified times are kept. Nobody writes to a view.
    fn features(&self) -> Features {
        let inner = self.inner.as_extended().map(ExtendedBackend::features);
        let inner = inner.unwrap_or_default();
        Features::NONE
            .with_set_modified(inner.set_modified)
            .with_custom_metadata(inner.custom_metadata)
    }

    fn modified_precision(&self) -> Duration {
        let inner = self.inner.as_extended();
        inner.map_or(Duration::from_nanos(1), ExtendedBackend::modified_precision)
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        if let Ok(original) = self.original(path, Operation::Stat) {
            let found = self.inner.try_stat(&original.path).await?;
            let gone = || Error::not_found("it is gone").at(Operation::Stat, self.name(), path);
            return Ok(self.info(path, found.ok_or_else(gone)?));
        }
        match self.inner.try_stat(path).await? {
            Some(info) if info.is_dir => Ok(info),
            Some(_) => Err(
                Error::unsupported("only the objects of a directory are transformed").at(
                    Operation::Stat,
                    self.name(),
                    path,
                ),
            ),
            None => Err(Error::not_found("").at(Operation::Stat, self.name(), path)),
        }
    }
}
