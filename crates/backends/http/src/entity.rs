//! What the headers of a reply say of an object.

use std::ops::Range;
use std::time::SystemTime;

use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED,
    TRANSFER_ENCODING,
};
use storage_core::{ObjectInfo, ObjectPath, Version};

/// The object that a reply describes, whose size is `size`. Its entity tag is a version where the
/// server's tags are said to be.
pub(crate) fn info(
    path: &ObjectPath,
    headers: &HeaderMap,
    size: Option<u64>,
    versions: bool,
) -> ObjectInfo {
    let mut info = ObjectInfo::new(path.clone());
    info.size = size;
    info.modified = modified(headers);
    info.etag = text(headers, &ETAG).map(Into::into);
    info.content_type = text(headers, &CONTENT_TYPE).map(Into::into);
    info.cache_control = text(headers, &CACHE_CONTROL).map(Into::into);
    if versions {
        info.version = strong_tag(headers).map(Version::new);
    }
    info
}

/// The header's value; `None` when it is missing, repeated or not text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The entity tag, unless it is weak: that of another representation may be the same.
pub(crate) fn strong_tag(headers: &HeaderMap) -> Option<&str> {
    text(headers, &ETAG).filter(|tag| is_strong_tag(tag))
}

pub(crate) fn is_strong_tag(tag: &str) -> bool {
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.contains('"'))
}

pub(crate) fn modified(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, &LAST_MODIFIED)?).ok()
}

/// The length of the body, where it is told and stands.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// `Content-Range`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// The bytes that follow; `None` in a refusal.
    pub(crate) range: Option<Range<u64>>,
    /// The size of the whole, where it is told.
    pub(crate) size: Option<u64>,
}

impl ContentRange {
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(text(headers, &CONTENT_RANGE)?)
    }

    /// `None` for what is malformed, contradicts itself or is not in bytes.
    fn parse(text: &str) -> Option<Self> {
        let (range, size) = text.strip_prefix("bytes ")?.trim().split_once('/')?;
        let size = match size {
            "*" => None,
            size => Some(size.parse().ok()?),
        };
        if range == "*" {
            return Some(Self { range: None, size });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        let end = last.checked_add(1)?;
        if first >= end || size.is_some_and(|size| end > size) {
            return None;
        }
        let range = Some(first..end);
        Some(Self { range, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_well_formed_or_nothing() {
        let parsed = |text| ContentRange::parse(text).map(|range| (range.range, range.size));
        assert_eq!(parsed("bytes 0-4/10"), Some((Some(0..5), Some(10))));
        assert_eq!(parsed("bytes 3-3/*"), Some((Some(3..4), None)));
        assert_eq!(parsed("bytes */7"), Some((None, Some(7))));
        for text in [
            "",
            "bytes",
            "bytes 0-4",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes a-b/10",
            "lines 0-4/10",
            "bytes 0-18446744073709551615/*",
            "bytes -4/10",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn weak_and_malformed_tags_are_no_versions() {
        for (tag, strong) in [
            ("\"x\"", true),
            ("\"\"", true),
            ("W/\"x\"", false),
            ("x", false),
            ("\"", false),
            ("\"a\"b\"", false),
        ] {
            assert_eq!(is_strong_tag(tag), strong, "{tag}");
        }
    }
}
