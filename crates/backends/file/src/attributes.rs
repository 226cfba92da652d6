//! What is kept beside a file's bytes, in extended attributes.
//!
//! One attribute each for content type, cache control, the metadata, the hashes and the nonce of the
//! version, and only where there is something to keep.

use std::fs::File;
use std::sync::Arc;

use storage_core::{Error, ErrorKind, HashType, Hashes, Metadata, ObjectInfo, Result};

use crate::call::commit;
use crate::failure::failure;
use crate::sys::{self, Stamp, Stat};

const CONTENT_TYPE: &str = "user.omnistorage.content-type";
const CACHE_CONTROL: &str = "user.omnistorage.cache-control";
const METADATA: &str = "user.omnistorage.metadata";
const HASHES: &str = "user.omnistorage.hashes";
const NONCE: &str = "user.omnistorage.version";
/// There while an append is under way: the size before it.
const APPENDING: &str = "user.omnistorage.appending";

/// The attributes of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<Arc<str>>,
    pub(crate) cache_control: Option<Arc<str>>,
    pub(crate) metadata: Metadata,
    pub(crate) hashes: Hashes,
    pub(crate) nonce: Option<Vec<u8>>,
}

impl Attributes {
    /// Stores what there is. The hashes hold for a file of the size and modified time of `stat`.
    pub(crate) fn store(&self, file: &File, size: u64, modified: Stamp) -> Result<()> {
        if let Some(content_type) = &self.content_type {
            set(file, CONTENT_TYPE, content_type.as_bytes())?;
        }
        if let Some(cache_control) = &self.cache_control {
            set(file, CACHE_CONTROL, cache_control.as_bytes())?;
        }
        if !self.metadata.is_empty() {
            set(file, METADATA, encode_metadata(&self.metadata).as_bytes())?;
        }
        if !self.hashes.is_empty() {
            set(
                file,
                HASHES,
                encode_hashes(&self.hashes, size, modified).as_bytes(),
            )?;
        }
        self.store_nonce(file)
    }

    /// Stores the nonce alone, if there is one.
    pub(crate) fn store_nonce(&self, file: &File) -> Result<()> {
        match &self.nonce {
            Some(nonce) => set(file, NONCE, nonce),
            None => Ok(()),
        }
    }

    /// What is stored with a file in the state `stat`.
    pub(crate) fn load(file: &File, stat: &Stat) -> Result<Self> {
        let mut found = Self::default();
        for name in sys::attribute_names(file).map_err(failure)? {
            if !name.starts_with("user.omnistorage.") {
                continue;
            }
            // Gone since it was listed: as if it had never been there.
            let Some(value) = sys::attribute(file, &name).map_err(failure)? else {
                continue;
            };
            match name.as_str() {
                CONTENT_TYPE => found.content_type = Some(text(value)?.into()),
                CACHE_CONTROL => found.cache_control = Some(text(value)?.into()),
                METADATA => found.metadata = decode_metadata(&text(value)?),
                HASHES => found.hashes = decode_hashes(&text(value)?, stat),
                NONCE => found.nonce = Some(value),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Moves everything but the nonce into `info`.
    pub(crate) fn describe(self, info: &mut ObjectInfo) {
        info.content_type = self.content_type;
        info.cache_control = self.cache_control;
        info.metadata = self.metadata;
        info.hashes = self.hashes;
    }
}

/// The nonce of the version, where one is stored.
pub(crate) fn nonce(file: &File) -> Result<Option<Vec<u8>>> {
    sys::attribute(file, NONCE).map_err(failure)
}

/// Marks an append as under way: until [`end_append`] nobody sees bytes past `size`.
pub(crate) fn begin_append(file: &File, size: u64) -> Result<()> {
    set(file, APPENDING, size.to_string().as_bytes())
}

/// Makes the bytes of an append visible.
pub(crate) fn end_append(file: &File) -> Result<()> {
    commit(|| sys::remove_attribute(file, APPENDING)).map_err(failure)
}

/// Removes the mark of an append whose bytes were taken back.
pub(crate) fn forget_append(file: &File) -> Result<()> {
    sys::remove_attribute(file, APPENDING).map_err(failure)
}

/// The size before an append that has not ended, if there is one.
pub(crate) fn size_before_append(file: &File) -> Result<Option<u64>> {
    let Some(value) = sys::attribute(file, APPENDING).map_err(failure)? else {
        return Ok(None);
    };
    let size = std::str::from_utf8(&value)
        .ok()
        .and_then(|size| size.parse().ok());
    size.map(Some)
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, "the mark of an append is malformed"))
}

/// Forgets the hashes, before the bytes change.
pub(crate) fn forget_hashes(file: &File) -> Result<()> {
    sys::remove_attribute(file, HASHES).map_err(failure)
}

/// Makes the stored hashes hold for another modified time. To be called before the time is set: in
/// between, the hashes hold for neither and are not given out.
pub(crate) fn rebind_hashes(file: &File, stat: &Stat, modified: Stamp) -> Result<()> {
    let Some(value) = sys::attribute(file, HASHES).map_err(failure)? else {
        return Ok(());
    };
    let hashes = decode_hashes(&text(value)?, stat);
    if hashes.is_empty() {
        return Ok(());
    }
    set(
        file,
        HASHES,
        encode_hashes(&hashes, stat.size, modified).as_bytes(),
    )
}

pub(crate) fn set(file: &File, name: &str, value: &[u8]) -> Result<()> {
    sys::set_attribute(file, name, value).map_err(|error| {
        use std::io::ErrorKind as Io;
        let full = matches!(
            error.kind(),
            Io::StorageFull | Io::QuotaExceeded | Io::ArgumentListTooLong
        );
        let kind = if full {
            ErrorKind::QuotaExceeded
        } else {
            return failure(error);
        };
        let message = format!(
            "the file system has no room for {} bytes of extended attribute {name}",
            value.len()
        );
        Error::new(kind, message).with_source(error)
    })
}

fn text(value: Vec<u8>) -> Result<String> {
    String::from_utf8(value).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "a stored attribute is not UTF-8").with_source(error)
    })
}

/// A line `key=value` each: keys hold no `=`, values no control characters.
fn encode_metadata(metadata: &Metadata) -> String {
    let lines: Vec<_> = metadata.iter().map(|(k, v)| format!("{k}={v}")).collect();
    lines.join("\n")
}

fn decode_metadata(text: &str) -> Metadata {
    text.split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn binding(size: u64, modified: Stamp) -> String {
    format!("{size} {}.{:09}", modified.seconds, modified.nanos)
}

/// A first line with the size and modified time that the digests hold for, then `type=hex` lines.
fn encode_hashes(hashes: &Hashes, size: u64, modified: Stamp) -> String {
    let mut text = binding(size, modified);
    for hash in hashes.types().iter() {
        text.push('\n');
        text.push_str(hash.as_str());
        text.push('=');
        text.push_str(&hashes.get_hex(hash).unwrap_or_default());
    }
    text
}

/// The digests, unless the file was changed by someone who does not know of them.
fn decode_hashes(text: &str, stat: &Stat) -> Hashes {
    let mut hashes = Hashes::new();
    let (bound_to, lines) = text.split_once('\n').unwrap_or((text, ""));
    if bound_to != binding(stat.size, stat.modified) {
        return hashes;
    }
    for (name, hex) in lines.split('\n').filter_map(|line| line.split_once('=')) {
        if let Ok(hash) = name.parse::<HashType>() {
            // A digest of the wrong length is as good as none.
            let _ = hashes.insert_hex(hash, hex);
        }
    }
    hashes
}
