//! Writes of the broken backend.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use storage_core::{
    AttributePolicy, Backend, BackendExt, Durability, Error, ErrorKind, ExtendedBackend, HashTypes,
    Hashes, ObjectPath, Payload, Result, WriteMode, WriteOptions, WriteParts, WriteSink, Written,
    async_trait,
};

use crate::fault::Fault;
use crate::store::{Broken, lock};

/// One streamed write.
pub(crate) struct Sink {
    broken: Broken,
    path: ObjectPath,
    parts: WriteParts,
    chunks: Vec<Bytes>,
    ended: bool,
}

/// The name of a temporary object.
fn temporary(path: &ObjectPath) -> String {
    format!("{path}.part")
}

impl Sink {
    pub(crate) async fn open(
        broken: &Broken,
        path: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Self> {
        let (mut parts, path) = (options.into_parts(), broken.kept(path)?);
        if broken.is(Fault::ChecksAtOpen) {
            parts.mode = broken.decided(&path, parts.mode).await?;
        }
        match broken.fault {
            Fault::LeaksTemporary => lock(&broken.state.temporary).push(temporary(&path)),
            Fault::ListsTemporary => drop(broken.memory.put(temporary(&path), "").await),
            _ => {}
        }
        Ok(Self {
            broken: broken.clone(),
            path,
            parts,
            chunks: Vec::new(),
            ended: false,
        })
    }

    async fn publish(&mut self) -> Result<Written> {
        self.ended = true;
        let payload = Payload::from(std::mem::take(&mut self.chunks));
        let parts = std::mem::take(&mut self.parts);
        self.broken.commit(&self.path, payload, parts).await
    }
}

#[async_trait]
impl WriteSink for Sink {
    async fn write(&mut self, mut chunk: Bytes) -> Result<()> {
        if self.broken.is(Fault::CutsChunks) {
            chunk.truncate(1 << 20);
        }
        match self.broken.fault {
            Fault::ReversesChunks => self.chunks.insert(0, chunk),
            _ => self.chunks.push(chunk),
        }
        if self.broken.is(Fault::PublishesEarly) {
            let mode = WriteOptions::from(self.parts.mode.clone());
            let payload = Payload::from(self.chunks.clone());
            self.broken.memory.write(&self.path, payload, mode).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let closed = self.broken.state.closes.load(Ordering::SeqCst) > 0;
        if self.broken.is(Fault::FinishAfterCloseLies) && closed {
            self.ended = true;
            return Ok(Written::new(0));
        }
        let (broken, path) = (self.broken.clone(), self.path.clone());
        self.publish().await.map_err(|error| {
            broken.error(crate::store::placed(storage_core::Operation::Write, &path)(
                error,
            ))
        })
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.ended = true;
        if self.broken.is(Fault::AbortPublishes) {
            self.publish().await?;
        }
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.broken.is(Fault::ListsTemporary) {
            now(self.broken.memory.remove(temporary(&self.path)));
        }
        if self.broken.is(Fault::DropPublishes) && !self.ended {
            now(self.publish());
        }
    }
}

/// Runs a future that does not wait for anything.
fn now(future: impl Future) {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(
        matches!(polled, Poll::Ready(_)),
        "the store in memory does not wait"
    );
}

impl Broken {
    /// A write of a payload.
    pub(crate) async fn whole(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        // The handle below says whether it is closed.
        self.memory.exists(path).await?;
        let mut parts = options.into_parts();
        let payload = self.taken(path, payload, &mut parts).await?;
        self.commit(&self.kept(path)?, payload, parts).await
    }

