use std::ops::Range;

use aws_sdk_s3::operation::get_object::builders::GetObjectInputBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use storage_core::{ByteRange, Error, ObjectInfo, ObjectPath, Result, Version};

use crate::attributes::head;
use crate::call::Repeat;
use crate::checksum::Sum;
use crate::failure::Failure;
use crate::signature::Payload;
use crate::store::Store;

/// A reply to `GetObject`, its body still to come.
pub(crate) struct Got {
    pub(crate) info: ObjectInfo,
    /// The bytes of the object that the body gives.
    pub(crate) range: Range<u64>,
    pub(crate) body: ByteStream,
    /// What the whole object sums up to, where the store tells.
    pub(crate) sum: Option<Sum>,
}

/// Which object to get: any, that with the tag, or one with another tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tag {
    Any,
    Same(String),
    Other(String),
}

impl Store {
    /// Opens the body of an object or of a range of it; `range` is as HTTP has it.
    pub(crate) async fn get(
        &self,
        path: &ObjectPath,
        range: Option<String>,
        tag: &Tag,
    ) -> Result<Got, Failure> {
        let key = self.key(path);
        let (same, other) = match tag {
            Tag::Any => (None, None),
            Tag::Same(etag) => (Some(etag.clone()), None),
            Tag::Other(etag) => (None, Some(etag.clone())),
        };
        let whole = range.is_none();
        let reply = self.call("GetObject", Repeat::Freely, |_| {
            let request = GetObjectInputBuilder::default();
            let request = request
                .bucket(&self.bucket)
                .key(&key)
                .set_range(range.clone())
                .set_if_match(same.clone())
                .set_if_none_match(other.clone());
            let request = request.set_checksum_mode(whole.then_some(ChecksumMode::Enabled));
            self.send(request, &Payload::Empty)
        });
        let mut reply = reply.await?;
        let length = reply.content_length.and_then(|n| u64::try_from(n).ok());
        let (range, size) = placed(reply.content_range.as_deref(), length)?;
        let body = std::mem::take(&mut reply.body);
        let sum = if whole { Sum::of(&reply) } else { None };
        let info = head!(reply, Some(size)).info(path, self.settings.server_modified);
        Ok(Got {
            info,
            range,
            body,
            sum,
        })
    }
}

/// Which bytes a body is, of how many, by its `Content-Range` and `Content-Length`: all of them without
/// the former.
fn placed(range: Option<&str>, length: Option<u64>) -> Result<(Range<u64>, u64), Failure> {
    match (range.map(parse_range), length) {
        (None, Some(length)) => Ok((0..length, length)),
        (None, None) => Err(Failure::misled(
            "the store does not tell the length of what it gives",
        )),
        (Some(Some((range, size))), length)
            if length.is_none_or(|length| length == range.end - range.start) =>
        {
            Ok((range, size))
        }
        (Some(_), _) => Err(Failure::misled(
            "the store names a range that makes no sense",
        )),
    }
}

/// `bytes 2-5/10`.
fn parse_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, size.parse().ok()?);
    (first <= last && last < size).then(|| (first..last + 1, size))
}

/// The highest offset that all stores understand: many keep it in 63 bits. No object is as long.
const MAX_OFFSET: u64 = i64::MAX as u64;

/// The range as HTTP has it; `None` for all. A range of nothing has no such form.
///
/// # Errors
/// `InvalidRange` when it runs backwards.
pub(crate) fn header_of(range: ByteRange) -> Result<Option<String>, Option<Error>> {
    match range {
        ByteRange::Full | ByteRange::From(0) => Ok(None),
        ByteRange::Suffix(0) => Err(None),
        ByteRange::Suffix(count) => Ok(Some(format!("bytes=-{}", count.min(MAX_OFFSET)))),
        ByteRange::Bounded(start, end) if end < start => Err(range.resolve(u64::MAX).err()),
        ByteRange::From(start) | ByteRange::Bounded(start, _) if start > MAX_OFFSET => Err(None),
        ByteRange::From(start) => Ok(Some(format!("bytes={start}-"))),
        ByteRange::Bounded(start, end) if end > MAX_OFFSET => Ok(Some(format!("bytes={start}-"))),
        ByteRange::Bounded(start, end) if start < end => {
            Ok(Some(format!("bytes={start}-{}", end - 1)))
        }
        ByteRange::Bounded(..) => Err(None),
    }
}

/// The failure of a read that was to give one version.
pub(crate) fn not_this_version(expected: &Version, actual: Option<Version>) -> Error {
    Error::precondition_failed(Some(expected.clone()), actual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_requests_are_such_that_every_store_understands() {
        let max = u64::MAX;
        for (range, header) in [
            (ByteRange::Bounded(4, 6), "bytes=4-5"),
            (ByteRange::Bounded(4, max), "bytes=4-"),
            (ByteRange::From(4), "bytes=4-"),
            (ByteRange::Suffix(max), "bytes=-9223372036854775807"),
        ] {
            assert_eq!(header_of(range).unwrap().as_deref(), Some(header));
        }
        for nothing in [ByteRange::From(max), ByteRange::Bounded(max - 1, max)] {
            assert!(matches!(header_of(nothing), Err(None)), "{nothing:?}");
        }
        assert!(matches!(header_of(ByteRange::Bounded(5, 4)), Err(Some(_))));
    }

    #[test]
    fn ranges_of_replies() {
        assert_eq!(parse_range("bytes 2-5/10"), Some((2..6, 10)));
        for wrong in [
            "",
            "bytes */10",
            "bytes 1-2/*",
            "bytes 0-18446744073709551615/9",
            "bytes 9-3/10",
            "bytes 3-10/10",
        ] {
            assert_eq!(parse_range(wrong), None, "{wrong}");
            assert!(placed(Some(wrong), Some(2)).is_err(), "{wrong}");
        }
        assert_eq!(placed(None, Some(7)).unwrap(), (0..7, 7));
        assert_eq!(placed(Some("bytes 2-5/10"), Some(4)).unwrap().0, 2..6);
        assert!(placed(Some("bytes 2-5/10"), Some(10)).is_err());
        assert!(placed(None, None).is_err());
    }
}
