use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::{Hashes, ObjectPath};

/// User-defined attributes of an object. Keys are lower-case ASCII letters, digits, `-` and `_`, so
/// that they survive every store; values are any text without control characters.
pub type Metadata = BTreeMap<String, String>;

/// An opaque token that a backend changes on every write of a key.
///
/// Compare it for equality only. It survives a restart of the backend and is never derived from
/// modified time and size alone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(Arc<str>);

impl Version {
    /// Wraps a backend's token.
    #[must_use]
    pub fn new(token: impl Into<Arc<str>>) -> Self {
        Self(token.into())
    }

    /// The token, for storing it elsewhere.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// What is known of an object or directory. Unknown is `None` or empty, never a made-up 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// The key; a directory's has no final `/`.
    pub path: ObjectPath,
    /// Bytes of content; `None` for directories.
    pub size: Option<u64>,
    /// When the content was last written, or what the writer said.
    pub modified: Option<SystemTime>,
    /// When the store wrote the object, by its own clock, where that is known and not what `modified`
    /// says: object stores list this time, and keep the one that the writer said elsewhere.
    pub stored: Option<SystemTime>,
    /// Token for conditional reads and writes. Listings may leave it out where it costs a request.
    pub version: Option<Version>,
    /// The store's own entity tag, where it has one.
    pub etag: Option<Arc<str>>,
    /// Whether this is a directory.
    pub is_dir: bool,
    /// Media type, as given at write, or as a store that takes none makes it up.
    pub content_type: Option<Arc<str>>,
    /// Cache-Control, as given at write, or as a store that takes none makes it up.
    pub cache_control: Option<Arc<str>>,
    /// User-defined attributes, as given at write.
    pub metadata: Metadata,
    /// Digests that the store keeps of the content.
    pub hashes: Hashes,
    /// What this is, if neither an object nor a directory. Only listings that ask for such entries by
    /// [`ListOptions::links`](crate::ListOptions::links) give them.
    pub special: Option<Special>,
}

/// An entry that is neither an object nor a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Special {
    /// A symbolic link.
    Link {
        /// Where it leads, as it is written; `None` when that is not UTF-8.
        target: Option<Arc<str>>,
    },
    /// A FIFO, socket or device.
    Device,
    /// Something whose name is not UTF-8. The path shows each byte that does not belong there as `‛`
    /// (U+201B) and two hexadecimal digits, and leads nowhere.
    Unnamable,
    /// A directory that may not be listed: what is below it is missing in a recursive listing.
    Closed,
}

impl ObjectInfo {
    /// An object of which nothing but its key is known yet.
    #[must_use]
    pub const fn new(path: ObjectPath) -> Self {
        Self {
            path,
            size: None,
            modified: None,
            stored: None,
            version: None,
            etag: None,
            is_dir: false,
            content_type: None,
            cache_control: None,
            metadata: Metadata::new(),
            hashes: Hashes::new(),
            special: None,
        }
    }

    /// A directory.
    #[must_use]
    pub const fn directory(path: ObjectPath) -> Self {
        let mut info = Self::new(path);
        info.is_dir = true;
        info
    }

    /// Sets the size in bytes.
    #[must_use]
    pub const fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    /// Sets the modified time.
    #[must_use]
    pub const fn with_modified(mut self, modified: SystemTime) -> Self {
        self.modified = Some(modified);
        self
    }

    /// Sets the version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }
}

/// What a finished write says of the object it published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Bytes of the object as it is now; after an append, all of it.
    pub size: u64,
    /// The version published, where the backend has versions.
    pub version: Option<Version>,
    /// The store's entity tag, where it has one.
    pub etag: Option<Arc<str>>,
    /// The modified time as stored, where the store reports it.
    pub modified: Option<SystemTime>,
    /// Digests of the bytes as the backend received them: those asked for by
    /// [`WriteOptions::hashes`](crate::WriteOptions::hashes) and
    /// [`WriteOptions::verify`](crate::WriteOptions::verify). After an append, of the appended bytes.
    pub hashes: Hashes,
}

impl Written {
    /// A write of which only the size is known.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }
}
