use std::fmt;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use storage_core::{HashType, HashTypes, Hashes};

/// Computes any number of digests of one stream of bytes.
///
/// Every algorithm uses the processor's instructions where there are any; CRC-32C runs at about the
/// speed of memory.
#[derive(Clone)]
pub struct Hasher(Vec<State>);

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Crc32c(crc_fast::Digest),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// A hasher for `types`. With no type it costs nothing.
    #[must_use]
    pub fn new(types: HashTypes) -> Self {
        Self(types.iter().filter_map(State::new).collect())
    }

    /// Whether nothing is computed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for state in &mut self.0 {
            match state {
                State::Md5(hasher) => hasher.update(bytes),
                State::Sha1(hasher) => hasher.update(bytes),
                State::Sha256(hasher) => hasher.update(bytes),
                State::Crc32c(hasher) => hasher.update(bytes),
                State::Blake3(hasher) => {
                    hasher.update(bytes);
                }
            }
        }
    }

    /// The digests of everything added.
    #[must_use]
    pub fn finish(self) -> Hashes {
        let mut hashes = Hashes::new();
        for state in self.0 {
            let (hash, digest): (_, Box<[u8]>) = match state {
                State::Md5(hasher) => (HashType::Md5, hasher.finalize().as_slice().into()),
                State::Sha1(hasher) => (HashType::Sha1, hasher.finalize().as_slice().into()),
                State::Sha256(hasher) => (HashType::Sha256, hasher.finalize().as_slice().into()),
                State::Crc32c(hasher) => (
                    HashType::Crc32c,
                    Box::new((hasher.finalize() as u32).to_be_bytes()),
                ),
                State::Blake3(hasher) => (HashType::Blake3, (*hasher.finalize().as_bytes()).into()),
            };
            // Cannot fail: every algorithm gives a digest of its own length.
            let _ = hashes.insert(hash, digest);
        }
        hashes
    }
}

impl State {
    fn new(hash: HashType) -> Option<Self> {
        Some(match hash {
            HashType::Md5 => Self::Md5(Md5::new()),
            HashType::Sha1 => Self::Sha1(Sha1::new()),
            HashType::Sha256 => Self::Sha256(Sha256::new()),
            HashType::Crc32c => {
                Self::Crc32c(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi))
            }
            HashType::Blake3 => Self::Blake3(Box::new(blake3::Hasher::new())),
            _ => return None,
        })
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types = self.0.iter().map(|state| match state {
            State::Md5(_) => HashType::Md5,
            State::Sha1(_) => HashType::Sha1,
            State::Sha256(_) => HashType::Sha256,
            State::Crc32c(_) => HashType::Crc32c,
            State::Blake3(_) => HashType::Blake3,
        });
        f.debug_list().entries(types).finish()
    }
}

/// The digests of bytes in memory.
#[must_use]
pub fn hash(types: HashTypes, bytes: &[u8]) -> Hashes {
    let mut hasher = Hasher::new(types);
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of "abc" and of "123456789" as the algorithms' own documents give them.
    #[test]
    fn known_answers() {
        let all = HashTypes::from_iter(HashType::ALL);
        let hashes = hash(all, b"abc");
        for (hash, hex) in [
            (HashType::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (HashType::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                HashType::Sha256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (HashType::Crc32c, "364b3fb7"),
            (
                HashType::Blake3,
                "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            ),
        ] {
            assert_eq!(hashes.get_hex(hash).as_deref(), Some(hex), "{hash}");
        }
    }

    #[test]
    fn pieces_give_the_digest_of_the_whole() {
        let all = HashTypes::from_iter(HashType::ALL);
        let bytes: Vec<u8> = (0..10_000u32).map(|n| (n * 7) as u8).collect();
        let mut hasher = Hasher::new(all);
        bytes.chunks(333).for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish(), hash(all, &bytes));
    }
}
