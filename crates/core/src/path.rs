use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

/// The key of one object: `/`-separated segments, validated once.
///
/// A path is UTF-8 without NUL; no segment is empty, `.` or `..`; there is no leading or trailing
/// `/`. Nothing is trimmed, encoded or decoded, so `a b`, `a%20b`, `..foo` and `a#1` are four
/// ordinary names. Cloning costs a reference count.
///
/// ```
/// use storage_core::ObjectPath;
///
/// assert!(ObjectPath::new("logs/2026/a%20b.txt").is_ok());
/// assert!(ObjectPath::new("logs/../secret").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath(Arc<str>);

/// A place in the name space to list below: empty for everything, or a path that ends with `/`.
///
/// `Prefix::new("data")` and `Prefix::new("data/")` are the same prefix, and neither covers
/// `database/x`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Arc<str>);

fn validate(path: &str) -> Result<()> {
    let problem =
        |what: &'static str| Err(Error::new(ErrorKind::InvalidPath, what).with_path(path));
    let bytes = path.as_bytes();
    if bytes.is_empty() {
        return problem("the path is empty");
    }
    // One pass: a segment is judged when its end is reached, by its length and its dots.
    let (mut length, mut dots) = (0usize, 0usize);
    for &byte in bytes.iter().chain(b"/") {
        match byte {
            0 => return problem("the path contains a NUL byte"),
            b'/' => {
                match (length, dots) {
                    (0, _) => {
                        return problem("the path has an empty segment, or `/` at an end");
                    }
                    (1, 1) | (2, 2) => return problem("the path has a `.` or `..` segment"),
                    _ => {}
                }
                (length, dots) = (0, 0);
            }
            b'.' => (length, dots) = (length + 1, dots + 1),
            _ => length += 1,
        }
    }
    Ok(())
}

impl ObjectPath {
    /// Validates `path`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPath`], naming the path and the rule it breaks.
    pub fn new(path: impl AsRef<str>) -> Result<Self> {
        let path = path.as_ref();
        validate(path)?;
        Ok(Self(path.into()))
    }

    /// The path as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments from the root down; at least one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The prefix that the path lies directly in.
    #[must_use]
    pub fn parent(&self) -> Prefix {
        match self.0.rfind('/') {
            Some(slash) => Prefix(self.0[..=slash].into()),
            None => Prefix::root(),
        }
    }

    /// The prefix of everything below this path taken as a directory.
    #[must_use]
    pub fn as_prefix(&self) -> Prefix {
        Prefix(format!("{}/", self.0).into())
    }

    /// The part of the path below `prefix`, or `None` when it lies elsewhere.
    #[must_use]
    pub fn strip_prefix(&self, prefix: &Prefix) -> Option<&str> {
        self.0
            .strip_prefix(prefix.as_str())
            .filter(|rest| !rest.is_empty())
    }
}

impl Prefix {
    /// The prefix of everything.
    #[must_use]
    pub fn root() -> Self {
        Self("".into())
    }

    /// Validates `prefix`; a missing final `/` is added.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPath`], by the rules of [`ObjectPath`].
    pub fn new(prefix: impl AsRef<str>) -> Result<Self> {
        let prefix = prefix.as_ref();
        let path = prefix.strip_suffix('/').unwrap_or(prefix);
        if prefix.is_empty() {
            return Ok(Self::root());
        }
        validate(path)?;
        Ok(if prefix.ends_with('/') {
            Self(prefix.into())
        } else {
            Self(format!("{path}/").into())
        })
    }

    /// Empty, or ending with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the prefix of everything.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory that the prefix names; `None` for the root.
    #[must_use]
    pub fn as_path(&self) -> Option<ObjectPath> {
        self.0.strip_suffix('/').map(|path| ObjectPath(path.into()))
    }

    /// The path `relative` below this prefix.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPath`] when `relative` is not a valid path by itself.
    pub fn join(&self, relative: impl AsRef<str>) -> Result<ObjectPath> {
        let relative = relative.as_ref();
        validate(relative)?;
        Ok(ObjectPath(if self.is_root() {
            relative.into()
        } else {
            let mut joined = String::with_capacity(self.0.len() + relative.len());
            joined.push_str(&self.0);
            joined.push_str(relative);
            joined.into()
        }))
    }
}

macro_rules! string_like {
    ($type:ident) => {
        impl Deref for $type {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl FromStr for $type {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = Error;
            fn try_from(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }
    };
}

string_like!(ObjectPath);
string_like!(Prefix);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_literal_names() {
        for path in [
            "a", "a b", "a%20b", "a#1", "..foo", "a..b", "...", "ü/ñ", "a\\b", " ", "~",
        ] {
            assert_eq!(ObjectPath::new(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn refuses_what_could_escape_or_collide() {
        for path in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/.", "./a", "a/../b", "a\0b",
        ] {
            assert!(
                ObjectPath::new(path).unwrap_err().is_invalid_path(),
                "{path:?}"
            );
        }
    }

    #[test]
    fn prefix_is_normalised_to_one_spelling() {
        assert_eq!(Prefix::new("data").unwrap(), Prefix::new("data/").unwrap());
        assert_eq!(Prefix::new("").unwrap(), Prefix::root());
        assert!(Prefix::new("/").is_err());
        assert!(Prefix::new("a//").is_err());
        let path = ObjectPath::new("database/x").unwrap();
        assert_eq!(path.strip_prefix(&Prefix::new("data").unwrap()), None);
        assert_eq!(path.parent().join("y").unwrap().as_str(), "database/y");
    }

    proptest::proptest! {
        #[test]
        fn validation_agrees_with_the_rule_as_stated(path in "[a./\0é]{0,12}") {
            let by_rule = !path.contains('\0')
                && path.split('/').all(|s| !s.is_empty() && s != "." && s != "..");
            proptest::prop_assert_eq!(ObjectPath::new(&path).is_ok(), by_rule);
        }
    }
}
