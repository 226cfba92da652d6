use std::fmt;
use std::str::FromStr;

use storage_core::{Error, Result};

/// A compressed file format that Omnistorage has a codec for.
///
/// ```
/// use storage_compression::Compression;
///
/// assert_eq!(Compression::detect("logs/today.ndjson.zst"), Some(Compression::Zstd));
/// assert_eq!(Compression::split("today.ndjson.ZST"), ("today.ndjson", Some(Compression::Zstd)));
/// assert_eq!(Compression::detect_magic(b"\x1f\x8b\x08\0"), Some(Compression::Gzip));
/// assert_eq!("snappy".parse::<Compression>()?, Compression::Snappy);
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Gzip members (RFC 1952).
    Gzip,
    /// Zstandard frames (RFC 8878).
    Zstd,
    /// Snappy's framing format, not bare Snappy blocks.
    Snappy,
}

/// The stream identifier that framed Snappy starts with.
const SNAPPY_MAGIC: &[u8] = b"\xff\x06\x00\x00sNaPpY";

impl Compression {
    /// Every format, in declaration order.
    pub const ALL: [Self; 3] = [Self::Gzip, Self::Zstd, Self::Snappy];

    /// How many first bytes [`detect_magic`](Self::detect_magic) needs to recognise any format.
    pub const MAGIC_LEN: usize = 10;

    /// The lower-case name: `gzip`, `zstd`, `snappy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
        }
    }

    /// The usual extension, without the dot: `gz`, `zst`, `sz`.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
            Self::Snappy => "sz",
        }
    }

    /// The format that the last extension of a file name or path stands for, in any case: `gz`,
    /// `gzip`, `tgz`; `zst`, `zstd`, `tzst`; `sz`, `snappy`.
    #[must_use]
    pub fn detect(name: &str) -> Option<Self> {
        Self::split(name).1
    }

    /// Takes the compression's extension off a name, so that what is left tells the format inside.
    /// `tgz` and `tzst` are one extension for two layers and stay on.
    #[must_use]
    pub fn split(name: &str) -> (&str, Option<Self>) {
        let base = name.rsplit('/').next().unwrap_or(name);
        let Some((stem, extension)) = base.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())
        else {
            return (name, None);
        };
        let found = match extension.to_ascii_lowercase().as_str() {
            "tgz" => return (name, Some(Self::Gzip)),
            "tzst" => return (name, Some(Self::Zstd)),
            "gz" | "gzip" => Self::Gzip,
            "zst" | "zstd" => Self::Zstd,
            "sz" | "snappy" => Self::Snappy,
            _ => return (name, None),
        };
        let kept = name.len() - base.len() + stem.len();
        (name.get(..kept).unwrap_or(name), Some(found))
    }

    /// The format that the first bytes of a stream belong to. Fewer than
    /// [`MAGIC_LEN`](Self::MAGIC_LEN) bytes may be too few to tell. A Zstandard stream may start with
    /// a skippable frame, which is recognised too.
    #[must_use]
    pub fn detect_magic(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ if start.starts_with(SNAPPY_MAGIC) => Some(Self::Snappy),
            _ => None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = Error;

    /// Parses a name or an extension.
    ///
    /// # Errors
    /// `Config`, naming the choices.
    fn from_str(text: &str) -> Result<Self> {
        let known = |format: &Self| text == format.name() || text == format.extension();
        Self::ALL.into_iter().find(known).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::config(format!(
                "no compression is named {text:?}; known are {names}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format_and_what_is_inside() {
        use Compression::{Gzip, Snappy, Zstd};
        for (name, stem, found) in [
            ("a/b.csv.gz", "a/b.csv", Some(Gzip)),
            ("b.GZIP", "b", Some(Gzip)),
            ("x.tgz", "x.tgz", Some(Gzip)),
            ("x.tzst", "x.tzst", Some(Zstd)),
            ("a.gz/b.zstd", "a.gz/b", Some(Zstd)),
            ("a.sz", "a", Some(Snappy)),
            ("ä.snappy", "ä", Some(Snappy)),
            ("a.gz/b", "a.gz/b", None),
            ("a/.gz", "a/.gz", None),
            ("gz", "gz", None),
            ("", "", None),
            ("a.gz.", "a.gz.", None),
        ] {
            assert_eq!(Compression::split(name), (stem, found), "{name}");
        }
    }

    #[test]
    fn first_bytes_tell_the_format() {
        for (start, found) in [
            (&b"\x1f\x8b\x08"[..], Some(Compression::Gzip)),
            (b"\x1f\x8b", None),
            (b"\x28\xb5\x2f\xfd\0", Some(Compression::Zstd)),
            (b"\x5f\x2a\x4d\x18", Some(Compression::Zstd)),
            (SNAPPY_MAGIC, Some(Compression::Snappy)),
            (&SNAPPY_MAGIC[..9], None),
            (b"{\"a\":1}", None),
            (b"", None),
        ] {
            assert_eq!(Compression::detect_magic(start), found, "{start:?}");
        }
        assert_eq!(SNAPPY_MAGIC.len(), Compression::MAGIC_LEN);
    }

    #[test]
    fn parses_names_and_extensions() {
        for format in Compression::ALL {
            assert_eq!(format.name().parse::<Compression>().unwrap(), format);
            assert_eq!(format.extension().parse::<Compression>().unwrap(), format);
        }
        let error = "bzip2".parse::<Compression>().unwrap_err();
        assert!(error.to_string().contains("gzip, zstd, snappy"), "{error}");
    }
}
