//! Objects of the service as the contract tells of them, and the other way round.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use google_cloud_storage::model::{Object, ObjectChecksums};
use jiff::Timestamp;
use storage_core::{
    Error, HashType, HashTypes, Hashes, Metadata, ObjectInfo, ObjectPath, Result, Version,
    WriteParts, Written,
};

/// The modified time, in RFC 3339, where rclone keeps it.
const MODIFIED: &str = "mtime";
/// The modified time in seconds, where Google's own programs keep it.
const MODIFIED_SECONDS: &str = "goog-reserved-file-mtime";
/// What starts the names of the metadata that this backend keeps for itself.
const OWN: &str = "omnistorage-";
/// Which write an object comes from.
const WRITE: &str = "omnistorage-write";

/// Digests that the service keeps of itself.
pub(crate) const NATIVE: [HashType; 2] = [HashType::Md5, HashType::Crc32c];

/// What is stored with an object beyond its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) content_type: String,
    pub(crate) cache_control: String,
    pub(crate) metadata: HashMap<String, String>,
}

impl Attributes {
    /// Those that the options of a write ask for, without digests.
    pub(crate) fn of(parts: &WriteParts) -> Result<Self> {
        let mut metadata = HashMap::new();
        for (key, value) in &parts.metadata {
            if is_own(key) {
                let message = format!("the metadata {key:?} has a meaning of its own here");
                return Err(Error::config(message));
            }
            metadata.insert(key.clone(), value.clone());
        }
        let text = |value: &Option<std::sync::Arc<str>>| value.as_deref().unwrap_or("").to_owned();
        let mut attributes = Self {
            content_type: text(&parts.content_type),
            cache_control: text(&parts.cache_control),
            metadata,
        };
        if let Some(modified) = parts.modified {
            attributes.set_modified(modified)?;
        }
        Ok(attributes)
    }

    /// Those that an object has.
    pub(crate) fn of_object(object: &Object) -> Self {
        Self {
            content_type: object.content_type.clone(),
            cache_control: object.cache_control.clone(),
            metadata: object.metadata.clone(),
        }
    }

    pub(crate) fn set_modified(&mut self, modified: SystemTime) -> Result<()> {
        let time = Timestamp::try_from(modified)
            .map_err(|error| Error::config(format!("the modified time: {error}")))?;
        self.metadata.remove(MODIFIED_SECONDS);
        self.metadata.insert(MODIFIED.to_owned(), time.to_string());
        Ok(())
    }

    /// Adds the digests that the service does not keep of itself; whether there were any.
    pub(crate) fn add_hashes(&mut self, hashes: &Hashes) -> bool {
        let kept = hashes.types().iter().filter(|hash| !NATIVE.contains(hash));
        let mut added = false;
        for hash in kept {
            if let Some(hex) = hashes.get_hex(hash) {
                self.metadata.insert(format!("{OWN}{hash}"), hex);
                added = true;
            }
        }
        added
    }

    /// Marks the object as that of one write.
    pub(crate) fn set_token(&mut self, token: &str) {
        self.metadata.insert(WRITE.to_owned(), token.to_owned());
    }

    /// Fills in what is not set from those of a source, of which the mark of its write is left out.
    pub(crate) fn inherit(&mut self, source: &Object) {
        let fill = |own: &mut String, others: &String| {
            if own.is_empty() {
                own.clone_from(others);
            }
        };
        fill(&mut self.content_type, &source.content_type);
        fill(&mut self.cache_control, &source.cache_control);
        let replaces = self.metadata.keys().any(|key| !is_own(key));
        let dated = self.metadata.contains_key(MODIFIED);
        for (key, value) in &source.metadata {
            let wanted = match key.as_str() {
                WRITE => false,
                MODIFIED | MODIFIED_SECONDS => !dated,
                key => is_own(key) || !replaces,
            };
            if wanted && !self.metadata.contains_key(key) {
                self.metadata.insert(key.clone(), value.clone());
            }
        }
    }
}

