//! One object from the source to the destination, verified.

use std::time::{SystemTime, UNIX_EPOCH};

use storage_core::{
    AttributePolicy, BackendExt, Durability, Error, HashType, HashTypes, Hashes, ObjectInfo,
    ObjectPath, Operation, ReadOptions, Reader, WriteMode, WriteOptions, Written, timestamp,
};
use storage_hash::Hasher;

use crate::flow::Flow;
use crate::report::Events;
use crate::tree::{MTIME, Times};
use crate::{Event, Fsync, Job, SyncError, Verify, content, inspect};

/// Objects up to this size are read and written in one piece.
const SMALL: u64 = 1 << 20;

/// Bytes between two reports of progress.
const STEP: u64 = 4 << 20;

/// What was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    /// The source's object as it was read.
    pub(crate) source: ObjectInfo,
    /// What the destination said.
    pub(crate) written: Written,
}

/// The transfer of one object.
#[derive(Debug)]
pub(crate) struct Transfer<'a> {
    pub(crate) job: &'a Job,
    pub(crate) events: &'a Events,
    pub(crate) flow: &'a Flow,
    /// The source's object as it was listed.
    pub(crate) listed: &'a ObjectInfo,
    /// Relative to both trees.
    pub(crate) path: &'a ObjectPath,
    pub(crate) to: &'a ObjectPath,
    /// What may be replaced; `None`: what the options say.
    pub(crate) mode: Option<WriteMode>,
}

