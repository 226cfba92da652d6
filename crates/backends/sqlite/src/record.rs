//! One object's row: how its attributes are written and read back.

use std::sync::Arc;

use rusqlite::{CachedStatement, Row, params};
use storage_core::timestamp::of_nanoseconds;
use storage_core::{
    HashType, Hashes, Metadata, ObjectInfo, ObjectPath, Result, Version, WriteParts, Written,
};

use crate::failure::{damaged, failure};

/// What is known of one object, and where its bytes are.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) version: Version,
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i64,
    /// The number that its chunks are found by; `None` when there are no bytes.
    pub(crate) blob: Option<i64>,
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

impl Attributes {
    pub(crate) fn of(parts: &WriteParts) -> Self {
        Self {
            content_type: parts.content_type.clone(),
            cache_control: parts.cache_control.clone(),
            metadata: parts.metadata.clone(),
            hashes: Hashes::new(),
        }
    }

    /// These where they are given, `old` where they are not. Digests are not inherited.
    pub(crate) fn or(self, old: Self) -> Self {
        Self {
            content_type: self.content_type.or(old.content_type),
            cache_control: self.cache_control.or(old.cache_control),
            metadata: if self.metadata.is_empty() {
                old.metadata
            } else {
                self.metadata
            },
            hashes: self.hashes,
        }
    }
}

impl Record {
    /// Reads a row whose columns begin with those of a header.
    pub(crate) fn of_row(row: &Row<'_>) -> Result<Self> {
        let text = |at| row.get::<_, Option<Arc<str>>>(at).map_err(failure);
        let number = |at| row.get::<_, i64>(at).map_err(failure);
        let size = number(2)?;
        Ok(Self {
            version: Version::new(row.get::<_, Arc<str>>(1).map_err(failure)?),
            size: u64::try_from(size).map_err(|_| damaged("a size is negative"))?,
            modified: number(3)?,
            blob: row.get(4).map_err(failure)?,
            attributes: Attributes {
                content_type: text(5)?,
                cache_control: text(6)?,
                metadata: metadata(text(7)?.as_deref()),
                hashes: hashes(text(8)?.as_deref())?,
            },
        })
    }

    /// The path of a row of a listing.
    pub(crate) fn path_of_row<'r>(row: &'r Row<'_>) -> Result<&'r str> {
        let value = row.get_ref(0).map_err(failure)?;
        value.as_str().map_err(|_| damaged("a path is not UTF-8"))
    }

    /// Binds a header's columns and runs the statement.
    pub(crate) fn put(&self, statement: &mut CachedStatement<'_>, path: &str) -> Result<()> {
        let size = i64::try_from(self.size).map_err(|_| damaged("a size is too large"))?;
        let attributes = &self.attributes;
        let put = statement.execute(params![
            path,
            self.version.as_str(),
            size,
            self.modified,
            self.blob,
            attributes.content_type.as_deref(),
            attributes.cache_control.as_deref(),
            metadata_text(&attributes.metadata),
            hashes_text(&attributes.hashes),
        ]);
        put.map(drop).map_err(failure)
    }

    pub(crate) fn info(&self, path: ObjectPath) -> ObjectInfo {
        let mut info = ObjectInfo::new(path)
            .with_size(self.size)
            .with_modified(of_nanoseconds(self.modified))
            .with_version(self.version.clone());
        info.content_type.clone_from(&self.attributes.content_type);
        info.cache_control
            .clone_from(&self.attributes.cache_control);
        info.metadata.clone_from(&self.attributes.metadata);
        info.hashes.clone_from(&self.attributes.hashes);
        info
    }

    pub(crate) fn written(&self, reported: Hashes) -> Written {
        let mut written = Written::new(self.size);
        written.version = Some(self.version.clone());
        written.modified = Some(of_nanoseconds(self.modified));
        written.hashes = reported;
        written
    }
}

/// One `key=value` a line: keys hold no `=`, and neither holds a line break.
fn metadata_text(metadata: &Metadata) -> Option<String> {
    let lines = metadata.iter().map(|(key, value)| format!("{key}={value}"));
    (!metadata.is_empty()).then(|| lines.collect::<Vec<_>>().join("\n"))
}

fn metadata(text: Option<&str>) -> Metadata {
    let pairs = text.unwrap_or_default().split('\n');
    pairs
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn hashes_text(hashes: &Hashes) -> Option<String> {
    let lines = hashes
        .iter()
        .map(|(hash, _)| format!("{hash}={}", hashes.get_hex(hash).unwrap_or_default()));
    (!hashes.is_empty()).then(|| lines.collect::<Vec<_>>().join("\n"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_survive_as_text() {
        let pairs = [("a", "1 = 2"), ("b-c", "ü"), ("d_e", "")];
        let given: Metadata = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(metadata(metadata_text(&given).as_deref()), given);
        assert_eq!(metadata(None), Metadata::new());
        assert!(hashes(Some("crc32c=0102")).unwrap_err().is_corrupt());
        assert!(hashes(Some("later=01")).unwrap().is_empty());
    }
}
