use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::payload::next;
use crate::{
    Error, Features, ListOptions, ListPage, NameFolding, ObjectInfo, ObjectPath, Operation,
    Payload, Prefix, PresignOptions, ReadOptions, Reader, Result, RmdirOptions, WriteOptions,
    Writer, Written,
};

/// A store of objects: what every backend implements.
///
/// Six methods are required; the others are correct as provided and are there to be overridden for
/// speed. Backends are shared as `Arc<dyn Backend>`; callers use the methods of
/// [`BackendExt`](crate::BackendExt), which take string paths.
///
/// # Contract
/// - After [`close`](Self::close) every call is `BackendClosed` ([`Lifecycle`](crate::Lifecycle) helps).
/// - Options are honoured or refused with `Unsupported`, never dropped. Take them apart with their
///   `into_parts()` and no `..`.
/// - No call blocks an async worker for longer than a cached system call takes.
/// - Dropping the future of any call leaves the store as it was, or with the call completed.
/// - Errors name operation, backend and path ([`Error::at`]).
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// The kind of backend, such as `"file"`. It appears in errors.
    fn name(&self) -> &'static str;

    /// Opens one consistent object for reading: old or new, never a mix, whatever happens to the
    /// key meanwhile.
    ///
    /// # Behavior
    /// - Missing, also because a parent is an object: `NotFound`. A directory: `IsDirectory`.
    /// - A range end past the size is clamped, a start at or past it gives an empty body, an end
    ///   before the start is `InvalidRange`.
    /// - [`Reader::info`] carries at least the size, where the store has it.
    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader>;

    /// Starts a write. Nothing is visible before [`Writer::finish`]; dropping the writer leaves
    /// nothing.
    ///
    /// # Behavior
    /// - Parent directories are created.
    /// - A condition of the [`WriteMode`](crate::WriteMode) may fail here or in `finish`: `AlreadyExists`,
    ///   `PreconditionFailed`. A check followed by a write is forbidden.
    /// - A directory at the path: `IsDirectory`. An object where a directory is needed: `NotDirectory`.
    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer>;

    /// Deletes an object; `false` when there was none. A directory is `IsDirectory`.
    async fn delete(&self, path: &ObjectPath) -> Result<bool>;

    /// One page of what lies strictly below `prefix`. An empty or missing prefix gives an empty page.
    ///
    /// # Behavior
    /// - Sorted in byte order of the full key; a directory sorts as `name/`.
    /// - One level gives objects and directories, `recursive` objects, and directories on request.
    /// - `limit` counts after the filters. Size and modified time are filled wherever the store has
    ///   them without a further request.
    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage>;

    /// Releases what the backend holds. Idempotent. Afterwards every other call is `BackendClosed`;
    /// readers and writers already open may go on or fail.
    async fn close(&self) -> Result<()>;

    /// Whether there is an object (not a directory) at the path.
    ///
    /// Provided: opens an empty range.
    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        match self.reader(path, ReadOptions::default()).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() || error.is_directory() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads everything that the options ask for, in one piece.
    ///
    /// Provided: [`reader`](Self::reader), then [`Reader::bytes`].
    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        let reader = self.reader(path, options).await?;
        reader
            .bytes()
            .await
            .map_err(|error| error.at(Operation::Read, self.name(), path))
    }

    /// Reads several ranges of one version of an object, in the order given, each clamped like a
    /// read of its own.
    ///
    /// Provided: one read after another, pinned to the first one's version where there are versions.
    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let mut parts = Vec::with_capacity(ranges.len());
        let mut pinned = None;
        for range in ranges {
            let mut options = ReadOptions::from(range.clone());
            if let Some(version) = &pinned {
                options = options.if_version(Clone::clone(version));
            }
            let reader = self.reader(path, options).await?;
            if pinned.is_none() {
                pinned.clone_from(&reader.info().version);
            }
            parts.push(
                reader
                    .bytes()
                    .await
                    .map_err(|e| e.at(Operation::Read, self.name(), path))?,
            );
        }
        Ok(parts)
    }

    /// Writes a whole object.
    ///
    /// Provided: [`writer`](Self::writer), the payload's chunks, [`Writer::finish`].
    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        // A size that the caller announced stays, so that a payload of another size is refused.
        let options = match options.clone().into_parts().size {
            Some(_) => options,
            None => options.size(payload.len()),
        };
        let mut writer = self.writer(path, options).await?;
        let mut chunks = payload.stream();
        while let Some(chunk) = next(&mut chunks).await {
            writer.write_bytes(chunk?).await?;
        }
        writer.finish().await
    }

    /// A name of the key space that other processes and instances agree on, so that two ways to
    /// reach one object can be told: the objects of two backends are the same where identity and key,
    /// put together, are the same text. It ends with `/`, as in `file:///srv/data/`, with
    /// links resolved. `None`: it has none, and is the same only as itself. A wrapper answers for
    /// what it wraps, adding the prefix it adds.
    ///
    /// Costs no request.
    fn identity(&self) -> Option<String> {
        None
    }

    /// Whether calls hand work to threads that may block, so that a caller with threads of its own
    /// saves a hop a call by [`allow_blocking`](crate::allow_blocking). A wrapper answers for what it
    /// wraps.
    fn blocks(&self) -> bool {
        false
    }

    /// The extended part, where the backend has one. A wrapper answers for what it wraps.
    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        None
    }
}