    /// The payload with what this backend gets wrong in taking it.
    async fn taken(
        &self,
        path: &ObjectPath,
        payload: Payload,
        parts: &mut WriteParts,
    ) -> Result<Payload> {
        if payload.as_slices().is_some() {
            return Ok(payload);
        }
        if let Some((file, range)) = payload.as_file().filter(|_| self.is(Fault::FileFromStart)) {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0)?;
            return Ok(bytes.into());
        }
        let (mut bytes, mut stream) = (BytesMut::new(), payload.stream());
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => {
                    if self.is(Fault::PublishesWhatCame) {
                        self.memory.put(path, bytes.freeze()).await?;
                    }
                    return Err(error);
                }
            }
            if self.is(Fault::IgnoresStreamed) {
                return Ok(bytes.freeze().into());
            }
        }
        if !self.is(Fault::TakesAnyLength) {
            parts.size.get_or_insert(payload.len());
        }
        Ok(bytes.freeze().into())
    }

    /// The options of a write with what this backend refuses or forgets of them.
    fn honoured(&self, parts: &mut WriteParts) -> Result<()> {
        let refuse = |what: &'static str| Err(Error::unsupported(what));
        match (self.fault, &parts.mode) {
            (Fault::RefusesCreateNew, WriteMode::CreateNew) => return refuse("create-new"),
            (Fault::RefusesIfVersion, WriteMode::IfVersion(_)) => return refuse("if-version"),
            (Fault::RefusesSizeZero, _) if parts.size == Some(0) => return refuse("no bytes"),
            (Fault::RefusesExpected, _) if !parts.expected.is_empty() => return refuse("digests"),
            (Fault::RefusesDurability, _) if parts.durability != Durability::Configured => {
                return Err(Error::new(ErrorKind::Other, "durability"));
            }
            (Fault::CreateNewReplaces, WriteMode::CreateNew) => parts.mode = WriteMode::Replace,
            (Fault::IgnoresSize, _) => parts.size = None,
            (Fault::IgnoresExpected, _) => parts.expected = Hashes::new(),
            (Fault::DropsModified, _) => parts.modified = None,
            (Fault::ClampsTimes, _) => {
                parts.modified = parts.modified.map(|time| time.max(UNIX_EPOCH));
            }
            (Fault::SanitisesMetadata, _) => {
                let word = |key: &str| {
                    key.chars()
                        .all(|c| c.is_ascii_lowercase() || "-_".contains(c))
                };
                parts.metadata.retain(|key, value| {
                    !key.is_empty() && word(key) && !value.contains(char::is_control)
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Decides a condition with a check, for the write that follows it.
    async fn decided(&self, path: &ObjectPath, mode: WriteMode) -> Result<WriteMode> {
        let found = self
            .memory
            .try_stat(path)
            .await?
            .filter(|info| !info.is_dir);
        let found = found.and_then(|info| info.version);
        match mode {
            WriteMode::CreateNew if found.is_some() => {
                Err(Error::new(ErrorKind::AlreadyExists, ""))
            }
            WriteMode::IfVersion(expected) if found.as_ref() != Some(&expected) => {
                Err(Error::precondition_failed(Some(expected), found))
            }
            WriteMode::CreateNew | WriteMode::IfVersion(_) => Ok(WriteMode::Replace),
            mode => Ok(mode),
        }
    }

    /// Publishes an object.
    pub(crate) async fn commit(
        &self,
        path: &ObjectPath,
        payload: Payload,
        mut parts: WriteParts,
    ) -> Result<Written> {
        self.honoured(&mut parts)?;
        self.alone().await?;
        let appends = parts.mode == WriteMode::Append;
        match self.fault {
            Fault::ChecksThenWrites => {
                parts.mode = self.decided(path, parts.mode).await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Fault::IfVersionCreates if !self.memory.exists(path).await? => {
                if matches!(parts.mode, WriteMode::IfVersion(_)) {
                    parts.mode = WriteMode::Replace;
                }
            }
            Fault::VersionFromContent => {
                if let WriteMode::IfVersion(expected) = &parts.mode
                    && *expected == self.content_version(path).await
                {
                    parts.mode = WriteMode::Replace;
                }
            }
            Fault::NeedsParents => {
                if let Some(parent) = path.parent().as_path() {
                    self.memory.stat(&parent).await?;
                }
            }
            Fault::SkipsEmpty if payload.is_empty() => return Ok(Written::new(0)),
            Fault::AppendNeedsObject if appends && !self.memory.exists(path).await? => {
                return Err(Error::not_found(""));
            }
            Fault::AppendReplaces if appends => parts.mode = WriteMode::Replace,
            _ => {}
        }
        let written = self.stepwise(path, payload, parts).await?;
        Ok(self.reported(path, written).await)
    }

    /// The write itself, in more steps than one where that is the fault.
    async fn stepwise(
        &self,
        path: &ObjectPath,
        payload: Payload,
        mut parts: WriteParts,
    ) -> Result<Written> {
        let bytes = payload.to_bytes().await?;
        let payload = match parts.mode {
            WriteMode::Append => self.appended(path, bytes, &mut parts).await?,
            _ => self.replaced(path, bytes, &mut parts).await?,
        };
        let stored = parts.hashes;
        let written = self
            .memory
            .write(path, payload.into(), parts.into())
            .await?;
        if stored != HashTypes::NONE {
            let hashes = written.hashes.clone();
            lock(&self.state.hashes).insert(path.as_str().to_owned(), hashes);
        }
        Ok(written)
    }

    /// What is left to write in place of an object.
    async fn replaced(
        &self,
        path: &ObjectPath,
        bytes: Bytes,
        parts: &mut WriteParts,
    ) -> Result<Bytes> {
        let replaces = parts.mode == WriteMode::Replace && bytes.len() > 1;
        let half = bytes.len() / 2;
        match self.fault {
            Fault::PublishesInTwoSteps if replaces => {
                self.memory.put(path, bytes.slice(..half)).await?;
                tokio::task::yield_now().await;
            }
            Fault::PublishesInTwoParts if replaces => {
                self.memory.put(path, bytes.slice(..half)).await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
                (parts.mode, parts.size) = (WriteMode::Append, None);
                return Ok(bytes.slice(half..));
            }
            Fault::KeepsOldTail => {
                let before = self.memory.get(path).await.unwrap_or_default();
                let tail = before.slice(before.len().min(bytes.len())..);
                parts.size = None;
                return Ok([bytes, tail].concat().into());
            }
            Fault::InheritsAttributes => {
                let before = self.memory.try_stat(path).await?;
                let inherited = before.and_then(|info| info.content_type);
                parts.content_type = parts.content_type.take().or(inherited);
            }
            _ => {}
        }
        Ok(bytes)
    }

    /// What is left to add to an object.
    async fn appended(
        &self,
        path: &ObjectPath,
        bytes: Bytes,
        parts: &mut WriteParts,
    ) -> Result<Bytes> {
        let half = bytes.len() / 2;
        match self.fault {
            Fault::AppendsInTwoSteps if half > 0 => {
                self.memory.append(path, bytes.slice(..half)).await?;
                tokio::task::yield_now().await;
                parts.size = None;
                return Ok(bytes.slice(half..));
            }
            Fault::AppendsByRewriting => {
                let before = self.memory.get(path).await.unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(1)).await;
                (parts.mode, parts.size) = (WriteMode::Replace, None);
                return Ok([before, bytes].concat().into());
            }
            Fault::CopyShares => self.share(path, &bytes).await?,
            _ => {}
        }
        Ok(bytes)
    }

    /// Appends to the other one of a source and its copy, too.
    async fn share(&self, path: &ObjectPath, bytes: &Bytes) -> Result<()> {
        let shared = lock(&self.state.shared).clone();
        let Some([from, to]) = shared.filter(|shared| shared.contains(path)) else {
            return Ok(());
        };
        let other = if *path == from { to } else { from };
        self.memory.append(&other, bytes.clone()).await.map(drop)
    }

    /// A write without attributes in place of a copy.
    pub(crate) async fn rewrite(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        bytes: Bytes,
    ) -> Result<Written> {
        drop(self.memory.stat(from).await?);
        let plain = WriteOptions::default().attributes(AttributePolicy::IfSupported);
        self.memory.write(to, bytes.into(), plain).await
    }
}
