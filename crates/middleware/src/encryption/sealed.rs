use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use storage_core::{
    AttributePolicy, Backend, ByteRange, Error, ExtendedBackend, Features, ListOptions, ListPage,
    ObjectInfo, ObjectPath, Operation, Payload, Prefix, ReadOptions, ReadParts, Reader, Result,
    WriteMode, WriteOptions, WriteParts, Writer, Written,
};
use storage_hash::WriteHasher;

use super::attributes::{AttributeCipher, Attributes};
use super::format::{HEADER, Headers, SEALED, SEGMENT, corrupt, offset, plain_size, sealed_size};
use super::key::MasterKey;
use super::opener::{Plan, header, open_segments, plain_stream, segments_of};
use super::sink::{EncryptingSink, Sealer};

/// Objects up to this many bytes are encrypted and decrypted in one piece.
const PIECE: u64 = 1 << 20;

/// A backend with encrypted contents and attributes, under the same names.
pub struct Sealed<B> {
    pub(super) below: B,
    pub(super) attributes: AttributeCipher,
    headers: Arc<Headers>,
}

impl<B: Backend> Sealed<B> {
    pub(super) fn new(below: B, key: &MasterKey) -> Self {
        Self {
            below,
            attributes: AttributeCipher::new(key),
            headers: Arc::new(Headers::new(key)),
        }
    }

    /// The backend below.
    #[must_use]
    pub const fn get_ref(&self) -> &B {
        &self.below
    }

    /// What encryption leaves of the features below.
    pub(super) fn left(&self) -> Features {
        let below = self.below.as_extended();
        below.map_or(Features::NONE, |below| {
            let features = below.features();
            features
                .with_append(false)
                .with_hashes(false)
                .with_presign(false)
                .with_content_type(features.custom_metadata)
        })
    }

    fn has_versions(&self) -> bool {
        self.left().versions
    }

    /// What is known of an object, as it is before encryption.
    pub(super) fn plain(&self, mut info: ObjectInfo) -> Result<ObjectInfo> {
        if !info.is_dir && info.special.is_none() {
            info.size = info.size.and_then(plain_size);
            return self.attributes.reveal(info);
        }
        Ok(info)
    }

    /// The options of the write below.
    pub(super) fn sealed_options(&self, parts: WriteParts) -> Result<WriteOptions> {
        let WriteParts {
            mode,
            content_type,
            cache_control,
            metadata,
            modified,
            hashes: _,
            verify: _,
            expected: _,
            size,
            attributes,
            durability,
        } = parts;
        let sealed = self.attributes.seal(&Attributes {
            content_type: content_type.map(|text| (*text).to_owned()),
            cache_control: cache_control.map(|text| (*text).to_owned()),
            metadata,
        })?;
        let mut options = WriteOptions::default()
            .mode(mode)
            .metadata(sealed)
            .attributes(attributes)
            .durability(durability);
        if let Some(modified) = modified {
            options = options.modified(modified);
        }
        if let Some(size) = size {
            let size = sealed_size(size).ok_or_else(|| corrupt("the size is too large"))?;
            options = options.size(size);
        }
        Ok(options)
    }

    /// The options judged, and what checks the bytes.
    fn prepared(&self, options: WriteOptions) -> Result<(WriteOptions, WriteHasher)> {
        let mut parts = options.into_parts();
        if parts.mode == WriteMode::Append {
            return Err(Error::unsupported("appending to an encrypted object"));
        }
        if self.below.as_extended().is_none() && parts.attributes == AttributePolicy::Required {
            // The backend below refuses modes that it does not have by itself.
            let mode = std::mem::take(&mut parts.mode);
            parts.restrict_to(Features::NONE)?;
            parts.mode = mode;
        } else {
            parts.restrict_to(self.left())?;
        }
        let hasher = WriteHasher::new(&parts);
        Ok((self.sealed_options(parts)?, hasher))
    }

    /// Opens the header: the key, and what is said of the object.
    async fn head(&self, path: &ObjectPath, options: ReadOptions) -> Result<Head> {
        let whole = ByteRange::Bounded(0, HEADER as u64);
        let mut reader = self.below.reader(path, options.range(whole)).await?;
        let (key, _) = header(&mut reader, &self.headers).await?;
        let size = reader.info().size.and_then(plain_size);
        Ok(Head {
            key,
            size: size.ok_or_else(|| corrupt("no encrypted object has this size"))?,
            info: self.plain(reader.info().clone())?,
        })
    }

