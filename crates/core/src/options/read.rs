use std::ops::Range;

use super::ByteRange;
use crate::{Error, ErrorKind, Hashes, Result, Version};

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

impl ReadParts {
    /// Whether what the options ask is met by an object of this version, size and digests: the range
    /// that they mean, and whether to verify. For backends that know the object before they read it.
    ///
    /// # Errors
    /// [`ErrorKind::PreconditionFailed`], [`ErrorKind::NotModified`], [`ErrorKind::InvalidRange`], and
    /// [`ErrorKind::Unsupported`] for what cannot be verified.
    #[doc(hidden)]
    pub fn judge(
        self,
        version: &Version,
        size: u64,
        hashes: &Hashes,
    ) -> Result<(Range<u64>, bool)> {
        let Self {
            range,
            if_version,
            if_changed_from,
            verify,
        } = self;
        if let Some(expected) = if_version.filter(|expected| expected != version) {
            let actual = Some(version.clone());
            return Err(Error::precondition_failed(Some(expected), actual));
        }
        if if_changed_from.is_some_and(|old| old == *version) {
            return Err(Error::new(ErrorKind::NotModified, ""));
        }
        if verify && range != ByteRange::Full {
            return Err(Error::unsupported("verifying a part of an object"));
        }
        if verify && hashes.is_empty() {
            let message = "the object has no stored hash to verify against";
            return Err(Error::unsupported(message));
        }
        Ok((range.resolve(size)?, verify))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HashType;

    #[test]
    fn conditions_are_judged_before_ranges() {
        let (mine, other) = (Version::new("1"), Version::new("2"));
        let mut hashes = Hashes::new();
        hashes.insert(HashType::Crc32c, [0; 4]).unwrap();
        let judge = |options: ReadOptions, hashes| options.into_parts().judge(&mine, 10, hashes);
        let all = ReadOptions::default();
        let part = all.clone().range(2..99);
        assert_eq!(judge(part.clone(), &hashes).unwrap(), (2..10, false));
        assert_eq!(
            judge(all.clone().verify(true), &hashes).unwrap(),
            (0..10, true)
        );
        for (options, hashes, kind) in [
            (
                part.clone().if_version(other),
                &hashes,
                ErrorKind::PreconditionFailed,
            ),
            (
                part.clone().if_changed_from(mine.clone()),
                &hashes,
                ErrorKind::NotModified,
            ),
            (part.verify(true), &hashes, ErrorKind::Unsupported),
            (all.verify(true), &Hashes::new(), ErrorKind::Unsupported),
        ] {
            assert_eq!(judge(options, hashes).unwrap_err().kind(), kind);
        }
    }
}
