use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use storage_core::{
    ByteRange, Error, ErrorKind, ObjectInfo, ObjectPath, ReadOptions, ReadParts, Reader, Result,
    Version,
};

use crate::attributes::etag_of;
use crate::get::{Got, Tag, header_of, not_this_version};
use crate::publish::size_of;
use crate::store::Store;
use crate::stream::Source;

impl Store {
    /// Opens an object: one request, and more at once when it is large.
    pub(crate) async fn open(
        self: &Arc<Self>,
        path: &ObjectPath,
        options: ReadOptions,
    ) -> Result<Reader> {
        let ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        } = options.into_parts();
        if verify && !matches!(range, ByteRange::Full | ByteRange::From(0)) {
            return Err(Error::unsupported("verifying a part of an object"));
        }
        let tag = match (&if_version, &if_changed_from) {
            (Some(expected), _) => etag_of(expected).map_or(Tag::Any, Tag::Same),
            (None, Some(known)) => etag_of(known).map_or(Tag::Any, Tag::Other),
            (None, None) => Tag::Any,
        };
        let got = match self.got(path, range, &tag).await {
            Err(error) if error.is_precondition_failed() && if_version.is_some() => {
                let Some(expected) = &if_version else {
                    return Err(error);
                };
                return Err(not_this_version(expected, None));
            }
            Err(error) if error.kind() == ErrorKind::NotModified => {
                // The tag is the same; the same bytes may have been written again.
                let found = self.head(path).await.map_err(Error::from)?;
                if found.version == if_changed_from {
                    return Err(error);
                }
                self.got(path, range, &Tag::Any).await?
            }
            got => got?,
        };
        judge(got.info(), if_version.as_ref(), if_changed_from.as_ref())?;
        got.reader(self, verify)
    }

    /// What a range of an object gives; a range of nothing is asked for without a body.
    async fn got(
        self: &Arc<Self>,
        path: &ObjectPath,
        range: ByteRange,
        tag: &Tag,
    ) -> Result<Opened> {
        let header = match header_of(range) {
            Ok(header) => header,
            Err(Some(error)) => {
                // A missing object is missing whatever is asked of it.
                self.head(path).await.map_err(Error::from)?;
                return Err(error);
            }
            Err(None) => return self.nothing_of(path, range).await,
        };
        match self.get(path, header, tag).await {
            Ok(got) if range.resolve(size_of(&got.info)?)? != got.range => {
                let message = "the store gave another range than was asked for";
                Err(Error::new(ErrorKind::Corrupt, message))
            }
            Ok(got) => Ok(Opened::Body(got)),
            Err(failure) if failure.status == 416 => self.nothing_of(path, range).await,
            Err(failure) => Err(failure.into()),
        }
    }

    async fn nothing_of(&self, path: &ObjectPath, range: ByteRange) -> Result<Opened> {
        let info = self.head(path).await.map_err(Error::from)?;
        let range = range.resolve(size_of(&info)?)?;
        if range.start < range.end {
            let message = "the object grew while it was opened";
            return Err(Error::new(ErrorKind::Other, message).with_transient(true));
        }
        Ok(Opened::Nothing(info, range))
    }

    /// Ranges of one version, several at once.
    pub(crate) async fn ranges(
        self: &Arc<Self>,
        path: &ObjectPath,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<Bytes>> {
        let mut pinned = None;
        // The first try asks for whatever is there; one that met two versions pins the later one.
        for _ in 0..self.patience.max_attempts {
            let read = |range: std::ops::Range<u64>| self.one_range(path, range, pinned.clone());
            let read = stream::iter(ranges.to_vec()).map(read);
            let all: Result<Vec<(Bytes, Option<Version>)>> =
                read.buffered(self.settings.concurrency).try_collect().await;
            let all = match all {
                Err(error) if error.is_precondition_failed() => {
                    pinned = None;
                    continue;
                }
                all => all?,
            };
            let last = all.last().and_then(|(_, version)| version.clone());
            if all.iter().all(|(_, version)| *version == last) {
                return Ok(all.into_iter().map(|(bytes, _)| bytes).collect());
            }
            pinned = last;
        }
        Err(Error::new(
            ErrorKind::PreconditionFailed,
            "the object changed while it was read",
        )
        .with_transient(true))
    }

    async fn one_range(
        self: &Arc<Self>,
        path: &ObjectPath,
        range: std::ops::Range<u64>,
        pinned: Option<Version>,
    ) -> Result<(Bytes, Option<Version>)> {
        let mut options = ReadOptions::from(range);
        if let Some(version) = pinned {
            options = options.if_version(version);
        }
        let reader = self.open(path, options).await?;
        let version = reader.info().version.clone();
        Ok((reader.bytes().await?, version))
    }
}

/// Whether the object found is one that the conditions let through.
fn judge(
    info: &ObjectInfo,
    if_version: Option<&Version>,
    if_changed_from: Option<&Version>,
) -> Result<()> {
    match (if_version, if_changed_from) {
        (Some(expected), _) if info.version.as_ref() != Some(expected) => {
            Err(not_this_version(expected, info.version.clone()))
        }
        (_, Some(known)) if info.version.as_ref() == Some(known) => {
            Err(Error::new(ErrorKind::NotModified, ""))
        }
        _ => Ok(()),
    }
}

enum Opened {
    Body(Got),
    Nothing(ObjectInfo, std::ops::Range<u64>),
}

impl Opened {
    fn info(&self) -> &ObjectInfo {
        match self {
            Self::Body(got) => &got.info,
            Self::Nothing(info, _) => info,
        }
    }

    fn reader(self, store: &Arc<Store>, verify: bool) -> Result<Reader> {
        let (info, range, source, sum) = match self {
            Self::Nothing(info, range) => return nothing(info, range, verify),
            Self::Body(Got {
                info,
                range,
                body,
                sum,
            }) => {
                let source = Source::new(Arc::clone(store), &info, range.clone(), body);
                (info, range, source, sum)
            }
        };
        let mut stream = source.stream();
        if verify {
            stream = storage_hash::verified(stream, info.hashes.clone())?;
        } else if let Some(sum) = sum {
            stream = sum.check(stream);
        }
        Ok(Reader::from_stream(info, range, stream))
    }
}

fn nothing(info: ObjectInfo, range: std::ops::Range<u64>, verify: bool) -> Result<Reader> {
    if verify {
        let stream: storage_core::ByteStream = Box::pin(stream::empty());
        let stream = storage_hash::verified(stream, info.hashes.clone())?;
        return Ok(Reader::from_stream(info, range, stream));
    }
    Ok(Reader::from_bytes(info, range, Bytes::new()))
}