impl Transfer<'_> {
    /// Sends the object.
    pub(crate) async fn send(&self) -> Result<Sent, SyncError> {
        if self.job.copies_within() {
            return self.copy_within().await;
        }
        let source = self.job.source.backend();
        let reader = source
            .reader(&self.listed.path, ReadOptions::default())
            .await?;
        self.check_unchanged(self.listed, reader.info())?;
        let size = reader.info().size.or(reader.remaining());
        let sent = match size {
            Some(size) if size <= SMALL => self.send_whole(reader).await?,
            _ => self.send_stream(reader).await?,
        };
        Ok(sent)
    }

    /// Renames the object into place.
    pub(crate) async fn rename(&self) -> Result<(), SyncError> {
        let source = self.job.source.backend();
        let options = WriteOptions::default().mode(self.mode());
        Ok(source
            .extended()?
            .rename(&self.listed.path, self.to, options)
            .await?)
    }

    /// Reads and writes in one piece. The source is not asked again: it was read at once, and what is
    /// stored has the time from before, so that a change meanwhile is seen by the next run.
    async fn send_whole(&self, reader: Reader) -> Result<Sent, SyncError> {
        let seen = reader.info().clone();
        let read = reader.bytes().await;
        let bytes = read.map_err(|error| self.read_error(error))?;
        let size = bytes.len() as u64;
        self.flow.pass(size).await;
        let types = self.hash_types();
        let hashes = storage_hash::hash(types, &bytes);
        let options = self
            .options(&seen)
            .size(size)
            .verify(types)
            .expected(hashes.clone());
        let destination = self.job.destination.backend();
        let written = destination.write(self.to, bytes.into(), options).await?;
        self.arrived(&written, size, &hashes).await?;
        Ok(Sent {
            bytes: size,
            source: seen,
            written,
        })
    }

    async fn send_stream(&self, mut reader: Reader) -> Result<Sent, SyncError> {
        let seen = reader.info().clone();
        let mut options = self.options(&seen).verify(self.hash_types());
        if let Some(size) = seen.size {
            options = options.size(size);
        }
        let mut writer = self
            .job
            .destination
            .backend()
            .writer(self.to, options)
            .await?;
        let mut hasher = Hasher::new(self.hash_types());
        let pace = self.flow.pace();
        let (mut bytes, mut reported) = (0, 0);
        while let Some(chunk) = reader.chunk().await {
            let chunk = chunk.map_err(|error| self.read_error(error))?;
            hasher.update(&chunk);
            bytes += chunk.len() as u64;
            pace.write(&mut writer, chunk).await?;
            if bytes - reported >= STEP {
                reported = bytes;
                let (path, size) = (self.path.clone(), seen.size);
                self.events
                    .push(Event::Progress { path, bytes, size })
                    .await;
            }
        }
        // Before the object is published: a copy of a moving target is not wanted.
        self.check_still(&seen).await?;
        let written = writer.finish().await?;
        self.arrived(&written, bytes, &hasher.finish()).await?;
        Ok(Sent {
            bytes,
            source: seen,
            written,
        })
    }

    /// Has the store copy the object. The store vouches for the bytes, unless they are read back.
    async fn copy_within(&self) -> Result<Sent, SyncError> {
        let backend = self.job.source.backend();
        self.flow
            .limits
            .sending(self.listed.size.unwrap_or(0))
            .await;
        let options = WriteOptions::default()
            .mode(self.mode())
            .durability(self.durability());
        let written = backend
            .extended()?
            .copy(&self.listed.path, self.to, options)
            .await?;
        let size = self.listed.size.unwrap_or(written.size);
        let mut hashes = Hashes::new();
        if self.job.options.verify == Verify::ReadBack {
            let types = self.hash_types();
            hashes = content::hash_of(&self.job.source, &self.listed.path, types).await?;
        }
        if written.size != size {
            return Err(self.changed("its size"));
        }
        self.read_back(&hashes).await?;
        self.check_still(self.listed).await?;
        Ok(Sent {
            bytes: size,
            source: self.listed.clone(),
            written,
        })
    }

    /// Checks what the destination says it has against what was read.
    async fn arrived(
        &self,
        written: &Written,
        size: u64,
        hashes: &Hashes,
    ) -> Result<(), SyncError> {
        let checked = match written.hashes.matches(hashes) {
            _ if written.size != size => Err(format!(
                "{size} bytes were sent and {} stored",
                written.size
            )),
            _ if hashes.is_empty() => Ok(()),
            Some(true) => Ok(()),
            Some(false) => Err(format!(
                "{hashes:?} was sent and {:?} stored",
                written.hashes
            )),
            None => Err("the destination does not report the hash of what it received".to_owned()),
        };
        match checked {
            Ok(()) => self.read_back(hashes).await,
            Err(what) => Err(self.discard(what).await),
        }
    }

    async fn read_back(&self, hashes: &Hashes) -> Result<(), SyncError> {
        if self.job.options.verify != Verify::ReadBack {
            return Ok(());
        }
        let destination = &self.job.destination;
        let found = content::hash_of(destination, self.to, hashes.types()).await?;
        match found.matches(hashes) {
            Some(true) => Ok(()),
            _ => Err(self
                .discard(format!("{hashes:?} was sent and {found:?} read back"))
                .await),
        }
    }

    /// Removes what arrived wrong, so that nobody takes it for the real thing.
    async fn discard(&self, what: String) -> SyncError {
        let removed = self.job.destination.backend().delete(self.to).await;
        let what = match removed {
            Ok(_) => what,
            Err(error) => format!("{what}; removing it failed: {error}"),
        };
        SyncError::NotVerified {
            path: self.to.clone(),
            what: what.into(),
        }
    }

    /// Asks the source whether the object is still the one that was read.
    async fn check_still(&self, seen: &ObjectInfo) -> Result<(), SyncError> {
        match inspect::stat(&self.job.source, &self.listed.path).await? {
            Some(now) => self.check_unchanged(seen, &now),
            None => Err(self.changed("it is gone")),
        }
    }

    fn check_unchanged(&self, before: &ObjectInfo, now: &ObjectInfo) -> Result<(), SyncError> {
        difference(before, now).map_or(Ok(()), |what| Err(self.changed(what)))
    }

    fn changed(&self, what: &'static str) -> SyncError {
        SyncError::SourceChanged {
            path: self.listed.path.clone(),
            what,
        }
    }

    fn options(&self, seen: &ObjectInfo) -> WriteOptions {
        let (source, destination) = (&self.job.source, &self.job.destination);
        let mut options = WriteOptions::default()
            .mode(self.mode())
            .attributes(AttributePolicy::IfSupported)
            .durability(self.durability());
        if let Some(content_type) = &seen.content_type {
            options = options.content_type(content_type.clone());
        }
        if let Some(cache_control) = &seen.cache_control {
            options = options.cache_control(cache_control.clone());
        }
        let modified = source
            .source_time(seen)
            .or_else(|| source.source_time(self.listed));
        let mut metadata = seen.metadata.clone();
        metadata.remove(MTIME);
        match (destination.times, modified) {
            (Times::Native, Some(modified)) => options = options.modified(modified),
            (Times::Metadata, Some(modified)) => {
                let text = timestamp::format(modified);
                metadata.extend(text.map(|text| (MTIME.to_owned(), text)));
            }
            // Without times the contents are compared: what the store keeps need not be read then.
            (Times::Lost, _) if destination.features.hashes => {
                options = options.hashes(HashType::Crc32c);
            }
            _ => {}
        }
        options.metadata(metadata)
    }

    fn mode(&self) -> WriteMode {
        if let Some(mode) = &self.mode {
            return mode.clone();
        }
        let keep = self.job.options.ignore_existing && self.job.destination.features.create_new;
        if keep {
            WriteMode::CreateNew
        } else {
            WriteMode::Replace
        }
    }

    fn durability(&self) -> Durability {
        match self.job.options.fsync {
            Fsync::Each => Durability::Immediate,
            Fsync::None | Fsync::End => Durability::Deferred,
        }
    }

    fn hash_types(&self) -> HashTypes {
        match self.job.options.verify {
            Verify::Size => HashTypes::NONE,
            Verify::Hash | Verify::ReadBack => HashType::Crc32c.into(),
        }
    }

    fn read_error(&self, error: Error) -> Error {
        let name = self.job.source.backend().name();
        error.at(Operation::Read, name, &self.listed.path)
    }
}

