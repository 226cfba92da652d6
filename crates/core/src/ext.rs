use std::future::Future;
use std::ops::Range;

use bytes::Bytes;

use crate::{
    AttributePolicy, Backend, Entries, Error, ErrorKind, ExtendedBackend, HashTypes, ListOptions,
    ObjectInfo, ObjectPath, Operation, Payload, Prefix, ReadOptions, Reader, Result, Version,
    WriteMode, WriteOptions, Written,
};

/// What callers use: every [`Backend`] has these methods.
///
/// Paths are given as text and validated once; an invalid one is `InvalidPath`. Each method is as
/// cancel safe as the backend's own.
pub trait BackendExt: Backend {
    /// The whole object.
    fn get(&self, path: impl AsRef<str> + Send) -> impl Future<Output = Result<Bytes>> + Send {
        async move {
            self.read(&ObjectPath::new(path)?, ReadOptions::default())
                .await
        }
    }

    /// Writes an object, replacing what was there.
    fn put(
        &self,
        path: impl AsRef<str> + Send,
        payload: impl Into<Payload> + Send,
    ) -> impl Future<Output = Result<Written>> + Send {
        async move {
            self.write(
                &ObjectPath::new(path)?,
                payload.into(),
                WriteOptions::default(),
            )
            .await
        }
    }

    /// Writes an object that readers see complete or not at all; `Unsupported` on a backend that
    /// cannot promise this.
    fn put_atomic(
        &self,
        path: impl AsRef<str> + Send,
        payload: impl Into<Payload> + Send,
    ) -> impl Future<Output = Result<Written>> + Send {
        async move {
            let path = ObjectPath::new(path)?;
            if self
                .as_extended()
                .is_some_and(|extended| !extended.features().atomic_write)
            {
                let error = Error::unsupported("this backend has no feature `atomic_write`");
                return Err(error.at(Operation::Write, self.name(), &path));
            }
            self.write(&path, payload.into(), WriteOptions::default())
                .await
        }
    }

