use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// A hash algorithm. Computing one is the business of the `storage-hash` crate; the contract only
/// names and carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashType {
    /// MD5 (RFC 1321), 16 bytes. Not collision resistant.
    Md5,
    /// SHA-1 (RFC 3174), 20 bytes. Not collision resistant.
    Sha1,
    /// SHA-256 (FIPS 180-4), 32 bytes.
    Sha256,
    /// CRC-32C (Castagnoli, RFC 3720), 4 bytes big-endian. Finds transfer errors, not forgeries.
    Crc32c,
    /// BLAKE3, 32 bytes.
    Blake3,
}

impl HashType {
    /// Every algorithm, in declaration order.
    pub const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Crc32c,
        Self::Blake3,
    ];

    /// The lower-case name: `md5`, `sha1`, `sha256`, `crc32c`, `blake3`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Crc32c => "crc32c",
            Self::Blake3 => "blake3",
        }
    }

    /// The digest's length in bytes.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Blake3 => 32,
            Self::Crc32c => 4,
        }
    }
}

impl fmt::Display for HashType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HashType {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|hash| hash.as_str() == name)
            .ok_or_else(|| {
                Error::config(format!(
                    "unknown hash {name:?}; known are md5, sha1, sha256, crc32c, blake3"
                ))
            })
    }
}

/// A set of algorithms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct HashTypes(u8);

impl HashTypes {
    /// No algorithm.
    pub const NONE: Self = Self(0);

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `hash` is in the set.
    #[must_use]
    pub const fn contains(self, hash: HashType) -> bool {
        self.0 & (1 << hash as u8) != 0
    }

    /// The set with `hash` added.
    #[must_use]
    pub const fn with(self, hash: HashType) -> Self {
        Self(self.0 | 1 << hash as u8)
    }

    /// The members, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = HashType> {
        HashType::ALL
            .into_iter()
            .filter(move |hash| self.contains(*hash))
    }
}

impl From<HashType> for HashTypes {
    fn from(hash: HashType) -> Self {
        Self::NONE.with(hash)
    }
}

impl BitOr for HashTypes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<HashType> for HashTypes {
    fn from_iter<I: IntoIterator<Item = HashType>>(hashes: I) -> Self {
        hashes.into_iter().fold(Self::NONE, Self::with)
    }
}

/// The digests known of one content, at most one of each algorithm.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hashes(Vec<(HashType, Box<[u8]>)>);

impl Hashes {
    /// No digest; does not allocate.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds or replaces a digest.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when `digest` has not the length of the algorithm.
    pub fn insert(&mut self, hash: HashType, digest: impl Into<Box<[u8]>>) -> Result<()> {
        let digest = digest.into();
        if digest.len() != hash.digest_len() {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "a {hash} digest has {} bytes, not {}",
                    hash.digest_len(),
                    digest.len()
                ),
            ));
        }
        match self.0.binary_search_by_key(&hash, |(known, _)| *known) {
            Ok(found) => self.0[found].1 = digest,
            Err(place) => self.0.insert(place, (hash, digest)),
        }
        Ok(())
    }

    /// The digest of one algorithm.
    #[must_use]
    pub fn get(&self, hash: HashType) -> Option<&[u8]> {
        self.iter()
            .find(|(known, _)| *known == hash)
            .map(|(_, digest)| digest)
    }

    /// The digest of one algorithm in lower-case hexadecimal.
    #[must_use]
    pub fn get_hex(&self, hash: HashType) -> Option<String> {
        use fmt::Write as _;
        self.get(hash).map(|digest| {
            digest
                .iter()
                .fold(String::with_capacity(digest.len() * 2), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                })
        })
    }

    /// Adds or replaces a digest given in hexadecimal.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when `hex` is not hexadecimal or not of the algorithm's length.
    pub fn insert_hex(&mut self, hash: HashType, hex: &str) -> Result<()> {
        let not_hex = || {
            Error::new(
                ErrorKind::Corrupt,
                format!("{hex:?} is not a {hash} digest"),
            )
        };
        if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
            return Err(not_hex());
        }
        let digest = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| not_hex()))
            .collect::<Result<Vec<u8>>>()?;
        self.insert(hash, digest)
    }

    /// Algorithm and digest of each, in declaration order of the algorithms.
    pub fn iter(&self) -> impl Iterator<Item = (HashType, &[u8])> {
        self.0.iter().map(|(hash, digest)| (*hash, &**digest))
    }

    /// The algorithms that a digest is known of.
    #[must_use]
    pub fn types(&self) -> HashTypes {
        self.iter().map(|(hash, _)| hash).collect()
    }

    /// Whether no digest is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares two contents: `Some(true)` when at least one algorithm is known of both and none
    /// of the common ones differs, `Some(false)` when one differs, `None` without a common one.
    #[must_use]
    pub fn matches(&self, other: &Self) -> Option<bool> {
        let mut common = None;
        for (hash, digest) in self.iter() {
            match other.get(hash) {
                Some(theirs) if theirs != digest => return Some(false),
                Some(_) => common = Some(true),
                None => {}
            }
        }
        common
    }
}

impl fmt::Debug for Hashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(hash, _)| (hash, self.get_hex(hash).unwrap_or_default())),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_needs_a_common_type_and_no_difference() {
        let mut a = Hashes::new();
        a.insert(HashType::Crc32c, [1, 2, 3, 4]).unwrap();
        let mut b = Hashes::new();
        b.insert(HashType::Md5, [7; 16]).unwrap();
        assert_eq!(a.matches(&b), None);
        b.insert_hex(HashType::Crc32c, "01020304").unwrap();
        assert_eq!(a.matches(&b), Some(true));
        a.insert(HashType::Md5, [8; 16]).unwrap();
        assert_eq!(a.matches(&b), Some(false));
        assert!(a.insert(HashType::Sha1, [0; 4]).unwrap_err().is_corrupt());
        assert!(
            a.insert_hex(HashType::Crc32c, "0102é")
                .unwrap_err()
                .is_corrupt()
        );
    }
}
