use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    Backend, Error, ExtendedBackend, Lifecycle, ListOptions, ListPage, ObjectPath, Operation,
    Payload, Prefix, ReadOptions, ReadParts, Reader, Result, WriteMode, WriteOptions, WriteParts,
    Writer, Written, async_trait,
};

use crate::call::hop;
use crate::failure::{NAME, Place, failure, is_absent};
use crate::link_objects::{self, Link};
use crate::read::{self, Opened};
use crate::sink::FileSink;
use crate::sys::{Kind, Stat};
use crate::tree::Tree;
use crate::{draft, names, pause, remove, system_metadata};

/// Objects as files below one directory. See the [crate] for an example.
///
/// Cloning is cheap; clones share one lifecycle. Needs a tokio runtime.
///
/// # Behavior beyond the contract
/// - Symbolic links are [what the builder says](crate::SymbolicLinks). Those that stay below the root are followed when reading; one that leads outside, or
///   that is absolute, is `PermissionDenied`. A write or a delete acts on the link, not on what it
///   points to; a conditional write or an append through one is `Unsupported`.
/// - FIFOs, sockets and devices are not objects: never listed, `Unsupported` when named.
/// - Names of temporary files (`.omnistorage-`, 32 hexadecimal digits, `.tmp`) are `InvalidPath`,
///   as are names too long for the file system.
/// - A name that is not UTF-8 is listed with replacement characters and without a size; no object
///   can be read under that key.
#[derive(Debug, Clone)]
pub struct FileBackend {
    pub(crate) tree: Arc<Tree>,
    lifecycle: Arc<Lifecycle>,
}

impl FileBackend {
    pub(crate) fn over(tree: Arc<Tree>) -> Self {
        Self {
            tree,
            lifecycle: Arc::new(Lifecycle::new()),
        }
    }

    /// Succeeds if the backend is open and the path may be an object's.
    pub(crate) fn admit(&self, operation: Operation, path: &ObjectPath) -> Result<()> {
        self.open_for(operation)?;
        let link = link_objects::behind(&self.tree, path);
        names::check(link.as_ref().unwrap_or(path)).at(operation, path)
    }

    pub(crate) fn open_for(&self, operation: Operation) -> Result<()> {
        self.lifecycle.check(operation, NAME)
    }

    /// Runs `work` on the tree and a path, off the async workers.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: Operation,
        path: &ObjectPath,
        work: impl FnOnce(&Arc<Tree>, &ObjectPath) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (tree, own) = (Arc::clone(&self.tree), path.clone());
        hop(move || work(&tree, &own)).await.at(operation, path)
    }

    /// The parts of write options that this backend honours.
    pub(crate) fn parts(&self, options: WriteOptions) -> Result<WriteParts> {
        let mut parts = options.into_parts();
        if !self.tree.system_metadata {
            parts.restrict_to(self.tree.features)?;
            return Ok(parts);
        }
        if parts.mode == WriteMode::Append && !parts.metadata.is_empty() {
            return Err(Error::unsupported("metadata of an append"));
        }
        // These need no extended attributes.
        let system = system_metadata::take(&mut parts.metadata);
        parts.restrict_to(self.tree.features)?;
        parts.metadata.extend(system);
        Ok(parts)
    }

    /// Reads a small range of a file that the system has in memory, without leaving the worker.
    fn read_inline(&self, path: &ObjectPath, parts: &ReadParts) -> Inline {
        if parts.verify || parts.if_version.is_some() || parts.if_changed_from.is_some() {
            return Inline::No;
        }
        let opened = match Opened::open_cached(&self.tree, path) {
            None => return Inline::No,
            Some(Err(error)) => return Inline::Done(Err(error)),
            Some(Ok(opened)) => opened,
        };
        match parts.range.resolve(opened.stat.size) {
            Err(error) => Inline::Done(Err(error)),
            Ok(range) => match opened.read_cached(&self.tree, &range) {
                Some(bytes) => Inline::Done(Ok(bytes)),
                None => Inline::Opened(opened, range),
            },
        }
    }
}

