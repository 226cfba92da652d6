use std::time::{Duration, SystemTime};

use storage_core::{HashType, Hashes, ObjectInfo};

use crate::transfer::is_same_instant;
use crate::tree::Side;

/// The first half of a digest: stands for a version or a content that is only compared.
pub(crate) type Token = [u8; 16];

/// What one side had under a key, as far as a later listing can be compared with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Print {
    pub(crate) size: Option<u64>,
    /// The store's own time, not the one kept in metadata.
    pub(crate) modified: Option<SystemTime>,
    pub(crate) version: Option<Token>,
    pub(crate) content: Option<Token>,
    /// The entity tag, which object stores list where they leave out time and version.
    pub(crate) etag: Option<Token>,
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) size_only: bool,
    /// Times that differ by less are the same.
    pub(crate) window: Duration,
}

impl Print {
    pub(crate) fn of(info: &ObjectInfo) -> Self {
        Self {
            size: info.size,
            modified: info.modified,
            version: info
                .version
                .as_ref()
                .map(|version| token(version.as_str().as_bytes())),
            content: None,
            etag: info
                .etag
                .as_ref()
                .map(|etag| token(etag.trim_matches('"').as_bytes())),
        }
    }

    /// Whether there is more than a size to tell another object by.
    pub(crate) const fn has_evidence(&self) -> bool {
        self.modified.is_some()
            || self.version.is_some()
            || self.content.is_some()
            || self.etag.is_some()
    }

    /// Whether an object is still the one that this was taken of. What neither time, version, entity
    /// tag nor content vouches for counts as changed: then the contents of both sides decide.
    pub(crate) fn is_of(&self, now: &Self, scale: Scale) -> bool {
        let sizes = self.size.zip(now.size).map(|(a, b)| a == b);
        if scale.size_only || sizes == Some(false) {
            return sizes == Some(true);
        }
        if let Some((a, b)) = self.content.zip(now.content) {
            return a == b;
        }
        let same = |a: Option<Token>, b: Option<Token>| a.zip(b).map(|(a, b)| a == b);
        // A tag may change with the attributes alone; a version then tells whether the content did.
        let written = same(self.version, now.version).or(same(self.etag, now.etag));
        let times = self.modified.zip(now.modified);
        let time = times.map(|(a, b)| is_same_time(a, b, scale.window));
        written.or(time).is_some() && written != Some(false) && time != Some(false)
    }

    /// The object as it was, for a transfer that has to find the same one.
    pub(crate) fn info(&self, path: storage_core::ObjectPath) -> ObjectInfo {
        let mut info = ObjectInfo::new(path);
        (info.size, info.modified) = (self.size, self.modified);
        info
    }
}

/// The window within which a side's times are the same.
pub(crate) fn window(side: &Side, asked: Option<Duration>) -> Duration {
    asked.unwrap_or(side.precision)
}

fn is_same_time(a: SystemTime, b: SystemTime, window: Duration) -> bool {
    let gap = a.duration_since(b).unwrap_or_else(|later| later.duration());
    gap < window || is_same_instant(a, b)
}

/// One token for a text that is only compared.
pub(crate) fn token(text: &[u8]) -> Token {
    let hashes = storage_hash::hash(HashType::Blake3.into(), text);
    let mut token = Token::default();
    if let Some(digest) = hashes.get(HashType::Blake3) {
        token
            .iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = *from);
    }
    token
}

/// A token as text.
pub(crate) fn hex(token: Token) -> String {
    token.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One token for a content, from its strongest digest.
pub(crate) fn content_token(hashes: &Hashes) -> Option<Token> {
    use HashType::{Blake3, Crc32c, Md5, Sha1, Sha256};
    let strongest_first = [Blake3, Sha256, Sha1, Md5, Crc32c];
    let (kind, digest) = strongest_first
        .into_iter()
        .find_map(|kind| Some((kind, hashes.get(kind)?)))?;
    Some(token(&[kind.as_str().as_bytes(), b":", digest].concat()))
}
