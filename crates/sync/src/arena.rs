use storage_core::{ObjectPath, Prefix, Result};

/// Sorted relative paths with sizes, packed: each is the length it shares with the one before, then
/// the rest. About the length of a file name plus 4 bytes each.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
    last: String,
    len: u64,
}

impl Arena {
    pub(crate) fn push(&mut self, path: &str, size: Option<u64>) {
        let pairs = path.bytes().zip(self.last.bytes());
        let mut shared = pairs.take_while(|(a, b)| a == b).count();
        while !path.is_char_boundary(shared) {
            shared -= 1;
        }
        let rest = &path[shared..];
        self.number(shared as u64);
        self.number(rest.len() as u64);
        self.number(size.map_or(0, |size| size.saturating_add(1)));
        self.bytes.extend_from_slice(rest.as_bytes());
        self.last.truncate(shared);
        self.last.push_str(rest);
        self.len += 1;
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The paths in the order they came.
    pub(crate) fn into_paths(self) -> Paths {
        Paths {
            bytes: self.bytes.into_iter(),
            path: Vec::new(),
        }
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

/// Unpacks an [`Arena`].
#[derive(Debug)]
pub(crate) struct Paths {
    bytes: std::vec::IntoIter<u8>,
    path: Vec<u8>,
}

impl Paths {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes.next()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

impl Iterator for Paths {
    type Item = Result<(ObjectPath, Option<u64>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let shared = self.number()? as usize;
        let rest = self.number()? as usize;
        let size = self.number()?.checked_sub(1);
        self.path.truncate(shared);
        self.path.extend(self.bytes.by_ref().take(rest));
        let path = String::from_utf8_lossy(&self.path);
        Some(Prefix::root().join(path).map(|path| (path, size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_was_given() {
        let long = "x".repeat(300);
        let given = [
            ("a", None),
            ("a/b", Some(0)),
            ("a/bé", Some(127)),
            ("a/bè", Some(u64::MAX - 1)),
            ("a b", Some(1 << 40)),
            (long.as_str(), Some(128)),
            ("z", None),
        ];
        let mut arena = Arena::default();
        for (path, size) in given {
            arena.push(path, size);
        }
        assert_eq!(arena.len(), 7);
        let back: Vec<_> = arena.into_paths().map(Result::unwrap).collect();
        let back: Vec<_> = back
            .iter()
            .map(|(path, size)| (path.as_str(), *size))
            .collect();
        assert_eq!(back, given);
    }

    #[test]
    fn a_million_keys_take_a_few_bytes_each() {
        let mut arena = Arena::default();
        for n in 0..1_000_000 {
            arena.push(
                &format!("directory-{:03}/file-{:06}.dat", n / 1000, n),
                Some(4096),
            );
        }
        assert!(arena.bytes.len() < 16_000_000, "{}", arena.bytes.len());
    }
}
