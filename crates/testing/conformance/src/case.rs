use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    Backend, BackendExt, Error, ErrorKind, ExtendedBackend, Features, ListOptions, ObjectInfo,
    ObjectPath, Payload, Prefix, ReadOptions, Reader, Result, WriteOptions, Writer, Written,
};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::fresh::{Fresh, Look, Opener};
use crate::suite::Effort;
use crate::violation::{Verdict, Violation, ensure, equal, fails, same_bytes};

/// Most pages that a walk may take before it counts as endless.
const MAX_PAGES: usize = 100_000;

/// Both ways to write an object; backends may serve them by different code.
pub(crate) const ROUTES: [Route; 2] = [Route::Whole, Route::Streamed];

/// How to write an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `Backend::write` with a payload.
    Whole,
    /// `Backend::writer`, the bytes in pieces, `finish`.
    Streamed,
}

/// The backend that one rule is checked against, with an empty store.
pub(crate) struct Case {
    backend: Arc<dyn Backend>,
    features: Features,
    reopen: Option<Opener>,
    second: Option<Opener>,
    residue: Option<Look>,
    consuming: bool,
    effort: Effort,
    _kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Case {
    pub(crate) fn new(fresh: Fresh, effort: Effort) -> Self {
        let Fresh {
            backend,
            reopen,
            second,
            residue,
            consuming,
            kept,
        } = fresh;
        // A basic backend has no flags, but these two are in the contract of every backend.
        let basic = Features::NONE.with_atomic_write(true).with_range_read(true);
        let features = backend
            .as_extended()
            .map_or(basic, ExtendedBackend::features);
        Self {
            backend,
            features,
            reopen,
            second,
            residue,
            consuming,
            effort,
            _kept: kept,
        }
    }

    pub(crate) const fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    pub(crate) const fn features(&self) -> Features {
        self.features
    }

    pub(crate) const fn effort(&self) -> Effort {
        self.effort
    }

    pub(crate) fn is_extended(&self) -> bool {
        self.backend.as_extended().is_some()
    }

    pub(crate) const fn can_reopen(&self) -> bool {
        self.reopen.is_some()
    }

    pub(crate) const fn can_open_second(&self) -> bool {
        self.second.is_some()
    }

    pub(crate) const fn can_look(&self) -> bool {
        self.residue.is_some()
    }

    pub(crate) const fn is_consuming(&self) -> bool {
        self.consuming
    }

    /// Writes again what a read has taken, where reading takes.
    pub(crate) async fn restore(&self, key: &str, bytes: &[u8]) -> Result<()> {
        if self.consuming {
            self.put(key, Bytes::copy_from_slice(bytes)).await?;
        }
        Ok(())
    }

    /// Gives the store's resources back; what close says is the business of the rules about it.
    pub(crate) async fn release(&self) {
        let _ = self.backend.close().await;
    }

    /// Closes the backend and opens its store again.
    pub(crate) async fn reopened(&self) -> Verdict<Arc<dyn Backend>> {
        self.backend.close().await?;
        let open = self.reopen.as_ref();
        let open = open.ok_or_else(|| Violation::new("the factory gives no `reopen`"))?;
        Ok(open().await?)
    }

    /// Opens the store once more beside the first backend.
    pub(crate) async fn second(&self) -> Verdict<Arc<dyn Backend>> {
        let open = self.second.as_ref();
        let open = open.ok_or_else(|| Violation::new("the factory gives no `second`"))?;
        Ok(open().await?)
    }

    /// What the store holds beside objects and directories.
    pub(crate) async fn residue(&self) -> Verdict<Vec<String>> {
        let look = self.residue.as_ref();
        let look = look.ok_or_else(|| Violation::new("the factory gives no `residue`"))?;
        Ok(look().await?)
    }

    pub(crate) fn extended(&self) -> Result<&dyn ExtendedBackend> {
        self.backend.extended()
    }

    /// Writes an object with default options.
    pub(crate) async fn put(&self, key: &str, bytes: impl Into<Payload>) -> Result<Written> {
        self.write(key, bytes, WriteOptions::default()).await
    }

    /// Writes an object through `Backend::write`.
    pub(crate) async fn write(
        &self,
        key: &str,
        bytes: impl Into<Payload>,
        options: impl Into<WriteOptions>,
    ) -> Result<Written> {
        let path = ObjectPath::new(key)?;
        self.backend
            .write(&path, bytes.into(), options.into())
            .await
    }

    /// Creates an object that must not be there yet.
    pub(crate) async fn put_new(&self, key: &str) -> Result<Written> {
        self.write(key, "new", storage_core::WriteMode::CreateNew)
            .await
    }

    pub(crate) async fn writer(
        &self,
        key: &str,
        options: impl Into<WriteOptions>,
    ) -> Result<Writer> {
        self.backend
            .writer(&ObjectPath::new(key)?, options.into())
            .await
    }

    /// Writes an object on one of the routes.
    pub(crate) async fn store(
        &self,
        route: Route,
        key: &str,
        bytes: Bytes,
        options: impl Into<WriteOptions>,
    ) -> Result<Written> {
        if route == Route::Whole {
            return self.write(key, bytes, options).await;
        }
        let mut writer = self.writer(key, options).await?;
        let half = bytes.len() / 2;
        writer.write_bytes(bytes.slice(..half)).await?;
        writer.write_bytes(bytes.slice(half..)).await?;
        writer.finish().await
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Bytes> {
        self.backend.get(key).await
    }

    pub(crate) async fn read(&self, key: &str, options: impl Into<ReadOptions>) -> Result<Bytes> {
        self.backend
            .read(&ObjectPath::new(key)?, options.into())
            .await
    }

    pub(crate) async fn reader(
        &self,
        key: &str,
        options: impl Into<ReadOptions>,
    ) -> Result<Reader> {
        self.backend
            .reader(&ObjectPath::new(key)?, options.into())
            .await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<bool> {
        self.backend.remove(key).await
    }

    /// What is known of an existing object or directory.
    pub(crate) async fn info(&self, key: &str) -> Result<ObjectInfo> {
        let info = self.backend.try_stat(key).await?;
        info.ok_or_else(|| Error::not_found("").with_path(key))
    }

    /// One page below `prefix`, in the keys that entries sort by.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        options: ListOptions,
    ) -> Result<storage_core::ListPage> {
        self.backend.list(&Prefix::new(prefix)?, options).await
    }

    /// All entries below `prefix`; no page may hold more than `options` allow, and the walk has to
    /// end.
    pub(crate) async fn walk(
        &self,
        prefix: &str,
        options: ListOptions,
    ) -> Verdict<Vec<ObjectInfo>> {
        let most = options.clone().into_parts().limit.unwrap_or(usize::MAX);
        let (mut entries, mut cursor) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let page = self.list(prefix, options.clone().cursor(cursor)).await?;
            let count = page.entries.len();
            ensure(count <= most, || {
                format!("a page of {prefix:?}: expected at most {most} entries, found {count}")
            })?;
            entries.extend(page.entries);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(entries);
            }
        }
        let message = format!("the walk of {prefix:?}: expected an end, found {MAX_PAGES} pages");
        Err(Violation::new(message))
    }

