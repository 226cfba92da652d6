//! What is kept of an object beside its chunks: one hash.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use redis::Value;
use storage_core::timestamp::of_nanoseconds;
use storage_core::{
    HashType, Hashes, Metadata, ObjectInfo, ObjectPath, Result, Version, WriteParts,
};

use crate::failure::damaged;

/// The fields that tell of an object, in the order in which they are read.
pub(crate) const FIELDS: [&str; 7] = ["v", "s", "m", "ct", "cc", "md", "hs"];

/// The fields that hold the bytes or say where they are.
pub(crate) const CONTENT: [&str; 2] = ["b", "d"];

#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) version: Version,
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
    pub(crate) attributes: Attributes,
}

/// What a writer may store beside the bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<Arc<str>>,
    pub(crate) cache_control: Option<Arc<str>>,
    pub(crate) metadata: Metadata,
    pub(crate) hashes: Hashes,
}

/// Where the bytes of an object are.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Inline(Bytes),
    Segments(Arc<[Segment]>),
}

/// A part of an object: one blob, with chunks of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) blob: String,
    /// Which bytes of the object it holds.
    pub(crate) range: Range<u64>,
}

impl Header {
    /// Reads the values of [`FIELDS`]; `None` when there is no object.
    pub(crate) fn of_values(values: &mut impl Iterator<Item = Value>) -> Result<Option<Self>> {
        let mut text = || text_of(values.next().unwrap_or_default());
        let (version, size, modified) = (text()?, text()?, text()?);
        let attributes = Attributes {
            content_type: text()?.map(Into::into),
            cache_control: text()?.map(Into::into),
            metadata: metadata(text()?.as_deref()),
            hashes: hashes(text()?.as_deref())?,
        };
        let Some(version) = version else {
            return Ok(None);
        };
        Ok(Some(Self {
            version: Version::new(version),
            size: number(size.as_deref())?,
            modified: of_nanoseconds(number(modified.as_deref())?),
            attributes,
        }))
    }

    pub(crate) fn info(&self, path: ObjectPath) -> ObjectInfo {
        let mut info = ObjectInfo::new(path)
            .with_size(self.size)
            .with_modified(self.modified)
            .with_version(self.version.clone());
        info.content_type.clone_from(&self.attributes.content_type);
        info.cache_control
            .clone_from(&self.attributes.cache_control);
        info.metadata.clone_from(&self.attributes.metadata);
        info.hashes.clone_from(&self.attributes.hashes);
        info
    }
}

impl Content {
    /// Reads the values of [`CONTENT`].
    pub(crate) fn of_values(values: &mut impl Iterator<Item = Value>, size: u64) -> Result<Self> {
        let (segments, inline) = (values.next(), values.next());
        let content = match text_of(segments.unwrap_or_default())? {
            Some(text) => Self::Segments(segments_of(&text)?.into()),
            None => Self::Inline(bytes_of(inline.unwrap_or_default())?),
        };
        let found = match &content {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Segments(segments) => segments.last().map_or(0, |last| last.range.end),
        };
        match found == size {
            true => Ok(content),
            false => Err(damaged(format!("the object has {found} bytes, not {size}"))),
        }
    }
}

fn segments_of(text: &str) -> Result<Vec<Segment>> {
    let mut end = 0u64;
    let segment = |part: &str| {
        let (blob, size) = part.split_once(':')?;
        let start = end;
        end = end.checked_add(size.parse().ok()?)?;
        Some(Segment {
            blob: blob.to_owned(),
            range: start..end,
        })
    };
    let all: Option<Vec<_>> = text.split(',').map(segment).collect();
    all.ok_or_else(|| damaged("the list of segments is not one"))
}

impl Attributes {
    pub(crate) fn of(parts: &WriteParts) -> Self {
        Self {
            content_type: parts.content_type.clone(),
            cache_control: parts.cache_control.clone(),
            metadata: parts.metadata.clone(),
            hashes: Hashes::new(),
        }
    }

    /// These where they are given, `old` where they are not, digests among them.
    pub(crate) fn or(self, old: &Self) -> Self {
        Self {
            content_type: self.content_type.or_else(|| old.content_type.clone()),
            cache_control: self.cache_control.or_else(|| old.cache_control.clone()),
            metadata: if self.metadata.is_empty() {
                old.metadata.clone()
            } else {
                self.metadata
            },
            hashes: old.hashes.clone(),
        }
    }

    /// Field and value of each that is given.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        let texts = [("ct", &self.content_type), ("cc", &self.cache_control)];
        for (field, text) in texts {
            fields.extend(text.as_deref().map(|text| (field, text.to_owned())));
        }
        if !self.metadata.is_empty() {
            let lines = self
                .metadata
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            fields.push(("md", lines.collect::<Vec<_>>().join("\n")));
        }
        if !self.hashes.is_empty() {
            let hex = |hash| self.hashes.get_hex(hash).unwrap_or_default();
            let lines = self
                .hashes
                .iter()
                .map(|(hash, _)| format!("{hash}={}", hex(hash)));
            fields.push(("hs", lines.collect::<Vec<_>>().join("\n")));
        }
        fields
    }
}

fn metadata(text: Option<&str>) -> Metadata {
    let pairs = text.unwrap_or_default().split('\n');
    pairs
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn hashes(text: Option<&str>) -> Result<Hashes> {
    let mut hashes = Hashes::new();
    for (name, hex) in text
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once('='))
    {
        // A digest that only a later version of the contract knows is of no use here.
        if let Ok(hash) = name.parse::<HashType>() {
            hashes.insert_hex(hash, hex)?;
        }
    }
    Ok(hashes)
}

/// Bytes as they came, without a copy; none for nothing.
pub(crate) fn bytes_of(value: Value) -> Result<Bytes> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.into()),
        Value::Nil => Ok(Bytes::new()),
        other => Err(damaged(format!(
            "a reply is {}, not bytes",
            kind_of(&other)
        ))),
    }
}

/// Text; `None` for nothing.
pub(crate) fn text_of(value: Value) -> Result<Option<String>> {
    match value {
        Value::Nil => Ok(None),
        Value::Okay => Ok(Some("OK".to_owned())),
        Value::SimpleString(text) => Ok(Some(text)),
        Value::BulkString(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| damaged("a field is not UTF-8")),
        other => Err(damaged(format!("a reply is {}, not text", kind_of(&other)))),
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Int(_) => "a number",
        Value::Array(_) => "an array",
        _ => "of another kind",
    }
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Result<T> {
    let number = text.unwrap_or_default().parse();
    number.map_err(|_| damaged(format!("{text:?} is not a number that fits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_one_another() {
        let segments = segments_of("a-1:10,b:5").unwrap();
        let ranges: Vec<_> = segments
            .iter()
            .map(|segment| segment.range.clone())
            .collect();
        assert_eq!(ranges, [0..10, 10..15]);
        for bad in ["", "a", "a:", "a:x", "a:-1", "a:18446744073709551615,b:1"] {
            assert!(segments_of(bad).unwrap_err().is_corrupt(), "{bad}");
        }
    }

    #[test]
    fn a_size_that_is_not_that_of_the_bytes_is_damage() {
        let values = |text: &str| {
            let inline = Value::BulkString(text.as_bytes().to_vec());
            vec![Value::Nil, inline].into_iter()
        };
        assert!(Content::of_values(&mut values("abc"), 3).is_ok());
        let error = Content::of_values(&mut values("abc"), 4).unwrap_err();
        assert!(error.is_corrupt());
    }
}
