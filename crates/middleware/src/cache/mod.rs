//! Keeping small objects in memory.

mod store;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use storage_core::{
    Backend, Error, ErrorKind, ObjectPath, Operation, ReadOptions, ReadParts, Reader, Result,
    Version,
};
use tokio::time::Instant;

use crate::call::{Call, Reply};
use crate::policy::Policy;
use store::{Entry, Store};

/// Keeps whole small objects in memory, the least recently read ones making room for others.
///
/// - **What is served is never older than `max_age`**: an object that was fetched, or found unchanged
///   by its version, longer ago is asked for again, by a read that transfers it only if it has changed.
///   With the default of zero every read asks.
/// - An object is kept when it is read whole, has a version and is small enough. Ranges of it are then
///   served as well; ranges of others, verified reads, `stat` and listings go to the store.
/// - A write, deletion, copy or rename through the same cache is seen at once by every later read; the
///   age is for those of others. A failure to ask is returned, never bridged by old content.
/// - All clones share the cache; put it over one store only.
#[derive(Debug, Clone)]
pub struct ReadCache {
    store: Arc<Store>,
    largest: u64,
    max_age: Duration,
}

impl ReadCache {
    /// Keeps up to `budget` bytes of objects of up to 1 MiB each. Each counts its content and 512 bytes.
    #[must_use]
    pub fn new(budget: u64) -> Self {
        Self {
            store: Arc::new(Store::new(budget)),
            largest: 1 << 20,
            max_age: Duration::ZERO,
        }
    }

    /// The largest object that is kept, in bytes.
    #[must_use]
    pub const fn largest(mut self, bytes: u64) -> Self {
        self.largest = bytes;
        self
    }

    /// How old what is served may be.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Bytes held now.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.store.held()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.store.forget_below("");
    }

    /// What a reader gives, kept if it may be. `asked` is when the store was asked, `epoch` what was
    /// forgotten until then.
    async fn kept(&self, reader: Reader, asked: Instant, epoch: u64) -> Result<Fetched> {
        let whole = reader.range() == reader.info().size.map(|size| 0..size);
        let small = reader.info().size.is_some_and(|size| size <= self.largest);
        if !whole || !small || reader.info().version.is_none() {
            return Ok(Fetched::Streamed(reader));
        }
        let info = reader.info().clone();
        let bytes = reader.bytes().await?;
        let entry = Entry {
            info,
            // A copy, for the bytes may be a small part of a buffer that would be kept with them.
            bytes: Bytes::copy_from_slice(&bytes),
            valid_since: asked,
        };
        self.store.keep(entry.clone(), epoch);
        Ok(Fetched::Kept(entry))
    }

    /// The object as it is kept, asked for again if it is too old; `None` where it is not kept and
    /// `options` do not ask for all of it.
    async fn current<B: Backend>(
        &self,
        backend: &B,
        path: &ObjectPath,
        parts: &ReadParts,
    ) -> Result<Option<Fetched>> {
        let (asked, epoch) = (Instant::now(), self.store.epoch(path));
        let plain = parts.if_version.is_none() && parts.if_changed_from.is_none();
        let whole = plain && parts.range == storage_core::ByteRange::Full;
        let Some(entry) = self.store.get(path) else {
            if !whole {
                return Ok(None);
            }
            let reader = backend.reader(path, ReadOptions::default()).await?;
            return self.kept(reader, asked, epoch).await.map(Some);
        };
        // A caller who expects another version may know of a newer one.
        let expected = parts.if_version.is_none() || parts.if_version == entry.info.version;
        let young = !self.max_age.is_zero() && entry.valid_since.elapsed() < self.max_age;
        if young && expected {
            return Ok(Some(Fetched::Kept(entry)));
        }
        let Some(version) = entry.info.version.clone() else {
            return Ok(None);
        };
        let ask = ReadOptions::default().if_changed_from(version);
        match backend.reader(path, ask).await {
            Err(error) if error.is_not_modified() => {
                self.store.still_valid(path, &entry, asked);
                Ok(Some(Fetched::Kept(entry)))
            }
            Err(error) => {
                self.store.forget(path);
                Err(error)
            }
            // Kept by the epoch from before asking: a write meanwhile has the last word.
            Ok(reader) => match self.kept(reader, asked, epoch).await {
                Ok(Fetched::Kept(entry)) => Ok(Some(Fetched::Kept(entry))),
                other => {
                    self.store.forget(path);
                    let streamed = other?;
                    Ok(whole.then_some(streamed))
                }
            },
        }
    }
}

/// An object that was fetched.
enum Fetched {
    Kept(Entry),
    /// Too large to be kept.
    Streamed(Reader),
}

/// The part of a kept object that is asked for, if its conditions hold.
fn part(entry: Entry, parts: &ReadParts) -> Result<Reader> {
    let Entry { info, bytes, .. } = entry;
    let actual: Option<&Version> = info.version.as_ref();
    if let Some(expected) = parts.if_version.as_ref().filter(|v| Some(*v) != actual) {
        let (expected, actual) = (Some(expected.clone()), actual.cloned());
        return Err(Error::precondition_failed(expected, actual));
    }
    if parts.if_changed_from.is_some() && parts.if_changed_from.as_ref() == actual {
        return Err(Error::new(ErrorKind::NotModified, ""));
    }
    let range = parts.range.resolve(bytes.len() as u64)?;
    // Both ends lie within the bytes.
    let bytes = bytes.slice(range.start as usize..range.end as usize);
    Ok(Reader::from_bytes(info, range, bytes))
}

/// Forgets what a call may change, before and after it, however it ends.
struct Changing<'a> {
    store: &'a Store,
    call: &'a Call<'a>,
}

impl<'a> Changing<'a> {
    fn new(store: &'a Store, call: &'a Call<'a>) -> Self {
        let changing = Self { store, call };
        changing.forget();
        changing
    }

    fn forget(&self) {
        let paths = [Some(self.call.path), self.call.target];
        for path in paths.into_iter().flatten() {
            match self.call.operation {
                Operation::Rename | Operation::Rmdir => self.store.forget_below(path),
                _ => self.store.forget(path),
            }
        }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Policy for ReadCache {
    async fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let _changing = call.mutates.then(|| Changing::new(&self.store, call));
        action.await
    }

    async fn serve<B: Backend>(
        &self,
        backend: &Arc<B>,
        path: &ObjectPath,
        options: &ReadOptions,
    ) -> Option<Result<Reader>> {
        let parts = options.clone().into_parts();
        if parts.verify {
            return None;
        }
        match self.current(&**backend, path, &parts).await.transpose()? {
            Ok(Fetched::Streamed(reader)) => Some(Ok(reader)),
            Ok(Fetched::Kept(entry)) => Some(part(entry, &parts)),
            Err(error) => Some(Err(error)),
        }
    }

    fn reader<B: Backend>(self: &Arc<Self>, _: &Arc<B>, reader: Reader, _: &ReadOptions) -> Reader {
        reader
    }
}