    /// The keys that the entries of a walk sort by.
    pub(crate) async fn keys(&self, prefix: &str, options: ListOptions) -> Verdict<Vec<String>> {
        let entries = self.walk(prefix, options).await?;
        Ok(entries.iter().map(ObjectInfo::listing_key).collect())
    }

    /// Every object in the store.
    pub(crate) async fn objects(&self) -> Verdict<Vec<String>> {
        self.keys("", ListOptions::default().recursive(true)).await
    }

    /// Requires that the store holds these objects and no other.
    pub(crate) async fn has_only(&self, keys: &[&str]) -> Verdict {
        equal("the objects", self.objects().await?, owned(keys))
    }

    /// Requires that `read` and the reader give these bytes.
    pub(crate) async fn gives(
        &self,
        what: &str,
        key: &str,
        options: impl Into<ReadOptions>,
        expected: &[u8],
    ) -> Verdict {
        let options = options.into();
        let found = self.read(key, options.clone()).await?;
        same_bytes(&format!("`read` of {what}"), &found, expected)?;
        self.restore(key, expected).await?;
        let reader = self.reader(key, options).await?;
        same_bytes(
            &format!("the reader of {what}"),
            &reader.bytes().await?,
            expected,
        )
    }

    /// Requires that `read` and the reader fail with this kind; gives the error of `read`.
    pub(crate) async fn unreadable(
        &self,
        what: &str,
        key: &str,
        options: impl Into<ReadOptions>,
        kind: ErrorKind,
    ) -> Verdict<Error> {
        let options = options.into();
        let reader = self.reader(key, options.clone()).await;
        fails(&format!("the reader of {what}"), reader, kind)?;
        fails(
            &format!("`read` of {what}"),
            self.read(key, options).await,
            kind,
        )
    }

    /// Requires an object with these bytes.
    pub(crate) async fn holds(&self, key: &str, expected: &[u8]) -> Verdict {
        let found = self.get(key).await?;
        same_bytes(&format!("the object {key:?}"), &found, expected)
    }

    /// Requires that there is no object, as far as any call can tell.
    pub(crate) async fn absent(&self, key: &str) -> Verdict {
        let what = format!("reading {key:?}, of which nothing should be left");
        fails(&what, self.get(key).await, ErrorKind::NotFound)?;
        equal(
            &format!("exists({key:?})"),
            self.backend.has(key).await?,
            false,
        )?;
        let listed = self.objects().await?;
        ensure(!listed.iter().any(|listed| listed == key), || {
            format!("expected {key:?} not to be listed, found it among {listed:?}")
        })
    }
}

/// Keys as listings are compared with.
pub(crate) fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// Runs `work` for `0..count` in tasks that start together, and gives the results in order.
pub(crate) async fn race<T, F>(count: usize, work: impl Fn(usize) -> F) -> Verdict<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for index in 0..count {
        let (start, work) = (Arc::clone(&start), work(index));
        tasks.spawn(async move {
            start.wait().await;
            (index, work.await)
        });
    }
    let mut results = Vec::with_capacity(count);
    while let Some(joined) = tasks.join_next().await {
        results.push(joined.map_err(|error| Violation::new(format!("a racer panicked: {error}")))?);
    }
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Bytes that differ from place to place and from seed to seed, so that a lost, repeated or moved
/// piece shows.
pub(crate) fn pattern(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes.into()
}
