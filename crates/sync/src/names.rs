//! Destinations that take different names for the same.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use storage_core::{NameFolding, ObjectInfo, ObjectPath, Prefix, Result};
use unicode_normalization::UnicodeNormalization;

use crate::arena::{Arena, Entries};
use crate::{Command, Job};

/// The names of a source, as the destination tells them apart. Holds 16 bytes or so an object, and
/// what the destination alone has, packed.
#[derive(Debug)]
pub(crate) struct Names {
    folding: NameFolding,
    /// Hashes of the folded keys. Two keys of one hash are reported as a collision: of ten million
    /// objects, with a probability of one in 400,000.
    seen: HashSet<u64, BuildHasherDefault<DefaultHasher>>,
    /// What the destination has under no name of the source, so far.
    extra: Arena,
}

impl Names {
    /// `None` where names are what they are.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        let folding = job.destination.folding;
        let compares = !matches!(job.command, Command::Delete | Command::HashSum(_));
        (compares && folding != NameFolding::Exact).then(|| Self {
            folding,
            seen: HashSet::default(),
            extra: Arena::default(),
        })
    }

    /// Takes up a key of the source; `false` when the destination has it for one that came before.
    pub(crate) fn enter(&mut self, key: &str) -> bool {
        let hash = hash(self.folding, key);
        self.seen.insert(hash)
    }

    /// Keeps what the destination has under a key that the source has not, until all keys are known.
    pub(crate) fn hold(&mut self, key: &str, size: Option<u64>) {
        self.extra.push(key, size, None);
    }

    /// What the source has under no name.
    pub(crate) fn into_extra(self) -> Extra {
        Extra {
            folding: self.folding,
            seen: self.seen,
            entries: self.extra.into_entries(),
        }
    }
}

/// What is left over when both listings have ended.
#[derive(Debug)]
pub(crate) struct Extra {
    folding: NameFolding,
    seen: HashSet<u64, BuildHasherDefault<DefaultHasher>>,
    entries: Entries<Vec<u8>>,
}

impl Extra {
    /// The next object, below the destination's prefix.
    pub(crate) fn next(&mut self, prefix: &Prefix) -> Option<Result<ObjectInfo>> {
        loop {
            let packed = match self.entries.next()? {
                Ok(packed) => packed,
                Err(error) => return Some(Err(error)),
            };
            if self.seen.contains(&hash(self.folding, &packed.path)) {
                continue;
            }
            return Some(prefix.join(&packed.path).map(|path: ObjectPath| {
                let mut info = ObjectInfo::new(path);
                info.size = packed.size;
                info
            }));
        }
    }
}

fn hash(folding: NameFolding, key: &str) -> u64 {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    if key.is_ascii() {
        return hasher.hash_one(key.to_ascii_lowercase());
    }
    hasher.hash_one(match folding {
        NameFolding::CaseAndForm => {
            let lower = key.nfc().collect::<String>().to_lowercase();
            lower.nfc().collect()
        }
        _ => key.to_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_as_the_folding_says() {
        let same = |folding, a: &str, b: &str| hash(folding, a) == hash(folding, b);
        assert!(same(NameFolding::Case, "Ab/É", "aB/é"));
        assert!(!same(NameFolding::Case, "e\u{301}", "é"));
        assert!(same(NameFolding::CaseAndForm, "E\u{301}", "é"));
        assert!(!same(NameFolding::CaseAndForm, "e", "é"));
    }
}
