use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(doc)]
use crate::ErrorKind;
use crate::{Error, HashTypes, Hashes, Metadata, Result, Version};

/// What a write expects to find, and does to what it finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// Replaces whatever is there. Atomic.
    #[default]
    Replace,
    /// Creates; an existing object is [`ErrorKind::AlreadyExists`]. Atomic: of any number of racing
    /// writers exactly one succeeds.
    CreateNew,
    /// Replaces exactly this version; any other, or a missing object, is
    /// [`ErrorKind::PreconditionFailed`]. Atomic like `CreateNew`.
    IfVersion(Version),
    /// Adds to the end, creating the object if needed. Concurrent appends keep all bytes, each
    /// append's bytes together. A crash may leave part of one append.
    Append,
}

/// What to do with attributes that a backend cannot store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AttributePolicy {
    /// Refuse the write with [`ErrorKind::Unsupported`].
    #[default]
    Required,
    /// Store what can be stored and leave out the rest.
    IfSupported,
}

/// When a finished write has to be durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// As the backend is configured.
    #[default]
    Configured,
    /// At the latest with the next [`ExtendedBackend::flush`](crate::ExtendedBackend::flush).
    Deferred,
    /// When `finish` returns, whatever the configuration.
    Immediate,
}

/// How to write. The default replaces atomically and stores no attributes.
///
/// One pointer long, and the default allocates nothing: it passes through every layer of a write.
#[derive(Clone, Default, Eq)]
#[non_exhaustive]
pub struct WriteOptions(Option<Box<WriteParts>>);

/// [`WriteOptions`] taken apart by backends, with no `..`, so that a new option cannot be overlooked.
#[doc(hidden)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct WriteParts {
    pub mode: WriteMode,
    pub content_type: Option<Arc<str>>,
    pub cache_control: Option<Arc<str>>,
    pub metadata: Metadata,
    pub modified: Option<SystemTime>,
    pub hashes: HashTypes,
    pub verify: HashTypes,
    pub expected: Hashes,
    pub size: Option<u64>,
    pub attributes: AttributePolicy,
    pub durability: Durability,
}

impl WriteOptions {
    /// What the write expects to find; default [`WriteMode::Replace`].
    #[must_use]
    pub fn mode(mut self, mode: WriteMode) -> Self {
        self.parts().mode = mode;
        self
    }

    /// Media type to store.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<Arc<str>>) -> Self {
        self.parts().content_type = Some(content_type.into());
        self
    }

    /// Cache-Control to store.
    #[must_use]
    pub fn cache_control(mut self, cache_control: impl Into<Arc<str>>) -> Self {
        self.parts().cache_control = Some(cache_control.into());
        self
    }

    /// User-defined attributes to store, in place of any given before.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.parts().metadata = metadata;
        self
    }

    /// Modified time to store instead of the time of the write.
    #[must_use]
    pub fn modified(mut self, modified: SystemTime) -> Self {
        self.parts().modified = Some(modified);
        self
    }

    /// Digests to compute on the way, to store with the object and to report. Of an append,
    /// `Unsupported`: the object's digests could not be kept true.
    #[must_use]
    pub fn hashes(mut self, hashes: impl Into<HashTypes>) -> Self {
        self.parts().hashes = hashes.into();
        self
    }

    /// Digests to compute on the way and to report, without storing them. Every backend can.
    #[must_use]
    pub fn verify(mut self, hashes: impl Into<HashTypes>) -> Self {
        self.parts().verify = hashes.into();
        self
    }

    /// Digests that the written bytes must have; a different one is [`ErrorKind::Corrupt`] and
    /// publishes nothing. Every backend can.
    #[must_use]
    pub fn expected(mut self, hashes: Hashes) -> Self {
        self.parts().expected = hashes;
        self
    }

    /// The number of bytes that will be written; another count is [`ErrorKind::Corrupt`] and
    /// publishes nothing. Lets a backend choose its way and reserve space.
    #[must_use]
    pub fn size(mut self, size: u64) -> Self {
        self.parts().size = Some(size);
        self
    }

    /// Whether attributes that the backend cannot store are refused (the default) or left out.
    #[must_use]
    pub fn attributes(mut self, attributes: AttributePolicy) -> Self {
        self.parts().attributes = attributes;
        self
    }

    /// When the write has to be durable.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.parts().durability = durability;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn into_parts(self) -> WriteParts {
        self.0.map_or_else(WriteParts::default, |parts| *parts)
    }

    /// Whether these are the default, as far as that shows without a look at each option.
    #[doc(hidden)]
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.0.is_none()
    }

    fn parts(&mut self) -> &mut WriteParts {
        self.0.get_or_insert_default()
    }
}

