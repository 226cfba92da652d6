use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use storage_core::{HashType, HashTypes};
use storage_hash::hash;

use crate::refusal::Refusal;

/// What a writer says of an object beyond its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) content_type: String,
    pub(crate) content_encoding: String,
    pub(crate) content_language: String,
    pub(crate) content_disposition: String,
    pub(crate) cache_control: String,
    pub(crate) storage_class: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// The checksums of some content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksums {
    pub(crate) crc32c: u32,
    pub(crate) md5: Bytes,
}

/// What the writer says the checksums are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) crc32c: Option<u32>,
    pub(crate) md5: Option<Bytes>,
}

/// The live version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) generation: i64,
    pub(crate) metageneration: i64,
    pub(crate) content: Bytes,
    pub(crate) checksums: Checksums,
    pub(crate) attributes: Attributes,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

impl Object {
    /// A first metageneration of `content`, without a generation yet.
    pub(crate) fn new(content: Bytes, attributes: Attributes) -> Self {
        let now = Timestamp::now();
        Self {
            generation: 0,
            metageneration: 1,
            checksums: Checksums::of(&content),
            content,
            attributes,
            created: now,
            updated: now,
        }
    }

    pub(crate) fn etag(&self) -> String {
        format!("\"{:x}-{:x}\"", self.generation, self.metageneration)
    }
}

impl Checksums {
    fn of(content: &[u8]) -> Self {
        let types = HashTypes::from(HashType::Crc32c).with(HashType::Md5);
        let hashes = hash(types, content);
        let digest = |hash| hashes.get(hash).unwrap_or_default();
        let crc32c = digest(HashType::Crc32c);
        Self {
            crc32c: crc32c.try_into().map_or(0, u32::from_be_bytes),
            md5: Bytes::copy_from_slice(digest(HashType::Md5)),
        }
    }

    /// Refuses content that is not what its writer says.
    pub(crate) fn check(&self, expected: &Expected) -> Result<(), Refusal> {
        if expected.crc32c.is_some_and(|crc| crc != self.crc32c) {
            return Err(Refusal::invalid("the CRC32C does not match the content"));
        }
        if expected.md5.as_ref().is_some_and(|md5| *md5 != self.md5) {
            return Err(Refusal::invalid("the MD5 hash does not match the content"));
        }
        Ok(())
    }
}