    /// The segments that hold `wanted`, of the version whose header was read.
    async fn segments(
        &self,
        path: &ObjectPath,
        head: &Head,
        wanted: &Range<u64>,
    ) -> Result<Reader> {
        let segments = segments_of(wanted);
        let mut options = ReadOptions::from(offset(segments.start)..offset(segments.end));
        if let Some(version) = head.info.version.clone().filter(|_| self.has_versions()) {
            options = options.if_version(version);
        }
        self.below.reader(path, options).await
    }

    /// A reader of a part.
    async fn part(&self, path: &ObjectPath, parts: ReadParts) -> Result<Reader> {
        let head = self.head(path, conditions(&parts)).await?;
        let wanted = parts.range.resolve(head.size)?;
        if wanted.is_empty() {
            // That there is nothing is only known of an object whose end is there.
            let end = head.size.saturating_sub(1)..head.size;
            let inner = self.segments(path, &head, &end).await?;
            let plan = Plan {
                wanted: end,
                size: head.size,
            };
            let mut last = plain_stream(inner, head.key, Bytes::new(), &plan);
            while let Some(chunk) = last.next().await {
                chunk?;
            }
            return Ok(Reader::from_bytes(head.info, wanted, Bytes::new()));
        }
        let inner = self.segments(path, &head, &wanted).await?;
        let plan = Plan {
            wanted: wanted.clone(),
            size: head.size,
        };
        let stream = plain_stream(inner, head.key, Bytes::new(), &plan);
        Ok(Reader::from_stream(head.info, wanted, stream))
    }

    /// A reader of everything, given one of everything below.
    async fn whole(&self, mut inner: Reader) -> Result<Reader> {
        let size = inner.info().size.and_then(plain_size);
        let info = inner.info().clone();
        let (key, chunk) = header(&mut inner, &self.headers).await?;
        let size = size.ok_or_else(|| corrupt("no encrypted object has this size"))?;
        let plan = Plan {
            wanted: 0..size,
            size,
        };
        let stream = plain_stream(inner, key, chunk, &plan);
        Ok(Reader::from_stream(self.plain(info)?, 0..size, stream))
    }

    /// Several ranges with one request more than none; `None` where one reaches past the end, which
    /// has to be looked at.
    async fn ranges_at_once(
        &self,
        path: &ObjectPath,
        ranges: &[Range<u64>],
    ) -> Result<Option<Vec<Bytes>>> {
        let sealed = ranges.iter().map(|range| {
            let segments = segments_of(range);
            offset(segments.start)..offset(segments.end)
        });
        let asked: Vec<_> = std::iter::once(0..HEADER as u64).chain(sealed).collect();
        let mut found = self.below.read_ranges(path, &asked).await?.into_iter();
        let key = self.headers.open(&found.next().unwrap_or_default())?;
        let mut parts = Vec::with_capacity(ranges.len());
        for (range, bytes) in ranges.iter().zip(found) {
            let segments = segments_of(range);
            let full =
                bytes.len() as u64 == (segments.end - segments.start).saturating_mul(SEALED as u64);
            if bytes.is_empty() {
                return Ok(None);
            }
            let end = (!full).then_some(true);
            let plain = open_segments(&key, &bytes, segments.start, end)?;
            let begin = segments.start * SEGMENT as u64;
            let cut =
                |at: u64| usize::try_from(at - begin).map_or(plain.len(), |at| at.min(plain.len()));
            let (from, to) = (cut(range.start), cut(range.end));
            parts.push(plain.freeze().slice(from..to));
        }
        Ok(Some(parts))
    }

    /// A payload in memory as one piece, encrypted.
    fn encrypted(&self, pieces: &[Bytes], hasher: &mut WriteHasher) -> Result<Bytes> {
        let (key, head) = self.headers.create()?;
        let mut out = BytesMut::from(&head[..]);
        let mut sealer = Sealer::new(key);
        for piece in pieces {
            hasher.update(piece);
            sealer.push(piece, &mut out)?;
        }
        sealer.finish(&mut out)?;
        Ok(out.freeze())
    }
}

/// What a header tells.
struct Head {
    key: super::format::FileKey,
    /// Plain bytes.
    size: u64,
    info: ObjectInfo,
}

/// The conditions of a read, without its range.
fn conditions(parts: &ReadParts) -> ReadOptions {
    let mut options = ReadOptions::default();
    if let Some(version) = &parts.if_version {
        options = options.if_version(version.clone());
    }
    if let Some(version) = &parts.if_changed_from {
        options = options.if_changed_from(version.clone());
    }
    options
}

