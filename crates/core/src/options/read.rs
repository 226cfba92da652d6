use super::ByteRange;
#[cfg(doc)]
use crate::ErrorKind;
use crate::Version;

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