fn is_own(key: &str) -> bool {
    matches!(key, MODIFIED | MODIFIED_SECONDS) || key.starts_with(OWN)
}

/// Whether an object comes from the write of this token.
pub(crate) fn is_of(object: &Object, token: &str) -> bool {
    object.metadata.get(WRITE).is_some_and(|own| own == token)
}

pub(crate) fn version(generation: i64) -> Version {
    Version::new(generation.to_string())
}

/// The generation that a version stands for; `None` for a token that no object ever had.
pub(crate) fn generation(version: &Version) -> Option<i64> {
    let generation = version.as_str().parse::<i64>().ok();
    generation.filter(|generation| *generation > 0)
}

pub(crate) fn size(object: &Object) -> u64 {
    u64::try_from(object.size).unwrap_or(0)
}

/// What the service knows of an object.
pub(crate) fn info(path: ObjectPath, object: &Object) -> ObjectInfo {
    let mut info = ObjectInfo::new(path).with_size(size(object));
    info.modified = modified(object);
    info.version = Some(version(object.generation));
    info.etag = text(&object.etag);
    info.content_type = text(&object.content_type);
    info.cache_control = text(&object.cache_control);
    info.hashes = hashes(object);
    info.metadata = object
        .metadata
        .iter()
        .filter(|(key, _)| !is_own(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Metadata>();
    info
}

pub(crate) fn written(object: &Object, reported: Hashes) -> Written {
    let mut written = Written::new(size(object));
    written.version = Some(version(object.generation));
    written.etag = text(&object.etag);
    written.modified = modified(object);
    written.hashes = reported;
    written
}

/// What the writer said, or when this generation was created: a change of the attributes is none of
/// the content.
pub(crate) fn modified(object: &Object) -> Option<SystemTime> {
    let told = object.metadata.get(MODIFIED);
    if let Some(time) = told.and_then(|text| text.parse::<Timestamp>().ok()) {
        return Some(time.into());
    }
    let seconds = object.metadata.get(MODIFIED_SECONDS);
    if let Some(seconds) = seconds.and_then(|text| text.parse::<i64>().ok()) {
        let time = Timestamp::from_second(seconds).ok();
        return time.map(SystemTime::from);
    }
    let created = object.create_time.as_ref()?;
    let seconds = u64::try_from(created.seconds()).ok()?;
    let nanoseconds = u32::try_from(created.nanos()).ok()?;
    UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}

/// The digests kept with an object.
pub(crate) fn hashes(object: &Object) -> Hashes {
    let mut hashes = of_checksums(object.checksums.as_ref());
    for hash in HashType::ALL {
        if let Some(hex) = object.metadata.get(&format!("{OWN}{hash}")) {
            // What somebody else has spoilt is no digest.
            let _ = hashes.insert_hex(hash, hex);
        }
    }
    hashes
}

pub(crate) fn of_checksums(checksums: Option<&ObjectChecksums>) -> Hashes {
    let mut hashes = Hashes::new();
    let Some(checksums) = checksums else {
        return hashes;
    };
    if let Some(crc32c) = checksums.crc32c {
        let _ = hashes.insert(HashType::Crc32c, crc32c.to_be_bytes());
    }
    if !checksums.md5_hash.is_empty() {
        let _ = hashes.insert(HashType::Md5, checksums.md5_hash.to_vec());
    }
    hashes
}

/// Those of `types` that are among `hashes`.
pub(crate) fn only(hashes: &Hashes, types: HashTypes) -> Hashes {
    let mut chosen = Hashes::new();
    for (hash, digest) in hashes.iter().filter(|(hash, _)| types.contains(*hash)) {
        let _ = chosen.insert(hash, digest);
    }
    chosen
}

fn text(text: &str) -> Option<std::sync::Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}
