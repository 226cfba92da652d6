use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use storage_core::{
    Backend, ExtendedBackend, Features, Lifecycle, ListOptions, ListPage, NameFolding, ObjectInfo,
    ObjectPath, Operation, Payload, Prefix, PresignOptions, ReadOptions, Reader, Result,
    RmdirOptions, WriteOptions, WriteSink, Writer, Written, async_trait,
};

/// A backend that only reads, together with another one that writes into its store, as one backend:
/// so the whole suite runs against what can fill no store by itself.
///
/// The features are those of the reading side. What it refuses, it refuses here; plain writes and
/// deletions go to the writing side, and what they published is told as the reading side sees it.
/// Where the reading side has no directories, those that a deletion leaves empty are removed.
#[derive(Debug)]
pub struct Seeded<R, W> {
    reads: Arc<R>,
    writes: W,
    lifecycle: Lifecycle,
}

impl<R: ExtendedBackend, W: Backend> Seeded<R, W> {
    /// Reads through `reads` what `writes` writes.
    pub fn new(reads: R, writes: W) -> Self {
        Self {
            reads: Arc::new(reads),
            writes,
            lifecycle: Lifecycle::new(),
        }
    }

    /// The options that the features allow.
    fn admit(&self, path: &ObjectPath, options: WriteOptions) -> Result<WriteOptions> {
        let name = self.reads.name();
        self.lifecycle.check(Operation::Write, name)?;
        let mut parts = options.into_parts();
        let admitted = parts.restrict_to(self.reads.features());
        admitted.map_err(|error| error.at(Operation::Write, name, path))?;
        Ok(parts.into())
    }

    /// Removes the directories above `path` that are empty.
    async fn prune(&self, path: &ObjectPath) {
        let Some(writes) = self.writes.as_extended() else {
            return;
        };
        let mut above = path.parent().as_path();
        while let Some(directory) = above {
            if writes
                .rmdir(&directory, RmdirOptions::default())
                .await
                .is_err()
            {
                return;
            }
            above = directory.parent().as_path();
        }
    }
}

/// What was written, as a reader sees it.
async fn seen(reads: &impl ExtendedBackend, path: &ObjectPath, mut written: Written) -> Written {
    // One that is deleted already is seen by nobody.
    if let Ok(info) = reads.stat(path).await {
        (written.version, written.etag) = (info.version, info.etag);
        written.modified = info.modified;
    } else {
        (written.version, written.etag, written.modified) = (None, None, None);
    }
    written
}

struct SeedSink<R> {
    reads: Arc<R>,
    writer: Writer,
    path: ObjectPath,
}

#[async_trait]
impl<R: ExtendedBackend> WriteSink for SeedSink<R> {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.writer.write_bytes(chunk).await
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let written = self.writer.finish().await?;
        Ok(seen(&*self.reads, &self.path, written).await)
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.writer.abort().await
    }
}

#[async_trait]
impl<R: ExtendedBackend, W: Backend> Backend for Seeded<R, W> {
    fn name(&self) -> &'static str {
        self.reads.name()
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.reads.reader(path, options).await
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        let options = self.admit(path, options)?;
        let sink = SeedSink {
            reads: Arc::clone(&self.reads),
            writer: self.writes.writer(path, options).await?,
            path: path.clone(),
        };
        Ok(Writer::new(self.reads.name(), path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.lifecycle.check(Operation::Delete, self.reads.name())?;
        let flat = !self.reads.features().directories;
        match self.writes.delete(path).await {
            Err(error) if flat && error.is_directory() => Ok(false),
            Ok(true) if flat => {
                self.prune(path).await;
                Ok(true)
            }
            other => other,
        }
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.reads.list(prefix, options).await
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        self.reads.close().await?;
        self.writes.close().await
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.reads.exists(path).await
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        self.reads.read(path, options).await
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.reads.read_ranges(path, ranges).await
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let options = self.admit(path, options)?;
        let written = self.writes.write(path, payload, options).await?;
        Ok(seen(&*self.reads, path, written).await)
    }

    fn identity(&self) -> Option<String> {
        self.reads.identity()
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

#[async_trait]
impl<R: ExtendedBackend, W: Backend> ExtendedBackend for Seeded<R, W> {
    fn features(&self) -> Features {
        self.reads.features()
    }

    fn modified_precision(&self) -> Duration {
        self.reads.modified_precision()
    }

    fn name_folding(&self) -> NameFolding {
        self.reads.name_folding()
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.reads.stat(path).await
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        self.reads.mkdir(path).await
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.reads.rmdir(path, options).await
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        self.reads.copy(from, to, options).await
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        self.reads.rename(from, to, options).await
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.reads.set_modified(path, modified).await
    }

    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        self.reads.presign(path, options).await
    }

    async fn flush(&self) -> Result<()> {
        self.reads.flush().await
    }
}
