use std::time::{Duration, SystemTime};

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{ETag, Timestamp};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use storage_core::{HashType, Metadata, ObjectInfo, Version};

use crate::checksum::Sum;

/// The metadata entry that holds an object's [`Record`].
pub(crate) const RECORD: &str = "omnistorage-s3";

/// What S3 knows of an object beyond what backends do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Bytes of the content that all of this is true of.
    pub(crate) size: u64,
    pub(crate) etag: String,
    /// Sizes of the parts that it was uploaded in, as runs of size and count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sums: Vec<Sum>,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub(crate) headers: Headers,
}

/// The headers that come back as they were given and that backends have no place for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Headers {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
}

impl Headers {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The headers to keep, out of the fields of a request.
macro_rules! headers_of {
    ($fields:expr) => {
        $crate::object::Headers {
            content_type: $fields.content_type.take(),
            cache_control: $fields.cache_control.take(),
            content_encoding: $crate::object::without_chunking($fields.content_encoding.take()),
            content_disposition: $fields.content_disposition.take(),
            content_language: $fields.content_language.take(),
            expires: $fields.expires.take(),
        }
    };
}
pub(crate) use headers_of;

/// `aws-chunked` says how the request's body came and nothing of the content.
pub(crate) fn without_chunking(encoding: Option<String>) -> Option<String> {
    let encoding = encoding?;
    let kept = encoding.split(',').map(str::trim);
    let kept: Vec<&str> = kept
        .filter(|one| !one.is_empty() && *one != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

impl Record {
    pub(crate) fn to_entry(&self) -> S3Result<String> {
        serde_json::to_string(self).map_err(|error| s3_error!(error, InternalError))
    }

    /// The record of an object; derived from what the backend knows where others wrote it.
    pub(crate) fn of(info: &ObjectInfo) -> Self {
        let size = info.size.unwrap_or(0);
        let entry = info.metadata.get(RECORD);
        let record = entry.and_then(|entry| serde_json::from_str::<Self>(entry).ok());
        match record.filter(|record| record.size == size) {
            Some(record) => record,
            None => Self {
                size,
                etag: derived_etag(info, size),
                ..Self::default()
            },
        }
    }

    /// Where the part of this number lies, and how many parts there are. The whole is part 1 of an
    /// object that was not uploaded in parts.
    pub(crate) fn part(&self, number: u64) -> Option<(std::ops::Range<u64>, u64)> {
        if self.parts.is_empty() {
            return (number == 1).then_some((0..self.size, 1));
        }
        let count = self.parts.iter().map(|(_, count)| count).sum();
        let (mut start, mut before) = (0, number.checked_sub(1)?);
        for (size, run) in &self.parts {
            if before < *run {
                let start = start + before * size;
                return Some((start..start + size, count));
            }
            (start, before) = (start + size * run, before - run);
        }
        None
    }

    pub(crate) fn etag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

/// Sizes of parts as runs of size and count.
pub(crate) fn runs(sizes: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for size in sizes {
        match runs.last_mut() {
            Some((same, count)) if *same == size => *count += 1,
            _ => runs.push((size, 1)),
        }
    }
    runs
}

/// The MD5 where the backend keeps one; else made of the version, in the form that clients do not take
/// for an MD5.
fn derived_etag(info: &ObjectInfo, size: u64) -> String {
    if let Some(md5) = info.hashes.get_hex(HashType::Md5) {
        return md5;
    }
    let version = info.version.as_ref().map(Version::as_str);
    let seen = format!("{version:?} {size} {:?}", info.modified);
    format!("{}-0", hex(&Md5::checksum(seen.as_bytes())))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What clients see of an object's metadata.
pub(crate) fn user_metadata(info: &ObjectInfo) -> Option<s3s::dto::Metadata> {
    let entries = info.metadata.iter().filter(|(key, _)| *key != RECORD);
    let entries: s3s::dto::Metadata = entries.map(|(k, v)| (k.clone(), v.clone())).collect();
    (!entries.is_empty()).then_some(entries)
}

/// The metadata that a client gives, as a backend takes it.
pub(crate) fn stored_metadata(given: Option<s3s::dto::Metadata>) -> S3Result<Metadata> {
    let given: Metadata = given.into_iter().flatten().collect();
    if given.contains_key(RECORD) {
        return Err(s3_error!(
            InvalidArgument,
            "the metadata name {RECORD} is the server's own"
        ));
    }
    Ok(given)
}

/// A time as HTTP knows it, in whole seconds.
pub(crate) fn http_time(time: Option<SystemTime>) -> Option<Timestamp> {
    let since = time?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
    Some(whole.into())
}

#[cfg(test)]
mod tests {
    use storage_core::ObjectPath;

    use super::*;

    #[test]
    fn parts_lie_one_after_another() {
        let record = Record {
            size: 25,
            parts: runs([10, 10, 5].into_iter()),
            ..Record::default()
        };
        assert_eq!(record.parts, [(10, 2), (5, 1)]);
        assert_eq!(record.part(2), Some((10..20, 3)));
        assert_eq!(record.part(3), Some((20..25, 3)));
        assert_eq!((record.part(0), record.part(4)), (None, None));
        let whole = Record::default();
        assert_eq!((whole.part(1), whole.part(2)), (Some((0..0, 1)), None));
    }

    #[test]
    fn a_record_of_another_content_does_not_count() {
        let record = Record {
            size: 3,
            etag: "abc".into(),
            ..Record::default()
        };
        let mut info = ObjectInfo::new(ObjectPath::new("b/k").unwrap()).with_size(3);
        info.metadata
            .insert(RECORD.into(), record.to_entry().unwrap());
        assert_eq!(Record::of(&info), record);
        let longer = Record::of(&info.with_size(4));
        assert!(longer.etag.ends_with("-0"), "{longer:?}");
    }
}
