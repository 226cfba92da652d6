use std::future::poll_fn;
use std::task::Poll;

use storage_core::{Error, ErrorKind, HashTypes, Hashes, Result, WriteParts};

use crate::Hasher;

/// Computes and checks what the options of one write ask for: `hashes`, `verify`, `expected`, `size`.
///
/// A backend feeds it every byte it stores and calls [`finish`](Self::finish) before publishing.
#[derive(Debug, Clone)]
pub struct WriteHasher {
    hasher: Hasher,
    /// Reported in `Written`.
    reported: HashTypes,
    /// Stored with the object.
    stored: HashTypes,
    expected: Hashes,
    expected_size: Option<u64>,
    size: u64,
}

/// Most bytes hashed before other tasks get their turn: a few milliseconds with the slowest digest.
const TURN: usize = 1 << 20;

/// Gives every other ready task of the executor a turn.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a [`WriteHasher`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteHashes {
    /// For `Written::hashes`.
    pub reported: Hashes,
    /// To be kept with the object.
    pub stored: Hashes,
}

impl WriteHasher {
    /// For the options of one write.
    #[must_use]
    pub fn new(options: &WriteParts) -> Self {
        let reported = options.hashes | options.verify;
        Self {
            hasher: Hasher::new(reported | options.expected.types()),
            reported,
            stored: options.hashes,
            expected: options.expected.clone(),
            expected_size: options.size,
            size: 0,
        }
    }

    /// Whether no digest is computed, so that the bytes need not pass through memory.
    /// [`skip`](Self::skip) counts them then.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.hasher.is_idle()
    }

    /// Adds bytes as [`update`](Self::update) does, or just counts them where there is nothing to
    /// compute, and gives other tasks a turn after every MiB. Dropped in between, it has added a part
    /// of them.
    pub async fn absorb(&mut self, bytes: &[u8]) {
        if self.is_idle() {
            return self.skip(bytes.len() as u64);
        }
        for (turn, part) in bytes.chunks(TURN).enumerate() {
            if turn > 0 {
                yield_now().await;
            }
            self.update(part);
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    /// Counts bytes that were not seen. Only right while [`is_idle`](Self::is_idle).
    pub fn skip(&mut self, count: u64) {
        self.size += count;
    }

    /// Bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Checks size and digests.
    ///
    /// # Errors
    /// `Corrupt` when one is not as expected: publish nothing.
    pub fn finish(self) -> Result<WriteHashes> {
        if let Some(expected) = self.expected_size.filter(|expected| *expected != self.size) {
            let message = format!("{} bytes were written, not {expected}", self.size);
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        if self.hasher.is_idle() {
            return Ok(WriteHashes {
                reported: Hashes::new(),
                stored: Hashes::new(),
            });
        }
        let found = self.hasher.finish();
        if found.matches(&self.expected) == Some(false) {
            let message = format!("the bytes hash to {found:?}, not {:?}", self.expected);
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        Ok(WriteHashes {
            reported: only(&found, self.reported),
            stored: only(&found, self.stored),
        })
    }
}

fn only(hashes: &Hashes, types: HashTypes) -> Hashes {
    let mut chosen = Hashes::new();
    for (hash, digest) in hashes.iter().filter(|(hash, _)| types.contains(*hash)) {
        // Cannot fail: the digest comes from a set that has checked its length.
        let _ = chosen.insert(hash, digest);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;
    use storage_core::{HashType, WriteOptions};

    #[test]
    fn checks_size_and_digests_and_separates_stored_from_reported() {
        let options = WriteOptions::default()
            .size(3)
            .hashes(HashType::Sha256)
            .verify(HashType::Crc32c)
            .expected(hash(HashType::Md5.into(), b"abc"));
        let run = |bytes: &[u8]| {
            let mut hasher = WriteHasher::new(&options.clone().into_parts());
            hasher.update(bytes);
            hasher.finish()
        };
        let found = run(b"abc").unwrap();
        assert_eq!(found.stored.types(), HashType::Sha256.into());
        assert_eq!(
            found.reported.types(),
            HashTypes::from(HashType::Sha256).with(HashType::Crc32c)
        );
        assert!(run(b"abd").unwrap_err().is_corrupt());
        assert!(run(b"abcd").unwrap_err().is_corrupt());
    }
}