impl From<WriteParts> for WriteOptions {
    fn from(parts: WriteParts) -> Self {
        Self(Some(Box::new(parts)))
    }
}

impl fmt::Debug for WriteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(parts) => f.debug_tuple("WriteOptions").field(parts).finish(),
            None => f.write_str("WriteOptions"),
        }
    }
}

impl PartialEq for WriteOptions {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(own), Some(other)) => own == other,
            (Some(parts), None) | (None, Some(parts)) => **parts == WriteParts::default(),
        }
    }
}

impl WriteParts {
    /// The mode of a rename, which takes no other option. What to do with attributes that cannot be
    /// stored does not matter where there are none.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when another option is set, or for the mode append.
    #[doc(hidden)]
    pub fn into_mode_alone(mut self) -> Result<WriteMode> {
        let mode = std::mem::take(&mut self.mode);
        self.attributes = AttributePolicy::default();
        if self != Self::default() {
            return Err(Error::unsupported("any option of a rename but its mode"));
        }
        if mode == WriteMode::Append {
            return Err(Error::unsupported("a rename in mode append"));
        }
        Ok(mode)
    }

    /// Judges the options against a backend's features: refuses modes and required attributes that
    /// it does not have, and drops those that are not required.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], naming the option.
    #[doc(hidden)]
    pub fn restrict_to(&mut self, features: crate::Features) -> Result<()> {
        let refuse = |what: &'static str| Err(Error::unsupported(what));
        match self.mode {
            WriteMode::CreateNew if !features.create_new => return refuse("mode create-new"),
            WriteMode::IfVersion(_) if !features.if_version => return refuse("mode if-version"),
            WriteMode::Append if !features.append => return refuse("mode append"),
            WriteMode::Append if !self.hashes.is_empty() => {
                return refuse("storing hashes of an append");
            }
            _ => {}
        }
        let required = self.attributes == AttributePolicy::Required;
        if !features.content_type && (self.content_type.is_some() || self.cache_control.is_some()) {
            if required {
                return refuse("content type and cache control");
            }
            (self.content_type, self.cache_control) = (None, None);
        }
        if !features.custom_metadata && !self.metadata.is_empty() {
            if required {
                return refuse("custom metadata");
            }
            self.metadata.clear();
        }
        if !features.set_modified && self.modified.is_some() {
            if required {
                return refuse("setting the modified time");
            }
            self.modified = None;
        }
        if !features.hashes && !self.hashes.is_empty() {
            if required {
                return refuse("storing hashes");
            }
            // They are still computed and reported.
            self.verify = self.verify | self.hashes;
            self.hashes = HashTypes::NONE;
        }
        check_metadata(&self.metadata)
    }
}

/// What every store can carry: lower-case names, and values that fit a header once encoded.
fn check_metadata(metadata: &Metadata) -> Result<()> {
    for (key, value) in metadata {
        let good_key = !key.is_empty()
            && key
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if !good_key || value.chars().any(char::is_control) {
            return Err(Error::config(format!(
                "metadata {key:?}: keys are lower-case letters, digits, `-` and `_`, \
                 values hold no control characters"
            )));
        }
    }
    Ok(())
}

impl From<WriteMode> for WriteOptions {
    fn from(mode: WriteMode) -> Self {
        Self::default().mode(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Features;

    #[test]
    fn a_rename_takes_a_mode_alone() {
        let lenient = WriteOptions::from(WriteMode::CreateNew);
        let lenient = lenient.attributes(AttributePolicy::IfSupported);
        let mode = |options: WriteOptions| options.into_parts().into_mode_alone();
        assert_eq!(mode(lenient).unwrap(), WriteMode::CreateNew);
        for refused in [
            WriteOptions::from(WriteMode::Append),
            WriteOptions::default().size(1),
            WriteOptions::default().durability(Durability::Immediate),
        ] {
            assert!(mode(refused).unwrap_err().is_unsupported());
        }
    }

    #[test]
    fn options_set_to_their_defaults_equal_the_default() {
        assert_eq!(
            WriteOptions::from(WriteMode::Replace),
            WriteOptions::default()
        );
        assert_ne!(
            WriteOptions::from(WriteMode::Append),
            WriteOptions::default()
        );
    }

    #[test]
    fn required_attributes_are_refused_and_optional_ones_left_out() {
        let options = WriteOptions::default().content_type("text/plain");
        let mut parts = options.clone().into_parts();
        assert!(
            parts
                .restrict_to(Features::NONE)
                .unwrap_err()
                .is_unsupported()
        );
        let mut parts = options
            .attributes(AttributePolicy::IfSupported)
            .into_parts();
        parts.restrict_to(Features::NONE).unwrap();
        assert_eq!(parts.content_type, None);
    }
}
