use std::sync::Arc;
use std::time::SystemTime;

use storage_core::{
    Hashes, Metadata, ObjectInfo, ObjectPath, Version, WriteMode, WriteParts, Written,
};

use crate::content::Content;

/// One published object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) content: Content,
    pub(crate) modified: SystemTime,
    pub(crate) version: Version,
    /// `None` when there are none, so that a plain object costs no allocation.
    pub(crate) attributes: Option<Arc<Attributes>>,
}

/// What a writer may store beside the bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<Arc<str>>,
    pub(crate) cache_control: Option<Arc<str>>,
    pub(crate) metadata: Metadata,
    pub(crate) hashes: Hashes,
}

/// What a write is about to publish.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) mode: WriteMode,
    pub(crate) content: Content,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) attributes: Attributes,
    /// For `Written`.
    pub(crate) reported: Hashes,
}

impl Publication {
    /// Content that replaces what is there, with nothing beside it.
    #[inline]
    pub(crate) fn plain(content: Content) -> Self {
        Self {
            mode: WriteMode::Replace,
            content,
            modified: None,
            attributes: Attributes::default(),
            reported: Hashes::new(),
        }
    }

    /// Everything of the options that is stored, and no content yet. What concerns checking
    /// (`hashes`, `verify`, `expected`, `size`) is the business of the hasher, and `attributes` has
    /// been judged; all durability that memory has is immediate.
    #[inline]
    pub(crate) fn new(parts: WriteParts) -> Self {
        let WriteParts {
            mode,
            content_type,
            cache_control,
            metadata,
            modified,
            hashes: _,
            verify: _,
            expected: _,
            size: _,
            attributes: _,
            durability: _,
        } = parts;
        Self {
            mode,
            content: Content::One(Default::default()),
            modified,
            attributes: Attributes {
                content_type,
                cache_control,
                metadata,
                hashes: Hashes::new(),
            },
            reported: Hashes::new(),
        }
    }
}

impl Attributes {
    /// These where they are given, `old` where they are not. Digests are not inherited.
    pub(crate) fn or(self, old: &Self) -> Self {
        Self {
            content_type: self.content_type.or_else(|| old.content_type.clone()),
            cache_control: self.cache_control.or_else(|| old.cache_control.clone()),
            metadata: if self.metadata.is_empty() {
                old.metadata.clone()
            } else {
                self.metadata
            },
            hashes: self.hashes,
        }
    }

    #[inline]
    pub(crate) fn shared(self) -> Option<Arc<Self>> {
        let none = self.content_type.is_none()
            && self.cache_control.is_none()
            && self.metadata.is_empty()
            && self.hashes.is_empty();
        (!none).then(|| Arc::new(self))
    }
}

impl Object {
    pub(crate) fn info(&self, path: &ObjectPath) -> ObjectInfo {
        let mut info = ObjectInfo::new(path.clone())
            .with_size(self.content.len())
            .with_modified(self.modified)
            .with_version(self.version.clone());
        if let Some(attributes) = self.attributes.as_deref() {
            info.content_type.clone_from(&attributes.content_type);
            info.cache_control.clone_from(&attributes.cache_control);
            info.metadata.clone_from(&attributes.metadata);
            info.hashes.clone_from(&attributes.hashes);
        }
        info
    }

    #[inline]
    pub(crate) fn written(&self, reported: Hashes) -> Written {
        let mut written = Written::new(self.content.len());
        written.version = Some(self.version.clone());
        written.modified = Some(self.modified);
        written.hashes = reported;
        written
    }
}