/// What goes beyond objects. Every method whose flag in [`features`](Self::features) is false
/// returns `Unsupported`.
#[async_trait]
pub trait ExtendedBackend: Backend {
    /// What this backend really does, probed or known, constant while it is open.
    fn features(&self) -> Features;

    /// The finest difference between two modified times that the store can hold.
    fn modified_precision(&self) -> Duration {
        Duration::from_nanos(1)
    }

    /// Which names are the same to the store. A store that folds them finds an object under each, and
    /// lists it under the one that it was created with.
    fn name_folding(&self) -> NameFolding {
        NameFolding::Exact
    }

    /// What is known of an object or directory. Missing: `NotFound`.
    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo>;

    /// Creates a directory and its parents. An existing directory is fine; an object at the path is
    /// `AlreadyExists`, one at a parent `NotDirectory`.
    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        Err(self
            .lacks("directories")
            .at(Operation::Mkdir, self.name(), path))
    }

    /// Removes a directory. Missing: `NotFound`; an object: `NotDirectory`; not empty, without
    /// `recursive`: `NotEmpty`.
    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        let _ = options;
        Err(self
            .lacks("directories")
            .at(Operation::Rmdir, self.name(), path))
    }

    /// Copies an object within the backend, with content type, cache control, metadata, hashes and
    /// modified time, which the options override. Onto itself it does nothing. The copy shares no
    /// storage that a later append to either could change. Source missing: `NotFound`.
    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let _ = (to, options);
        Err(self.lacks("copy").at(Operation::Copy, self.name(), from))
    }

    /// Renames an object, or a directory with all that is below it, atomically, keeping all
    /// attributes. Honours the mode of the options and refuses every other option that is set.
    /// Onto itself it does nothing. Source missing: `NotFound`.
    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        let _ = (to, options);
        Err(self
            .lacks("rename")
            .at(Operation::Rename, self.name(), from))
    }

    /// Changes an object's modified time and nothing else. Missing: `NotFound`. That of a directory is
    /// changed with [`Features::directory_times`], else that is `Unsupported`; it lasts until something
    /// in the directory is created, renamed or removed.
    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        let _ = modified;
        Err(self
            .lacks("set_modified")
            .at(Operation::SetModified, self.name(), path))
    }

    /// A URL that allows one method on one object for a time, without credentials. An expiry of
    /// zero or past the store's maximum is a `Config` error.
    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        let _ = options;
        Err(self
            .lacks("presign")
            .at(Operation::Presign, self.name(), path))
    }

    /// Makes every write that was finished before the call durable. The default is for stores whose
    /// `finish` is durable already, or that never are.
    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// The error for a call whose flag is false.
    #[doc(hidden)]
    fn lacks(&self, feature: &'static str) -> Error {
        Error::unsupported(format!("this backend has no feature `{feature}`"))
    }
}

macro_rules! forward {
    ($($pointer:ident),+) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<B: Backend + ?Sized> Backend for $pointer<B> {
            fn name(&self) -> &'static str {
                (**self).name()
            }
            async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
                (**self).reader(path, options).await
            }
            async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
                (**self).writer(path, options).await
            }
            async fn delete(&self, path: &ObjectPath) -> Result<bool> {
                (**self).delete(path).await
            }
            async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
                (**self).list(prefix, options).await
            }
            async fn close(&self) -> Result<()> {
                (**self).close().await
            }
            async fn exists(&self, path: &ObjectPath) -> Result<bool> {
                (**self).exists(path).await
            }
            async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
                (**self).read(path, options).await
            }
            async fn read_ranges(
                &self,
                path: &ObjectPath,
                ranges: &[Range<u64>],
            ) -> Result<Vec<Bytes>> {
                (**self).read_ranges(path, ranges).await
            }
            async fn write(
                &self,
                path: &ObjectPath,
                payload: Payload,
                options: WriteOptions,
            ) -> Result<Written> {
                (**self).write(path, payload, options).await
            }
            fn identity(&self) -> Option<String> {
                (**self).identity()
            }
            fn blocks(&self) -> bool {
                (**self).blocks()
            }
            fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
                (**self).as_extended()
            }
        }
    )+};
}

forward!(Arc, Box);