fn checked(ranges: &[Range<u64>]) -> Result<()> {
    for range in ranges {
        ByteRange::from(range.clone()).resolve(u64::MAX)?;
    }
    Ok(())
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend> Backend for Sealed<B> {
    fn name(&self) -> &'static str {
        self.below.name()
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let parts = options.clone().into_parts();
        let place = |error: Error| error.at(Operation::Read, self.name(), path);
        if parts.verify {
            let error = Error::unsupported("digests of an encrypted object");
            return Err(place(error));
        }
        // An inverted range is refused whatever there is.
        parts.range.resolve(u64::MAX).map_err(place)?;
        match parts.range {
            ByteRange::Full => self.whole(self.below.reader(path, options).await?).await,
            _ => self.part(path, parts).await,
        }
        .map_err(place)
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        let place = |error: Error| error.at(Operation::Write, self.name(), path);
        let (options, hasher) = self.prepared(options).map_err(place)?;
        let (key, head) = self.headers.create().map_err(place)?;
        let inner = self.below.writer(path, options).await?;
        let sink = EncryptingSink::new(inner, key, &head, hasher);
        Ok(Writer::new(self.name(), path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.below.delete(path).await
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let mut page = self.below.list(prefix, options).await?;
        for entry in &mut page.entries {
            let empty = ObjectInfo::new(entry.path.clone());
            *entry = self.plain(std::mem::replace(entry, empty))?;
        }
        Ok(page)
    }

    async fn close(&self) -> Result<()> {
        self.below.close().await
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.below.exists(path).await
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        let place = |error: Error| error.at(Operation::Read, self.name(), path);
        let parts = options.clone().into_parts();
        if parts.range != ByteRange::Full || parts.verify {
            let reader = self.reader(path, options).await?;
            return reader.bytes().await.map_err(place);
        }
        let below = self.below.reader(path, options).await?;
        if below.remaining().is_none_or(|size| size > PIECE) {
            let whole = self.whole(below).await.map_err(place)?;
            return whole.bytes().await.map_err(place);
        }
        let sealed = below.bytes().await.map_err(place)?;
        let open = || {
            let key = self.headers.open(&sealed)?;
            if plain_size(sealed.len() as u64).is_none() {
                return Err(corrupt("no encrypted object has this size"));
            }
            open_segments(&key, &sealed[HEADER..], 0, Some(true))
        };
        open().map(BytesMut::freeze).map_err(place)
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let place = |error: Error| error.at(Operation::Read, self.name(), path);
        checked(ranges).map_err(place)?;
        if let Some(parts) = self.ranges_at_once(path, ranges).await.map_err(place)? {
            return Ok(parts);
        }
        let mut parts = Vec::with_capacity(ranges.len());
        let mut pinned = None;
        for range in ranges {
            let mut options = ReadOptions::from(range.clone());
            if let Some(version) = pinned.clone() {
                options = options.if_version(version);
            }
            let reader = self.reader(path, options).await?;
            if pinned.is_none() && self.has_versions() {
                pinned.clone_from(&reader.info().version);
            }
            parts.push(reader.bytes().await.map_err(place)?);
        }
        Ok(parts)
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let place = |error: Error| error.at(Operation::Write, self.name(), path);
        let options = match options.clone().into_parts().size {
            Some(_) => options,
            None => options.size(payload.len()),
        };
        if let Some(pieces) = payload.as_slices().filter(|_| payload.len() <= PIECE) {
            let (options, mut hasher) = self.prepared(options).map_err(place)?;
            let sealed = self.encrypted(pieces, &mut hasher).map_err(place)?;
            let hashes = hasher.finish().map_err(place)?;
            let mut written = self.below.write(path, sealed.into(), options).await?;
            (written.size, written.hashes) = (payload.len(), hashes.reported);
            return Ok(written);
        }
        let mut writer = self.writer(path, options).await?;
        let mut chunks = payload.stream();
        while let Some(chunk) = chunks.next().await {
            writer.write_bytes(chunk?).await?;
        }
        writer.finish().await
    }

    fn identity(&self) -> Option<String> {
        self.below.identity()
    }

    fn blocks(&self) -> bool {
        self.below.blocks()
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        self.below.as_extended().map(|_| self as _)
    }
}

impl<B: fmt::Debug> fmt::Debug for Sealed<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("below", &self.below)
            .finish_non_exhaustive()
    }
}
