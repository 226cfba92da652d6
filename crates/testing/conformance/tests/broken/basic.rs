//! The basic part of the broken backend.

use std::ops::Range;
use std::sync::atomic::Ordering;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use storage_core::{
    Backend, BackendExt, ByteRange, ByteStream, Error, ErrorKind, ExtendedBackend, ListOptions,
    ListPage, ObjectInfo, ObjectPath, Operation, Payload, PayloadSource, Prefix, ReadOptions,
    ReadParts, Reader, Result, WriteOptions, Writer, Written, async_trait,
};

use crate::fault::Fault;
use crate::sink::Sink;
use crate::store::{Broken, placed};

#[async_trait]
impl Backend for Broken {
    fn name(&self) -> &'static str {
        if self.is(Fault::OddName) {
            return "My Backend";
        }
        "memory"
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.check()?;
        let reader = self.open(path, options).await;
        let reader = reader.map_err(|error| self.error(placed(Operation::Read, path)(error)))?;
        if self.is(Fault::LiveReader) {
            return Ok(self.live(&reader));
        }
        self.changed(reader, true).await
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        self.check()?;
        if self.is(Fault::CancelledReadLocks) {
            if self.state.reading.swap(true, Ordering::SeqCst) {
                return Err(Error::new(ErrorKind::Other, "somebody is still reading"));
            }
            tokio::task::yield_now().await;
            self.state.reading.store(false, Ordering::SeqCst);
        }
        let reader = self.open(path, options).await;
        let reader = reader.map_err(|error| self.error(placed(Operation::Read, path)(error)))?;
        self.changed(reader, false).await?.bytes().await
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check()?;
        let mut ranges = ranges.to_vec();
        if self.is(Fault::SortsRanges) {
            ranges.sort_by_key(|range| range.start);
        }
        if self.is(Fault::RangesOneByOne) {
            let mut parts = Vec::new();
            for range in ranges {
                parts.push(self.memory.read(path, range.into()).await?);
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            return Ok(parts);
        }
        self.memory.read_ranges(path, &ranges).await
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.check()?;
        // The handle below says whether it is closed.
        self.memory.exists(path).await.map_err(|e| self.error(e))?;
        let sink = Sink::open(self, path, options).await;
        let sink = sink.map_err(|error| self.error(placed(Operation::Write, path)(error)))?;
        Ok(Writer::new("memory", path.clone(), sink))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check()?;
        let written = self.whole(path, payload, options).await;
        written.map_err(|error| self.error(placed(Operation::Write, path)(error)))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.check()?;
        let kept = self.kept(path)?;
        match self.fault {
            Fault::DeletesByPrefix => {
                for key in self.all().await? {
                    if key.starts_with(path.as_str()) {
                        self.memory.remove(&key).await?;
                    }
                }
                return Ok(true);
            }
            Fault::DeletesInTwoSteps if self.memory.exists(&kept).await? => {
                self.memory.put(&kept, "half").await?;
                tokio::task::yield_now().await;
            }
            _ => {}
        }
        let deleted = self.memory.delete(&kept).await;
        let deleted = deleted.map_err(|error| self.error(error))?;
        Ok(deleted || self.is(Fault::DeleteAlwaysTrue))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.check()?;
        let page = crate::listing::page(self, prefix, options).await;
        page.map_err(|error| self.error(error))
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.check()?;
        let kept = self.kept(path)?;
        self.memory
            .exists(&kept)
            .await
            .map_err(|error| self.error(error))
    }

    async fn close(&self) -> Result<()> {
        let before = self.state.closes.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::NeverCloses => Ok(()),
            Fault::SecondCloseFails if before > 0 => Err(Error::new(ErrorKind::BackendClosed, "")),
            _ => self.memory.close().await,
        }
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

/// Bytes that are offered in place of the object's.
struct Other(Bytes);

impl PayloadSource for Other {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn stream(&self) -> ByteStream {
        Payload::from(self.0.clone()).stream()
    }
}

impl Broken {
    /// Every key.
    pub(crate) async fn all(&self) -> Result<Vec<String>> {
        let options = ListOptions::default().recursive(true);
        let entries = self
            .memory
            .entries(Prefix::root(), options)
            .collect()
            .await?;
        Ok(entries.iter().map(ObjectInfo::listing_key).collect())
    }

