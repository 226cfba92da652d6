use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storage_core::{ObjectPath, Prefix, Result};

/// Every so many paths one is kept whole, so that any can be had without unpacking all before it.
const RESTART: usize = 64;

/// Relative paths with sizes and times, packed: each is the length it shares with the one before,
/// then the rest. In sorted order about the length of a file name plus 5 bytes each, and 5 to 9 more
/// for a time.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
    /// Where each path begins that is kept whole.
    restarts: Vec<usize>,
    last: String,
    len: usize,
}

/// What an [`Arena`] holds of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: ObjectPath,
    pub(crate) size: Option<u64>,
    /// `None` too where it is centuries away from 1970.
    pub(crate) modified: Option<SystemTime>,
}

impl Arena {
    pub(crate) fn push(&mut self, path: &str, size: Option<u64>, modified: Option<SystemTime>) {
        if self.len.is_multiple_of(RESTART) {
            self.restarts.push(self.bytes.len());
            self.last.clear();
        }
        let pairs = path.bytes().zip(self.last.bytes());
        let mut shared = pairs.take_while(|(a, b)| a == b).count();
        while !path.is_char_boundary(shared) {
            shared -= 1;
        }
        let rest = &path[shared..];
        self.number(shared as u64);
        self.number(rest.len() as u64);
        self.number(size.map_or(0, |size| size.saturating_add(1)));
        self.number(modified.map_or(0, pack_time));
        self.bytes.extend_from_slice(rest.as_bytes());
        self.last.truncate(shared);
        self.last.push_str(rest);
        self.len += 1;
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entries in the order they came, taken out.
    pub(crate) fn into_entries(self) -> Entries<Vec<u8>> {
        Entries::new(self.bytes, 0)
    }

    /// The entries in the order they came.
    pub(crate) fn entries(&self) -> Entries<&[u8]> {
        Entries::new(&self.bytes, 0)
    }

    /// The entry at a position.
    pub(crate) fn get(&self, position: usize) -> Option<Result<Entry>> {
        let start = *self.restarts.get(position / RESTART)?;
        Entries::new(self.bytes.as_slice(), start).nth(position % RESTART)
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

/// Nanoseconds from 1970, with the sign in the lowest bit, plus 1; 0 for what does not fit.
fn pack_time(time: SystemTime) -> u64 {
    let (gap, before) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (after, 0),
        Err(error) => (error.duration(), 1),
    };
    let nanos = u64::try_from(gap.as_nanos()).ok();
    let packed = nanos.and_then(|nanos| nanos.checked_mul(2)?.checked_add(1 + before));
    packed.unwrap_or(0)
}

fn unpack_time(packed: u64) -> Option<SystemTime> {
    let packed = packed.checked_sub(1)?;
    let gap = Duration::from_nanos(packed / 2);
    match packed % 2 {
        0 => UNIX_EPOCH.checked_add(gap),
        _ => UNIX_EPOCH.checked_sub(gap),
    }
}

/// Unpacks an [`Arena`].
#[derive(Debug)]
pub(crate) struct Entries<B> {
    bytes: B,
    at: usize,
    path: Vec<u8>,
}

impl<B: AsRef<[u8]>> Entries<B> {
    const fn new(bytes: B, at: usize) -> Self {
        let path = Vec::new();
        Self { bytes, at, path }
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.as_ref().get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

impl<B: AsRef<[u8]>> Iterator for Entries<B> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let shared = self.number()? as usize;
        let rest = self.number()? as usize;
        let size = self.number()?.checked_sub(1);
        let modified = unpack_time(self.number()?);
        self.path.truncate(shared);
        let rest = self.at..self.at + rest;
        self.path
            .extend_from_slice(self.bytes.as_ref().get(rest.clone())?);
        self.at = rest.end;
        let path = String::from_utf8_lossy(&self.path);
        Some(Prefix::root().join(path).map(|path| Entry {
            path,
            size,
            modified,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_was_given() {
        let long = "x".repeat(300);
        let time = |nanos: i64| match nanos {
            0.. => UNIX_EPOCH + Duration::from_nanos(nanos.unsigned_abs()),
            _ => UNIX_EPOCH - Duration::from_nanos(nanos.unsigned_abs()),
        };
        let mut given = vec![
            ("a".to_owned(), None, None),
            ("a/b".to_owned(), Some(0), Some(time(0))),
            ("a/bé".to_owned(), Some(127), Some(time(-1))),
            ("a/bè".to_owned(), Some(u64::MAX - 1), Some(time(1))),
            ("a b".to_owned(), Some(1 << 40), Some(time(i64::MAX))),
            (long, Some(128), Some(time(1 - i64::MAX))),
        ];
        given.extend((0..1000u32).map(|n| (format!("z/{n:04}"), Some(n.into()), None)));
        let mut arena = Arena::default();
        for (path, size, modified) in &given {
            arena.push(path, *size, *modified);
        }
        assert_eq!(arena.len(), 1006);
        for (position, (path, size, modified)) in given.iter().enumerate() {
            let entry = Entry {
                path: ObjectPath::new(path).unwrap(),
                size: *size,
                modified: *modified,
            };
            assert_eq!(arena.get(position).unwrap().unwrap(), entry);
        }
        assert!(arena.get(1006).is_none());
        let back: Vec<_> = arena.into_entries().map(Result::unwrap).collect();
        let back = back
            .into_iter()
            .map(|entry| (entry.path.as_str().to_owned(), entry.size, entry.modified));
        assert_eq!(back.collect::<Vec<_>>(), given);
    }

    #[test]
    fn a_million_keys_take_a_few_bytes_each() {
        let mut arena = Arena::default();
        for n in 0..1_000_000 {
            let path = format!("directory-{:03}/file-{:06}.dat", n / 1000, n);
            arena.push(&path, Some(4096), None);
        }
        assert!(arena.bytes.len() < 16_000_000, "{}", arena.bytes.len());
    }
}
