use std::fmt;
use std::future::poll_fn;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, ByteRange, Error, ErrorKind, ExtendedBackend, Features, Hashes, Lifecycle,
    ListOptions, ListPage, ObjectInfo, ObjectPath, Operation, Payload, Prefix, ReadOptions,
    ReadParts, Reader, Result, WriteOptions, WriteParts, WriteSink, Writer, Written,
};
use storage_hash::{WriteHasher, verified};

use crate::MemoryBuilder;
use crate::content::{Content, Snapshot};
use crate::object::{Object, Publication};
use crate::sink::MemorySink;
use crate::store::Store;

/// The name under which it registers and which its errors carry.
pub(crate) const NAME: &str = "memory";

/// A store of objects in memory.
///
/// Each [`new`](Self::new) or [`build`](MemoryBuilder::build) makes a store of its own; a clone is
/// another handle on the same store. Closing a handle, a backend's
/// [`close`](storage_core::Backend::close), leaves the other handles and the content alone; the
/// content is freed with the last handle, writer and reader that needs it.
///
/// No call waits for anything but a lock that is held for one page of a listing, one change, or, by
/// `rename` and recursive `rmdir` of a directory and [`clear`](Self::clear), for what is below it.
pub struct MemoryBackend {
    store: Arc<Store>,
    lifecycle: Lifecycle,
    features: Features,
}

/// One consistent object as a read found it.
struct Opened {
    content: Content,
    range: Range<u64>,
    /// The digests to check the bytes against.
    verify: Option<Hashes>,
}

impl MemoryBackend {
    /// An empty store with directories and without a budget.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings for a store.
    pub const fn builder() -> MemoryBuilder {
        MemoryBuilder::new()
    }

    pub(crate) fn with_store(store: Arc<Store>, directories: bool) -> Self {
        Self {
            store,
            lifecycle: Lifecycle::new(),
            features: Features::ALL
                .with_presign(false)
                .with_directories(directories)
                .with_directory_times(false),
        }
    }

    /// The number of objects, directories not counted. Works on a closed handle too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.tree().objects.len()
    }

    /// Whether there are no objects. Directories do not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that count against the budget: the size of every object, copies included, and what
    /// writers that are not finished hold.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.store.budget.used()
    }

    /// Removes every object and directory at once. Open readers keep their snapshots, and writers
    /// that finish later publish as usual.
    pub fn clear(&self) {
        self.store.clear();
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) const fn features_now(&self) -> Features {
        self.features
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<()> {
        self.lifecycle.check(operation, NAME)
    }

    fn open<T>(
        &self,
        path: &ObjectPath,
        options: ReadOptions,
        also: impl FnOnce(&Object) -> T,
    ) -> Result<(Opened, T)> {
        self.check(Operation::Read)?;
        let open = || {
            let tree = self.store.tree();
            let object = tree.object(path)?;
            Ok((opened(object, options.into_parts())?, also(object)))
        };
        open().map_err(|error: Error| error.at(Operation::Read, NAME, path))
    }

    /// Takes the options of a write apart and refuses what cannot be honoured.
    #[inline]
    fn admit(&self, options: WriteOptions) -> Result<WriteParts> {
        let mut parts = options.into_parts();
        parts.restrict_to(self.features)?;
        Ok(parts)
    }

    /// Publishes small content, without giving other tasks a turn.
    fn publish_now(
        &self,
        path: &ObjectPath,
        slices: &[Bytes],
        options: WriteOptions,
    ) -> Result<Written> {
        let content = Content::of_chunks(slices);
        if options.is_plain() {
            return self.store.publish(path, Publication::plain(content), None);
        }
        let parts = self.admit(options)?;
        let is_checked = parts.size.is_some_and(|size| size != content.len())
            || !(parts.hashes.is_empty() && parts.verify.is_empty() && parts.expected.is_empty());
        if !is_checked {
            let mut publication = Publication::new(parts);
            publication.content = content;
            return self.store.publish(path, publication, None);
        }
        let mut hasher = WriteHasher::new(&parts);
        slices.iter().for_each(|slice| hasher.update(slice));
        let hashes = hasher.finish()?;
        let mut publication = Publication::new(parts);
        publication.content = content;
        publication.attributes.hashes = hashes.stored;
        publication.reported = hashes.reported;
        self.store.publish(path, publication, None)
    }

    async fn publish(
        &self,
        path: &ObjectPath,
        payload: &Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let parts = self.admit(options)?;
        let Some(slices) = payload.as_slices() else {
            return self.publish_stream(path, payload, parts).await;
        };
        let mut hasher = WriteHasher::new(&parts);
        for slice in slices {
            hasher.absorb(slice).await;
        }
        let hashes = hasher.finish()?;
        let mut publication = Publication::new(parts);
        publication.content = Content::of_chunks(slices);
        publication.attributes.hashes = hashes.stored;
        publication.reported = hashes.reported;
        self.store.publish(path, publication, None)
    }

    async fn publish_stream(
        &self,
        path: &ObjectPath,
        payload: &Payload,
        mut parts: WriteParts,
    ) -> Result<Written> {
        parts.size.get_or_insert(payload.len());
        let mut sink = Box::new(MemorySink::new(&self.store, path.clone(), parts));
        let mut chunks = payload.stream();
        while let Some(chunk) = poll_fn(|cx| chunks.as_mut().poll_next(cx)).await {
            sink.write(chunk?).await?;
        }
        sink.finish().await
    }
}

