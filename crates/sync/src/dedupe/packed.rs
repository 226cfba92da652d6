use std::time::SystemTime;

use storage_core::{ObjectInfo, ObjectPath, Prefix};

/// What a listing shows of many objects: their paths in one piece, and for each where it is. A path is
/// followed by the entity tag where there is no modified time to tell another object by.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    paths: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    size: u64,
    /// Where the path starts; this is also the order of the listing.
    pub(crate) start: usize,
    len: u32,
    /// The length of the entity tag.
    tag: u32,
    pub(crate) modified: Option<SystemTime>,
}

impl Packed {
    /// Adds an object; one whose size is not known is taken for a size of its own.
    pub(crate) fn push(&mut self, info: &ObjectInfo) {
        let tag = info.etag.as_deref().filter(|_| info.modified.is_none());
        let tag = tag.unwrap_or_default();
        self.entries.push(Entry {
            size: info.size.unwrap_or(u64::MAX),
            start: self.paths.len(),
            len: u32::try_from(info.path.len()).unwrap_or(u32::MAX),
            tag: u32::try_from(tag.len()).unwrap_or(u32::MAX),
            modified: info.modified,
        });
        self.paths.push_str(&info.path);
        self.paths.push_str(tag);
    }

    /// The groups of two or more objects of one size, the smallest first.
    pub(crate) fn groups(&mut self) -> impl Iterator<Item = &[Entry]> {
        self.entries
            .sort_unstable_by_key(|entry| (entry.size, entry.start));
        let groups = self.entries.chunk_by(|a, b| a.size == b.size);
        groups.filter(|group| group.len() > 1)
    }

    /// The paths, to be looked up while the groups are gone through.
    pub(crate) fn take_paths(&mut self) -> Paths {
        Paths(std::mem::take(&mut self.paths))
    }
}

/// The paths of packed objects.
#[derive(Debug)]
pub(crate) struct Paths(String);

impl Paths {
    /// The object as it was listed.
    pub(crate) fn info(&self, entry: &Entry) -> storage_core::Result<ObjectInfo> {
        let end = entry.start.saturating_add(entry.len as usize);
        let path = self.0.get(entry.start..end).unwrap_or("");
        let path: ObjectPath = Prefix::root().join(path)?;
        let mut info = ObjectInfo::new(path);
        info.size = Some(entry.size).filter(|size| *size != u64::MAX);
        info.modified = entry.modified;
        let tag = self.0.get(end..end.saturating_add(entry.tag as usize));
        info.etag = tag.filter(|tag| !tag.is_empty()).map(Into::into);
        Ok(info)
    }
}
