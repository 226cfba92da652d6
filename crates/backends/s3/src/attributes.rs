use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::primitives::DateTime;
use storage_core::{
    Error, HashType, Hashes, Metadata, ObjectInfo, ObjectPath, Result, Version, WriteParts,
};

use crate::extras::Extras;
use crate::text;

/// Names of metadata that are the backend's own; `mtime` and `md5chksum` are written as other tools do.
const TOKEN: &str = "omnistorage-version";
const NAMES: &str = "omnistorage-names";
const HASH: &str = "omnistorage-";
const MODIFIED: &str = "mtime";
const MD5: &str = "md5chksum";

/// The content type that Amazon gives to what has none, and that stands for none. Sent all the same:
/// without it, the SDK sends another one.
pub(crate) const DEFAULT_TYPE: &str = "binary/octet-stream";

/// The attributes of an object as they are sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) extras: Extras,
    /// Names this write, so that it can be told from every other one.
    pub(crate) token: String,
}

impl Attributes {
    /// Those of a write.
    ///
    /// # Errors
    /// `Unsupported` for metadata whose names are the backend's own, or the same to the store.
    pub(crate) fn of(parts: &WriteParts, modified: Option<SystemTime>) -> Result<Self> {
        let mut metadata = HashMap::new();
        let mut odd = Vec::new();
        for (name, value) in &parts.metadata {
            if is_own(name) {
                return Err(Error::unsupported(format!("metadata named {name:?}")));
            }
            // Some stores make `-` of `_`.
            let stored = name.replace('_', "-");
            if stored != *name {
                odd.push(name.as_str());
            }
            if metadata.insert(stored, text::encoded(value)).is_some() {
                let message = format!("metadata names that differ only in `-` and `_`: {name:?}");
                return Err(Error::unsupported(message));
            }
        }
        if !odd.is_empty() {
            metadata.insert(NAMES.to_owned(), odd.join(","));
        }
        if let Some(modified) = modified {
            metadata.insert(MODIFIED.to_owned(), text::seconds(modified));
        }
        let mut attributes = Self {
            content_type: parts.content_type.as_deref().map(str::to_owned),
            cache_control: parts.cache_control.as_deref().map(str::to_owned),
            metadata,
            extras: Extras::default(),
            token: String::new(),
        };
        attributes.renew();
        Ok(attributes)
    }

    /// Names the write anew.
    pub(crate) fn renew(&mut self) {
        self.token = new_token();
        self.metadata.insert(TOKEN.to_owned(), self.token.clone());
    }

    pub(crate) fn keep(&mut self, hashes: &Hashes) {
        for (hash, digest) in hashes.iter() {
            match hash {
                HashType::Md5 => self.metadata.insert(MD5.to_owned(), text::base64(digest)),
                _ => {
                    let hex = hashes.get_hex(hash).unwrap_or_default();
                    self.metadata.insert(format!("{HASH}{hash}"), hex)
                }
            };
        }
    }

    pub(crate) fn version(&self, etag: Option<&str>) -> Version {
        version(etag.unwrap_or_default(), &self.token)
    }
}

fn is_own(name: &str) -> bool {
    name.starts_with(HASH) || name.starts_with("omnistorage_") || matches!(name, MODIFIED | MD5)
}

/// Differs from every other one: time in nanoseconds and 64 random bits.
fn new_token() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}-{:016x}", now.as_nanos(), fastrand::u64(..))
}

/// The token of an object is the store's tag and the name of the write: the tag of two writes of the
/// same bytes is the same.
fn version(etag: &str, token: &str) -> Version {
    Version::new(format!("{}/{token}", etag.trim_matches('"')))
}

/// The store's tag in a version, as conditions take it.
pub(crate) fn etag_of(version: &Version) -> Option<String> {
    let (etag, _) = version.as_str().rsplit_once('/')?;
    let plain = !etag.is_empty()
        && etag
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    plain.then(|| format!("\"{etag}\""))
}

/// What a reply to `GetObject` or `HeadObject` says of an object.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) size: Option<u64>,
    pub(crate) last_modified: Option<DateTime>,
    pub(crate) etag: Option<String>,
    pub(crate) version_id: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: Option<HashMap<String, String>>,
}

/// Makes a [`Head`] of a reply, whose fields it empties.
macro_rules! head {
    ($reply:expr, $size:expr) => {
        $crate::attributes::Head {
            size: $size,
            last_modified: $reply.last_modified.take(),
            etag: $reply.e_tag.take(),
            version_id: $reply.version_id.take(),
            content_type: $reply.content_type.take(),
            cache_control: $reply.cache_control.take(),
            metadata: $reply.metadata.take(),
        }
    };
}
pub(crate) use head;

impl Head {
    /// What the contract tells of it. `server_modified`: the time is the store's.
    pub(crate) fn info(mut self, path: &ObjectPath, server_modified: bool) -> ObjectInfo {
        let mut own = self.metadata.take().unwrap_or_default();
        let mut info = ObjectInfo::new(path.clone());
        info.size = self.size;
        let etag = self.etag.unwrap_or_default();
        let token = own.remove(TOKEN);
        let written = self.last_modified.as_ref().and_then(time);
        // What others wrote is named by the store's version, or by its second.
        let token = token
            .or_else(|| self.version_id.filter(|id| id != "null"))
            .or_else(|| self.last_modified.map(|time| time.secs().to_string()));
        info.version = Some(version(&etag, &token.unwrap_or_default()));
        info.etag = (!etag.is_empty()).then(|| Arc::from(etag.trim_matches('"')));
        let kept = own
            .remove(MODIFIED)
            .and_then(|text| text::parse_seconds(&text));
        info.modified = if server_modified {
            written
        } else {
            kept.or(written)
        };
        let content_type = self.content_type.filter(|kind| kind != DEFAULT_TYPE);
        info.content_type = content_type.map(Arc::from);
        info.cache_control = self
            .cache_control
            .filter(|text| !text.is_empty())
            .map(Arc::from);
        info.hashes = hashes(&mut own);
        info.metadata = metadata(own);
        info
    }
}

pub(crate) fn time(time: &DateTime) -> Option<SystemTime> {
    let seconds = u64::try_from(time.secs()).ok()?;
    UNIX_EPOCH.checked_add(Duration::new(seconds, time.subsec_nanos()))
}

fn hashes(metadata: &mut HashMap<String, String>) -> Hashes {
    let mut hashes = Hashes::new();
    if let Some(digest) = metadata
        .remove(MD5)
        .and_then(|text| text::from_base64(&text))
    {
        let _ = hashes.insert(HashType::Md5, digest);
    }
    for hash in HashType::ALL {
        if let Some(hex) = metadata.remove(&format!("{HASH}{hash}")) {
            // What is no digest was not written by us, and is none.
            let _ = hashes.insert_hex(hash, &hex);
        }
    }
    hashes
}

fn metadata(mut stored: HashMap<String, String>) -> Metadata {
    let names = stored.remove(NAMES).unwrap_or_default();
    let mut found = Metadata::new();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let value = stored
            .remove(name)
            .or_else(|| stored.remove(&name.replace('_', "-")));
        if let Some(value) = value {
            found.insert(name.to_owned(), text::decoded(value));
        }
    }
    for (name, value) in stored {
        found.insert(name.to_ascii_lowercase(), text::decoded(value));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_a_version_may_hold_a_slash() {
        for etag in ["abc", "a/b", "d41d8cd9-3"] {
            let version = version(&format!("\"{etag}\""), &new_token());
            assert_eq!(etag_of(&version), Some(format!("\"{etag}\"")));
        }
    }
}
