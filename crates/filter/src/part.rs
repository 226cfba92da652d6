//! One part of all paths, so that several runs share a tree without knowing of each other.

use md5::{Digest, Md5};
use unicode_normalization::UnicodeNormalization;

/// Part `index` of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    index: u64,
    /// At least 1.
    count: u64,
}

impl Part {
    /// `None` for no parts at all.
    pub(crate) fn new(index: u64, count: u64) -> Option<Self> {
        let index = index.checked_rem(count)?;
        Some(Self { index, count })
    }

    /// Whether a path is in this part, chosen as rclone chooses: paths that some store takes for the
    /// same are in one part.
    pub(crate) fn has(self, path: &str) -> bool {
        let mut hasher = Md5::new();
        let mut buffer = [0; 4];
        // A letter at a time: what it becomes does not hang on where in a word it is.
        for lower in path.nfc().filter_map(|letter| letter.to_lowercase().next()) {
            hasher.update(lower.encode_utf8(&mut buffer).as_bytes());
        }
        let digest = hasher.finalize();
        let first = digest.iter().take(8).rev();
        let number = first.fold(0, |number, byte| number << 8 | u64::from(*byte));
        number % self.count == self.index
    }
}
