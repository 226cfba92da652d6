use std::ops::{Range, RangeFrom, RangeFull, RangeTo};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::{Cursor, Error, ErrorKind, Glob, HashTypes, Hashes, Metadata, Result, Version};

/// Which bytes of an object to read. Ends are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ByteRange {
    /// All of it.
    #[default]
    Full,
    /// From the start to before the end. An equal start and end is a read of no bytes.
    Bounded(u64, u64),
    /// From the offset to the end of the object.
    From(u64),
    /// The last bytes, at most this many.
    Suffix(u64),
}

impl ByteRange {
    /// At most `limit` bytes from `offset`; `None` is without a limit, `Some(0)` reads nothing.
    #[must_use]
    pub const fn at(offset: u64, limit: Option<u64>) -> Self {
        match limit {
            Some(limit) => Self::Bounded(offset, offset.saturating_add(limit)),
            None => Self::From(offset),
        }
    }

    /// The bytes meant of an object of `size` bytes: ends past the size are clamped, a start at or
    /// past it gives an empty range.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRange`] when the end lies before the start.
    pub fn resolve(self, size: u64) -> Result<Range<u64>> {
        Ok(match self {
            Self::Full => 0..size,
            Self::Bounded(start, end) if end < start => {
                return Err(Error::new(
                    ErrorKind::InvalidRange,
                    format!("the end {end} lies before the start {start}"),
                ));
            }
            Self::Bounded(start, end) => start.min(size)..end.min(size),
            Self::From(start) => start.min(size)..size,
            Self::Suffix(count) => size.saturating_sub(count)..size,
        })
    }
}

impl From<Range<u64>> for ByteRange {
    fn from(range: Range<u64>) -> Self {
        Self::Bounded(range.start, range.end)
    }
}

impl From<RangeFrom<u64>> for ByteRange {
    fn from(range: RangeFrom<u64>) -> Self {
        Self::From(range.start)
    }
}

impl From<RangeTo<u64>> for ByteRange {
    fn from(range: RangeTo<u64>) -> Self {
        Self::Bounded(0, range.end)
    }
}

impl From<RangeFull> for ByteRange {
    fn from(_: RangeFull) -> Self {
        Self::Full
    }
}

/// How to read. The default reads everything, whatever the version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    range: ByteRange,
    if_version: Option<Version>,
    if_changed_from: Option<Version>,
    verify: bool,
}

/// [`ReadOptions`] taken apart by backends, with no `..`, so that a new option cannot be overlooked.
#[doc(hidden)]
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct ReadParts {
    pub range: ByteRange,
    pub if_version: Option<Version>,
    pub if_changed_from: Option<Version>,
    pub verify: bool,
}

impl ReadOptions {
    /// The bytes to read; default all.
    #[must_use]
    pub fn range(mut self, range: impl Into<ByteRange>) -> Self {
        self.range = range.into();
        self
    }

    /// Read only this version; any other is [`ErrorKind::PreconditionFailed`].
    #[must_use]
    pub fn if_version(mut self, version: Version) -> Self {
        self.if_version = Some(version);
        self
    }

    /// Read only if the version is another one; the same is [`ErrorKind::NotModified`].
    #[must_use]
    pub fn if_changed_from(mut self, version: Version) -> Self {
        self.if_changed_from = Some(version);
        self
    }

    /// Check the bytes against the digests kept with the object while they are read: a difference is
    /// [`ErrorKind::Corrupt`] instead of the end of the stream. Refused as `Unsupported` for a part
    /// of an object and for an object without digests.
    #[must_use]
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn into_parts(self) -> ReadParts {
        let Self {
            range,
            if_version,
            if_changed_from,
            verify,
        } = self;
        ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        }
    }
}

impl<R: Into<ByteRange>> From<R> for ReadOptions {
    fn from(range: R) -> Self {
        Self::default().range(range)
    }
}

/// What a write expects to find, and does to what it finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// Replaces whatever is there. Atomic.
    #[default]
    Replace,
    /// Creates; an existing object is [`ErrorKind::AlreadyExists`]. Atomic: of any number of racing
    /// writers exactly one succeeds.
    CreateNew,
    /// Replaces exactly this version; any other, or a missing object, is
    /// [`ErrorKind::PreconditionFailed`]. Atomic like `CreateNew`.
    IfVersion(Version),
    /// Adds to the end, creating the object if needed. Concurrent appends keep all bytes, each
    /// append's bytes together. A crash may leave part of one append.
    Append,
}

/// What to do with attributes that a backend cannot store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AttributePolicy {
    /// Refuse the write with [`ErrorKind::Unsupported`].
    #[default]
    Required,
    /// Store what can be stored and leave out the rest.
    IfSupported,
}