    async fn open(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let kept = self.kept(path)?;
        let parts = options.into_parts();
        let range = parts.range;
        let empty = || {
            let info = ObjectInfo::new(path.clone()).with_size(0);
            Reader::from_bytes(info, 0..0, Bytes::new())
        };
        let result = self.memory.reader(&kept, self.read_options(parts)?).await;
        let error = match result {
            Ok(reader) => {
                let hidden = self.is(Fault::EmptyIsMissing) && reader.info().size == Some(0);
                return if hidden {
                    Err(Error::not_found(""))
                } else {
                    Ok(reader)
                };
            }
            Err(error) => error,
        };
        let asks_nothing = matches!(range, ByteRange::Bounded(a, b) if a == b);
        match self.fault {
            Fault::MissingIsEmpty if error.is_not_found() => Ok(empty()),
            Fault::DirectoriesReadEmpty if error.is_directory() => Ok(empty()),
            Fault::InvertedIsEmpty if error.is_invalid_range() => Ok(empty()),
            Fault::EmptyRangeOfMissing if error.is_not_found() && asks_nothing => Ok(empty()),
            Fault::FakesDirectories if error.is_not_found() && self.has_below(&kept).await => {
                Err(Error::new(ErrorKind::IsDirectory, ""))
            }
            _ => Err(error),
        }
    }

    fn read_options(&self, parts: ReadParts) -> Result<ReadOptions> {
        let ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        } = parts;
        let range = match range {
            ByteRange::Suffix(count) if self.is(Fault::SuffixFromStart) => {
                ByteRange::Bounded(0, count)
            }
            range => range,
        };
        if verify && self.is(Fault::VerifyRefused) {
            return Err(Error::unsupported("verify"));
        }
        let mut options = ReadOptions::from(range).verify(verify && !self.is(Fault::IgnoresVerify));
        if let Some(version) = if_version.filter(|_| !self.is(Fault::IgnoresIfVersion)) {
            options = options.if_version(version);
        }
        if let Some(version) = if_changed_from.filter(|_| !self.is(Fault::IgnoresIfChanged)) {
            options = options.if_changed_from(version);
        }
        Ok(options)
    }

    /// The reader with what this backend gets wrong in the bytes or tells wrong of the object.
    async fn changed(&self, reader: Reader, streamed: bool) -> Result<Reader> {
        let (mut info, range) = (reader.info().clone(), reader.range().unwrap_or_default());
        let mut bytes = BytesMut::from(&reader.bytes().await?[..]);
        let flipped = match self.fault {
            Fault::FlipsLastByte => bytes.len().checked_sub(1),
            Fault::ReaderFlips if streamed && bytes.len() > 100_000 => Some(100_000),
            Fault::LosesFarRegion if bytes.len() > 900_000 => Some(900_000),
            _ => None,
        };
        if let Some(byte) = flipped.and_then(|at| bytes.get_mut(at)) {
            *byte ^= 1;
        }
        if self.is(Fault::TellsRangeAsSize) {
            info.size = Some(range.end - range.start);
        }
        if self.is(Fault::PayloadOfAnother) {
            let length = (range.end - range.start) as usize;
            let other = Arc::new(Other(vec![b'?'; length].into()));
            let reader = Reader::from_bytes(info, range, bytes.freeze());
            return Ok(reader.with_source(other));
        }
        Ok(Reader::from_bytes(
            self.told(info).await,
            range,
            bytes.freeze(),
        ))
    }

    /// A reader that looks at the store again for every chunk.
    fn live(&self, reader: &Reader) -> Reader {
        let (memory, info) = (self.memory.clone(), reader.info().clone());
        let (path, start) = (info.path.clone(), reader.range().unwrap_or_default().start);
        let chunks = futures_util::stream::unfold(start, move |at| {
            let (memory, path) = (memory.clone(), path.clone());
            async move {
                let chunk = memory.read(&path, (at..at + 100_000).into()).await;
                let chunk = chunk.unwrap_or_default();
                tokio::task::yield_now().await;
                (!chunk.is_empty()).then(|| (Ok(chunk.clone()), at + chunk.len() as u64))
            }
        });
        Reader::from_unsized_stream(info, Box::pin(chunks))
    }
}