fn opened(object: &Object, parts: ReadParts) -> Result<Opened> {
    let ReadParts {
        range,
        if_version,
        if_changed_from,
        verify,
    } = parts;
    if let Some(expected) = if_version.filter(|expected| *expected != object.version) {
        let actual = Some(object.version.clone());
        return Err(Error::precondition_failed(Some(expected), actual));
    }
    if if_changed_from.is_some_and(|version| version == object.version) {
        return Err(Error::new(ErrorKind::NotModified, ""));
    }
    if verify && range != ByteRange::Full {
        return Err(Error::unsupported("verifying a part of an object"));
    }
    let hashes = || object.attributes.as_deref().map(|kept| kept.hashes.clone());
    Ok(Opened {
        range: range.resolve(object.content.len())?,
        content: object.content.clone(),
        verify: verify.then(|| hashes().unwrap_or_default()),
    })
}

impl Opened {
    fn into_reader(self, info: ObjectInfo) -> Result<Reader> {
        let Self {
            content,
            range,
            verify,
        } = self;
        if verify.is_none() && matches!(content, Content::One(_)) {
            let bytes = content.slice(range.clone());
            return Ok(Reader::from_bytes(info, range, bytes));
        }
        let source = Arc::new(Snapshot {
            content,
            range: range.clone(),
        });
        let stream = Payload::from_source(source.clone()).stream();
        Ok(match verify {
            // Without the source: a payload made of it would not be verified.
            Some(expected) => Reader::from_stream(info, range, verified(stream, expected)?),
            None => Reader::from_stream(info, range, stream).with_source(source),
        })
    }
}

/// Bytes that are hashed without giving other tasks a turn.
const AT_ONCE: u64 = 64 << 10;

#[async_trait]
impl Backend for MemoryBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let (opened, info) = self.open(path, options, |object| object.info(path))?;
        opened
            .into_reader(info)
            .map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.check(Operation::Write)?;
        let open = || {
            let parts = self.admit(options)?;
            // Decided again when it finishes; a write that cannot succeed need not be streamed.
            let tree = self.store.tree();
            tree.check_place(path)?;
            tree.check_mode(path, &parts.mode)?;
            Ok(MemorySink::new(&self.store, path.clone(), parts))
        };
        let sink = open().map_err(|error: Error| error.at(Operation::Write, NAME, path))?;
        Ok(Writer::new(NAME, path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Delete)?;
        let mut tree = self.store.tree_mut();
        let Some(object) = tree.objects.remove(path.as_str()) else {
            if tree.is_directory(path) {
                let error = Error::new(ErrorKind::IsDirectory, "");
                return Err(error.at(Operation::Delete, NAME, path));
            }
            return Ok(false);
        };
        self.store.release([&object]);
        drop(tree);
        Ok(true)
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.check(Operation::List)?;
        let parts = options.into_parts();
        Ok(crate::listing::page(&self.store.tree(), prefix, &parts))
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Exists)?;
        Ok(self.store.tree().objects.contains_key(path.as_str()))
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        let (opened, ()) = self.open(path, options, |_| ())?;
        if opened.verify.is_none() {
            return Ok(opened.content.slice(opened.range));
        }
        // The bytes are those of the snapshot, so the rest of the object's attributes do not matter.
        let reader = opened.into_reader(ObjectInfo::new(path.clone()));
        let read = async { reader?.bytes().await };
        read.await
            .map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let (opened, ()) = self.open(path, ReadOptions::default(), |_| ())?;
        let slice = |range: &Range<u64>| {
            let range = ByteRange::from(range.clone()).resolve(opened.content.len())?;
            Ok(opened.content.slice(range))
        };
        let slices: Result<_> = ranges.iter().map(slice).collect();
        slices.map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Write)?;
        let written = match payload.as_slices() {
            Some(slices) if payload.len() <= AT_ONCE => self.publish_now(path, slices, options),
            // Boxed, to keep the future of the plain case small.
            _ => Box::pin(self.publish(path, &payload, options)).await,
        };
        written.map_err(|error| error.at(Operation::Write, NAME, path))
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

impl Clone for MemoryBackend {
    /// Another handle on the same store, open whether this one is or not.
    fn clone(&self) -> Self {
        Self::with_store(Arc::clone(&self.store), self.features.directories)
    }
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackend")
            .field("len", &self.len())
            .field("total_bytes", &self.total_bytes())
            .field("directories", &self.features.directories)
            .finish_non_exhaustive()
    }
}