/// When a finished write has to be durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// As the backend is configured.
    #[default]
    Configured,
    /// At the latest with the next [`ExtendedBackend::flush`](crate::ExtendedBackend::flush).
    Deferred,
    /// When `finish` returns, whatever the configuration.
    Immediate,
}

/// How to write. The default replaces atomically and stores no attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteOptions(WriteParts);

/// [`WriteOptions`] taken apart by backends, with no `..`, so that a new option cannot be overlooked.
#[doc(hidden)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct WriteParts {
    pub mode: WriteMode,
    pub content_type: Option<Arc<str>>,
    pub cache_control: Option<Arc<str>>,
    pub metadata: Metadata,
    pub modified: Option<SystemTime>,
    pub hashes: HashTypes,
    pub verify: HashTypes,
    pub expected: Hashes,
    pub size: Option<u64>,
    pub attributes: AttributePolicy,
    pub durability: Durability,
}

impl WriteOptions {
    /// What the write expects to find; default [`WriteMode::Replace`].
    #[must_use]
    pub fn mode(mut self, mode: WriteMode) -> Self {
        self.0.mode = mode;
        self
    }

    /// Media type to store.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<Arc<str>>) -> Self {
        self.0.content_type = Some(content_type.into());
        self
    }

    /// Cache-Control to store.
    #[must_use]
    pub fn cache_control(mut self, cache_control: impl Into<Arc<str>>) -> Self {
        self.0.cache_control = Some(cache_control.into());
        self
    }

    /// User-defined attributes to store, in place of any given before.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = metadata;
        self
    }

    /// Modified time to store instead of the time of the write.
    #[must_use]
    pub fn modified(mut self, modified: SystemTime) -> Self {
        self.0.modified = Some(modified);
        self
    }

    /// Digests to compute on the way, to store with the object and to report. Of an append,
    /// `Unsupported`: the object's digests could not be kept true.
    #[must_use]
    pub fn hashes(mut self, hashes: impl Into<HashTypes>) -> Self {
        self.0.hashes = hashes.into();
        self
    }

    /// Digests to compute on the way and to report, without storing them. Every backend can.
    #[must_use]
    pub fn verify(mut self, hashes: impl Into<HashTypes>) -> Self {
        self.0.verify = hashes.into();
        self
    }

    /// Digests that the written bytes must have; a different one is [`ErrorKind::Corrupt`] and
    /// publishes nothing. Every backend can.
    #[must_use]
    pub fn expected(mut self, hashes: Hashes) -> Self {
        self.0.expected = hashes;
        self
    }

    /// The number of bytes that will be written; another count is [`ErrorKind::Corrupt`] and
    /// publishes nothing. Lets a backend choose its way and reserve space.
    #[must_use]
    pub fn size(mut self, size: u64) -> Self {
        self.0.size = Some(size);
        self
    }

    /// Whether attributes that the backend cannot store are refused (the default) or left out.
    #[must_use]
    pub fn attributes(mut self, attributes: AttributePolicy) -> Self {
        self.0.attributes = attributes;
        self
    }

    /// When the write has to be durable.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.0.durability = durability;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn into_parts(self) -> WriteParts {
        self.0
    }
}

impl WriteParts {
    /// Judges the options against a backend's features: refuses modes and required attributes that
    /// it does not have, and drops those that are not required.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], naming the option.
    #[doc(hidden)]
    pub fn restrict_to(&mut self, features: crate::Features) -> Result<()> {
        let refuse = |what: &'static str| Err(Error::unsupported(what));
        match self.mode {
            WriteMode::CreateNew if !features.create_new => return refuse("mode create-new"),
            WriteMode::IfVersion(_) if !features.if_version => return refuse("mode if-version"),
            WriteMode::Append if !features.append => return refuse("mode append"),
            WriteMode::Append if !self.hashes.is_empty() => {
                return refuse("storing hashes of an append");
            }
            _ => {}
        }
        let required = self.attributes == AttributePolicy::Required;
        if !features.content_type && (self.content_type.is_some() || self.cache_control.is_some()) {
            if required {
                return refuse("content type and cache control");
            }
            (self.content_type, self.cache_control) = (None, None);
        }
        if !features.custom_metadata && !self.metadata.is_empty() {
            if required {
                return refuse("custom metadata");
            }
            self.metadata.clear();
        }
        if !features.set_modified && self.modified.is_some() {
            if required {
                return refuse("setting the modified time");
            }
            self.modified = None;
        }
        if !features.hashes && !self.hashes.is_empty() {
            if required {
                return refuse("storing hashes");
            }
            // They are still computed and reported.
            self.verify = self.verify | self.hashes;
            self.hashes = HashTypes::NONE;
        }
        check_metadata(&self.metadata)
    }
}

