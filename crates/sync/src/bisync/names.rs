use storage_core::ObjectPath;

use super::pair::Pair;
use super::{Loser, Replica};
use crate::SyncError;

/// Numbers that are tried before giving up.
const MOST: u32 = 100_000;

/// The names that the losers of one conflict get.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    pair: &'a Pair,
    key: &'a str,
    given: Vec<ObjectPath>,
}

impl<'a> Names<'a> {
    pub(crate) const fn new(pair: &'a Pair, key: &'a str) -> Self {
        let given = Vec::new();
        Self { pair, key, given }
    }

    /// A name for a side's version that neither side has.
    pub(crate) async fn next_free(&mut self, side: Replica) -> Result<ObjectPath, SyncError> {
        let own = match (self.pair.options.loser, side) {
            (Loser::Path, Replica::Path1) => Some(1),
            (Loser::Path, Replica::Path2) => Some(2),
            _ => None,
        };
        for number in own.into_iter().chain(1..MOST) {
            let name = ObjectPath::new(self.numbered(side, number))?;
            if !self.given.contains(&name) && self.is_free(&name).await? {
                self.given.push(name.clone());
                return Ok(name);
            }
        }
        Err(SyncError::Option {
            option: "suffixes",
            reason: format!("{:?} has no free name left for a conflict", self.key).into(),
        })
    }

    async fn is_free(&self, name: &ObjectPath) -> Result<bool, SyncError> {
        for side in Replica::BOTH {
            let full = self.pair.full(side, name)?;
            if self.pair.stat(side, &full).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn numbered(&self, side: Replica, number: u32) -> String {
        let options = &self.pair.options;
        let suffix = side.of(&options.suffixes);
        numbered(self.key, suffix, number, options.suffix_keep_extension)
    }
}

/// `a/b.txt.conflict1`, or `a/b.conflict1.txt`.
fn numbered(key: &str, suffix: &str, number: u32, keep_extension: bool) -> String {
    let name = key.rfind('/').map_or(0, |slash| slash + 1);
    let dot = key.rfind('.').filter(|dot| keep_extension && *dot > name);
    let (stem, extension) = key.split_at(dot.unwrap_or(key.len()));
    format!("{stem}.{suffix}{number}{extension}")
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn the_extension_stays_last_on_request() {
        for (key, keep, expected) in [
            ("a/b.txt", false, "a/b.txt.c1"),
            ("a/b.txt", true, "a/b.c1.txt"),
            ("a.d/b", true, "a.d/b.c1"),
            ("a/.b", true, "a/.b.c1"),
            ("b", true, "b.c1"),
        ] {
            assert_eq!(numbered(key, "c", 1, keep), expected);
        }
    }
}