/// Whether both know it, and it is not the same.
fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a != b)
}

/// What two infos of one object that is to be deleted tell apart: where no versions do, also the
/// entity tag and when it was stored. For a transfer they prove nothing: the servers of one web site
/// may have tags of their own.
pub(crate) fn replacement(before: &ObjectInfo, now: &ObjectInfo) -> Option<&'static str> {
    let tag = |info: &ObjectInfo| -> Option<String> {
        Some(info.etag.as_deref()?.trim_matches('"').to_owned())
    };
    let stored = before.stored.zip(now.stored);
    if let Some(what) = difference(before, now) {
        Some(what)
    } else if before.version.is_some() && now.version.is_some() {
        None
    } else if differ(tag(before), tag(now)) {
        Some("its entity tag")
    } else if stored.is_some_and(|(a, b)| !is_same_instant(a, b)) {
        Some("the time it was stored")
    } else {
        None
    }
}

/// What two infos of one source object tell apart, as far as both know it.
pub(crate) fn difference(before: &ObjectInfo, now: &ObjectInfo) -> Option<&'static str> {
    let times = before.modified.zip(now.modified);
    if now.is_dir {
        Some("it is a directory")
    } else if differ(before.size.as_ref(), now.size.as_ref()) {
        Some("its size")
    } else if differ(before.version.as_ref(), now.version.as_ref()) {
        Some("its version")
    } else if times.is_some_and(|(a, b)| !is_same_instant(a, b)) {
        Some("its modified time")
    } else {
        None
    }
}

/// Equal, or equal up to the seconds where one of them has nothing finer: some stores list finer
/// times than they report of an object.
pub(crate) fn is_same_instant(a: SystemTime, b: SystemTime) -> bool {
    let parts = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        Some((since.as_secs(), since.subsec_nanos()))
    };
    match (parts(a), parts(b)) {
        (Some((x, fine_x)), Some((y, fine_y))) => {
            x == y && (fine_x == fine_y || fine_x == 0 || fine_y == 0)
        }
        _ => a == b,
    }
}