/// What every store can carry: lower-case names, and values that fit a header once encoded.
fn check_metadata(metadata: &Metadata) -> Result<()> {
    for (key, value) in metadata {
        let good_key = !key.is_empty()
            && key
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if !good_key || value.chars().any(char::is_control) {
            return Err(Error::config(format!(
                "metadata {key:?}: keys are lower-case letters, digits, `-` and `_`, \
                 values hold no control characters"
            )));
        }
    }
    Ok(())
}

impl From<WriteMode> for WriteOptions {
    fn from(mode: WriteMode) -> Self {
        Self::default().mode(mode)
    }
}

/// How to list. The default gives one level.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListOptions(ListParts);

/// [`ListOptions`] taken apart by backends, with no `..`, so that a new option cannot be overlooked.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ListParts {
    pub cursor: Option<Cursor>,
    pub limit: Option<usize>,
    pub start_after: Option<String>,
    pub recursive: bool,
    pub directories: bool,
    pub name_starts_with: Option<String>,
    pub glob: Option<Glob>,
}

impl ListOptions {
    /// Everything below the prefix instead of one level.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.0.recursive = recursive;
        self
    }

    /// Whether a recursive listing includes directories; a listing of one level always does. A store
    /// without directories has none to include.
    #[must_use]
    pub fn directories(mut self, directories: bool) -> Self {
        self.0.directories = directories;
        self
    }

    /// Go on where the page that gave this cursor ended. The other options must be the same.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.0.cursor = cursor.into();
        self
    }

    /// Most entries in the page, counted after filters; the default is the backend's. 0 gives an
    /// empty last page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// Only entries that sort after this full key (a directory sorts as `name/`).
    #[must_use]
    pub fn start_after(mut self, key: impl Into<String>) -> Self {
        self.0.start_after = Some(key.into());
        self
    }

    /// Only entries whose key goes on with these characters right after the prefix.
    #[must_use]
    pub fn name_starts_with(mut self, start: impl Into<String>) -> Self {
        self.0.name_starts_with = Some(start.into());
        self
    }

    /// Only entries whose last segment matches.
    #[must_use]
    pub fn glob(mut self, glob: Glob) -> Self {
        self.0.glob = Some(glob);
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn into_parts(self) -> ListParts {
        self.0
    }
}

/// How to remove a directory. The default removes an empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RmdirOptions {
    /// Remove everything below it too.
    pub recursive: bool,
}

impl RmdirOptions {
    /// Remove everything below it too.
    #[must_use]
    pub const fn recursive(mut self, recursive: bool) -> Self {
        self.recursive = recursive;
        self
    }
}

/// What a presigned URL allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PresignedMethod {
    /// Reading the object.
    Get,
    /// Writing the object.
    Put,
}

/// How to presign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresignOptions {
    /// What the URL allows.
    pub method: PresignedMethod,
    /// How long it is valid, from 1 second up to the store's maximum.
    pub expires_in: Duration,
}

impl PresignOptions {
    /// A URL for `method`, valid for `expires_in`.
    #[must_use]
    pub const fn new(method: PresignedMethod, expires_in: Duration) -> Self {
        Self { method, expires_in }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Features;

    #[test]
    fn ranges_resolve_as_the_contract_says() {
        assert_eq!(ByteRange::Full.resolve(10).unwrap(), 0..10);
        assert_eq!(ByteRange::from(2..50).resolve(10).unwrap(), 2..10);
        assert_eq!(ByteRange::from(10..12).resolve(10).unwrap(), 10..10);
        assert_eq!(ByteRange::from(99..).resolve(10).unwrap(), 10..10);
        assert_eq!(ByteRange::Suffix(3).resolve(10).unwrap(), 7..10);
        assert_eq!(ByteRange::Suffix(30).resolve(10).unwrap(), 0..10);
        assert_eq!(ByteRange::at(4, Some(0)).resolve(10).unwrap(), 4..4);
        assert!(
            ByteRange::Bounded(5, 4)
                .resolve(10)
                .unwrap_err()
                .is_invalid_range()
        );
    }

    #[test]
    fn required_attributes_are_refused_and_optional_ones_left_out() {
        let options = WriteOptions::default().content_type("text/plain");
        let mut parts = options.clone().into_parts();
        assert!(
            parts
                .restrict_to(Features::NONE)
                .unwrap_err()
                .is_unsupported()
        );
        let mut parts = options
            .attributes(AttributePolicy::IfSupported)
            .into_parts();
        parts.restrict_to(Features::NONE).unwrap();
        assert_eq!(parts.content_type, None);
    }
}