/// How far a read came without waiting.
enum Inline {
    Done(Result<Bytes>),
    Opened(Opened, Range<u64>),
    No,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Backend for FileBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.admit(Operation::Read, path)?;
        let parts = options.into_parts();
        if let Some(reader) = read::reader_inline(&self.tree, path, &parts) {
            return reader.at(Operation::Read, path);
        }
        self.run(Operation::Read, path, |tree, path| {
            read::reader(tree, path, parts)
        })
        .await
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.admit(Operation::Write, path)?;
        let parts = self.parts(options).at(Operation::Write, path)?;
        let sink = FileSink::new(Arc::clone(&self.tree), path.clone(), parts);
        Ok(Writer::new(NAME, path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.admit(Operation::Delete, path)?;
        self.run(Operation::Delete, path, |tree, path| {
            remove::object(tree, path)
        })
        .await
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.open_for(Operation::List)?;
        let (tree, own) = (Arc::clone(&self.tree), prefix.clone());
        hop(move || pause::page(&tree, &own, options))
            .await
            .map_err(|error| error.on(Operation::List, NAME).with_path(prefix))
    }

    async fn close(&self) -> Result<()> {
        if self.lifecycle.close() {
            self.tree.paused.clear();
            self.tree.pool.clear();
            self.tree.journal.clear();
        }
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.admit(Operation::Exists, path)?;
        let is_file = |stat: io::Result<Stat>| match stat {
            Ok(stat) => Ok(stat.kind == Kind::File),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(failure(error)),
        };
        if link_objects::behind(&self.tree, path).is_some() {
            let found = |tree: &Arc<Tree>, path: &ObjectPath| Link::find(tree, path);
            if self.run(Operation::Exists, path, found).await?.is_some() {
                return Ok(true);
            }
        }
        if let Some(stat) = self.tree.root.stat_cached(path) {
            return is_file(stat).at(Operation::Exists, path);
        }
        self.run(Operation::Exists, path, move |tree, path| {
            is_file(tree.root.stat(path))
        })
        .await
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        self.admit(Operation::Read, path)?;
        let parts = options.into_parts();
        match self.read_inline(path, &parts) {
            Inline::Done(read) => read.at(Operation::Read, path),
            Inline::Opened(opened, range) => {
                self.run(Operation::Read, path, move |tree, _| {
                    opened.read(&range, &tree.pool)
                })
                .await
            }
            Inline::No => {
                self.run(Operation::Read, path, |tree, path| {
                    read::read(tree, path, parts)
                })
                .await
            }
        }
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.admit(Operation::Read, path)?;
        let ranges = ranges.to_vec();
        self.run(Operation::Read, path, move |tree, path| {
            read::read_ranges(tree, path, &ranges)
        })
        .await
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        if payload.as_slices().is_none() && payload.as_file().is_none() {
            // A size that the caller announced stays, so that a payload of another size is refused.
            let options = match options.clone().into_parts().size {
                Some(_) => options,
                None => options.size(payload.len()),
            };
            let mut writer = self.writer(path, options).await?;
            let mut chunks = payload.stream();
            while let Some(chunk) = std::future::poll_fn(|cx| chunks.as_mut().poll_next(cx)).await {
                writer.write_bytes(chunk?).await?;
            }
            return writer.finish().await;
        }
        self.admit(Operation::Write, path)?;
        let parts = self.parts(options).at(Operation::Write, path)?;
        if let Some(written) = draft::write_inline(&self.tree, path, &payload, &parts) {
            return written.at(Operation::Write, path);
        }
        self.run(Operation::Write, path, move |tree, path| {
            draft::write_all(tree, path, &payload, parts)
        })
        .await
    }

    fn identity(&self) -> Option<String> {
        self.tree.identity.clone()
    }

    fn blocks(&self) -> bool {
        true
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}