    /// Writes an object only if it still has the `expected` version, or with `None` only if there
    /// is none: `PreconditionFailed` or `AlreadyExists` otherwise.
    fn put_if(
        &self,
        path: impl AsRef<str> + Send,
        payload: impl Into<Payload> + Send,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<Written>> + Send {
        async move {
            let mode = expected.map_or(WriteMode::CreateNew, WriteMode::IfVersion);
            self.write(&ObjectPath::new(path)?, payload.into(), mode.into())
                .await
        }
    }

    /// Adds to the end of an object, creating it if needed.
    fn append(
        &self,
        path: impl AsRef<str> + Send,
        payload: impl Into<Payload> + Send,
    ) -> impl Future<Output = Result<Written>> + Send {
        async move {
            self.write(
                &ObjectPath::new(path)?,
                payload.into(),
                WriteMode::Append.into(),
            )
            .await
        }
    }

    /// A part of an object; ends past its size are clamped.
    fn read_range(
        &self,
        path: impl AsRef<str> + Send,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Bytes>> + Send {
        async move { self.read(&ObjectPath::new(path)?, range.into()).await }
    }

    /// Opens an object for streaming.
    fn open(&self, path: impl AsRef<str> + Send) -> impl Future<Output = Result<Reader>> + Send {
        async move {
            self.reader(&ObjectPath::new(path)?, ReadOptions::default())
                .await
        }
    }

    /// Whether there is an object at the path.
    fn has(&self, path: impl AsRef<str> + Send) -> impl Future<Output = Result<bool>> + Send {
        async move { self.exists(&ObjectPath::new(path)?).await }
    }

    /// Deletes an object; `false` when there was none.
    fn remove(&self, path: impl AsRef<str> + Send) -> impl Future<Output = Result<bool>> + Send {
        async move { self.delete(&ObjectPath::new(path)?).await }
    }

    /// What is known of an object or directory; `None` when there is neither. A backend without the
    /// extended part is asked by opening the object.
    fn try_stat(
        &self,
        path: impl AsRef<str> + Send,
    ) -> impl Future<Output = Result<Option<ObjectInfo>>> + Send {
        async move {
            let path = ObjectPath::new(path)?;
            let found = match self.as_extended() {
                Some(extended) => extended.stat(&path).await,
                None => self
                    .reader(&path, ReadOptions::default())
                    .await
                    .map(|r| r.info().clone()),
            };
            match found {
                Ok(info) => Ok(Some(info)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        }
    }

    /// All entries below a prefix, page after page.
    fn entries(&self, prefix: Prefix, options: ListOptions) -> Entries<'_> {
        Entries::new(crate::pages::Pages::new(self, prefix, options))
    }

    /// Deletes every object below a prefix, not directories, and returns how many there were. Stops at the first
    /// error, leaving the rest.
    fn delete_prefix(
        &self,
        prefix: impl AsRef<str> + Send,
    ) -> impl Future<Output = Result<u64>> + Send {
        async move {
            let options = ListOptions::default().recursive(true);
            let mut entries = self.entries(Prefix::new(prefix)?, options);
            let mut count = 0;
            while let Some(entry) = entries.next().await {
                count += u64::from(self.delete(&entry?.path).await?);
            }
            Ok(count)
        }
    }

    /// Copies an object, within the backend where it can, through this program otherwise, with
    /// content type, metadata, modified time and hashes as far as the backend keeps them.
    fn copy_path(
        &self,
        from: impl AsRef<str> + Send,
        to: impl AsRef<str> + Send,
    ) -> impl Future<Output = Result<Written>> + Send {
        async move {
            let (from, to) = (ObjectPath::new(from)?, ObjectPath::new(to)?);
            match self
                .as_extended()
                .filter(|extended| extended.features().copy)
            {
                Some(extended) => extended.copy(&from, &to, WriteOptions::default()).await,
                None => stream_copy(self, &from, &to, HashTypes::NONE).await,
            }
        }
    }

    /// Copies an object through this program and reports its digests of the given types.
    fn copy_path_with_hash(
        &self,
        from: impl AsRef<str> + Send,
        to: impl AsRef<str> + Send,
        hashes: impl Into<HashTypes> + Send,
    ) -> impl Future<Output = Result<Written>> + Send {
        async move {
            stream_copy(
                self,
                &ObjectPath::new(from)?,
                &ObjectPath::new(to)?,
                hashes.into(),
            )
            .await
        }
    }

    /// Moves an object: a rename where the backend has it, else a copy and then a deletion. A crash
    /// in between leaves both.
    fn move_path(
        &self,
        from: impl AsRef<str> + Send,
        to: impl AsRef<str> + Send,
    ) -> impl Future<Output = Result<()>> + Send {
        async move {
            let (from, to) = (ObjectPath::new(from)?, ObjectPath::new(to)?);
            if let Some(extended) = self.as_extended().filter(|e| e.features().rename) {
                return extended.rename(&from, &to, WriteOptions::default()).await;
            }
            self.copy_path(&from, &to).await?;
            if from != to {
                self.delete(&from).await?;
            }
            Ok(())
        }
    }

    /// The extended part.
    ///
    /// # Errors
    /// `Unsupported` where the backend has none.
    fn extended(&self) -> Result<&dyn ExtendedBackend> {
        self.as_extended().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("backend `{}` is a basic one", self.name()),
            )
        })
    }
}

impl<B: Backend + ?Sized> BackendExt for B {}

/// Copies through the caller. Onto itself it rewrites nothing.
async fn stream_copy<B: Backend + ?Sized>(
    backend: &B,
    from: &ObjectPath,
    to: &ObjectPath,
    verify: HashTypes,
) -> Result<Written> {
    let mut reader = backend.reader(from, ReadOptions::default()).await?;
    let info = reader.info().clone();
    if from == to && verify.is_empty() {
        let mut written = Written::new(info.size.unwrap_or(0));
        (written.version, written.etag) = (info.version, info.etag);
        return Ok(written);
    }
    let mut options = WriteOptions::default()
        .attributes(AttributePolicy::IfSupported)
        .metadata(info.metadata)
        .expected(info.hashes.clone())
        .hashes(info.hashes.types())
        .verify(verify);
    if let Some(content_type) = info.content_type {
        options = options.content_type(content_type);
    }
    if let Some(cache_control) = info.cache_control {
        options = options.cache_control(cache_control);
    }
    if let Some(modified) = info.modified {
        options = options.modified(modified);
    }
    if let Some(size) = info.size {
        options = options.size(size);
    }
    let mut writer = backend.writer(to, options).await?;
    while let Some(chunk) = reader.chunk().await {
        writer.write_bytes(chunk?).await?;
    }
    writer.finish().await
}
