//! Records of the state, packed: the key is the length it shares with the one before, then the rest.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::print::{Print, Token};

const SIZE: u8 = 1;
const MODIFIED: u8 = 2;
const VERSION: u8 = 4;
const CONTENT: u8 = 8;
/// The second side's size and time are those of the first, as they are after most transfers.
const AS_FIRST: u8 = 16;
const PRESENT: u8 = 32;
const ETAG: u8 = 64;

/// What both sides had under one key when they were last the same. With neither: the key is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Relative to both trees; a directory's has no final `/`.
    pub(crate) key: String,
    pub(crate) is_dir: bool,
    pub(crate) prints: [Option<Print>; 2],
}

impl Record {
    /// Says that the key is gone on both sides.
    pub(crate) const fn gone(key: String, is_dir: bool) -> Self {
        let prints = [None, None];
        Self {
            key,
            is_dir,
            prints,
        }
    }

    pub(crate) const fn is_gone(&self) -> bool {
        matches!(self.prints, [None, None])
    }
}

/// Packs records, each with a tag below 128, in the order of their keys.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
    last: String,
}

impl Packer {
    pub(crate) fn push(&mut self, tag: u8, record: &Record) {
        let pairs = record.key.bytes().zip(self.last.bytes());
        let mut shared = pairs.take_while(|(a, b)| a == b).count();
        while !record.key.is_char_boundary(shared) {
            shared -= 1;
        }
        let rest = record.key.get(shared..).unwrap_or("");
        self.bytes.push(tag << 1 | u8::from(record.is_dir));
        put_number(&mut self.bytes, shared as u64);
        put_number(&mut self.bytes, rest.len() as u64);
        self.bytes.extend_from_slice(rest.as_bytes());
        self.last.truncate(shared);
        self.last.push_str(rest);
        let [a, b] = &record.prints;
        put_print(&mut self.bytes, a.as_ref(), None);
        put_print(&mut self.bytes, b.as_ref(), a.as_ref());
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The packed records; the packer starts anew.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.last.clear();
        std::mem::take(&mut self.bytes)
    }
}

/// Unpacks what a [`Packer`] packed.
#[derive(Debug)]
pub(crate) struct Unpacker<B> {
    bytes: B,
    at: usize,
    last: String,
}

/// Bytes that no packer has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<B: AsRef<[u8]>> Unpacker<B> {
    pub(crate) const fn new(bytes: B) -> Self {
        let last = String::new();
        Self { bytes, at: 0, last }
    }

    /// The next tag and record, `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<(u8, Record), Malformed>> {
        (self.at < self.bytes.as_ref().len()).then(|| self.record().ok_or(Malformed))
    }

    fn record(&mut self) -> Option<(u8, Record)> {
        let head = self.take(1)?[0];
        let shared = usize::try_from(self.number()?).ok()?;
        let len = usize::try_from(self.number()?).ok()?;
        let rest = std::str::from_utf8(self.take(len)?).ok()?.to_owned();
        if !self.last.is_char_boundary(shared) {
            return None;
        }
        self.last.truncate(shared);
        self.last.push_str(&rest);
        let a = self.print(None)?;
        let b = self.print(a.as_ref())?;
        let record = Record {
            key: self.last.clone(),
            is_dir: head & 1 == 1,
            prints: [a, b],
        };
        Some((head >> 1, record))
    }

    fn print(&mut self, first: Option<&Print>) -> Option<Option<Print>> {
        let flags = self.take(1)?[0];
        if flags & PRESENT == 0 {
            return (flags == 0).then_some(None);
        }
        let mut print = Print::default();
        if flags & AS_FIRST != 0 {
            (print.size, print.modified) = (first?.size, first?.modified);
        }
        if flags & SIZE != 0 {
            print.size = Some(self.number()?);
        }
        if flags & MODIFIED != 0 {
            print.modified = Some(self.time()?);
        }
        if flags & VERSION != 0 {
            print.version = Some(self.token()?);
        }
        if flags & CONTENT != 0 {
            print.content = Some(self.token()?);
        }
        if flags & ETAG != 0 {
            print.etag = Some(self.token()?);
        }
        Some(Some(print))
    }

    fn time(&mut self) -> Option<SystemTime> {
        let before = self.take(1)?[0];
        let whole = Duration::from_secs(self.number()?);
        let nanos = u32::try_from(self.number()?)
            .ok()
            .filter(|nanos| *nanos < 1_000_000_000)?;
        let since = whole.checked_add(Duration::from_nanos(nanos.into()))?;
        match before {
            0 => UNIX_EPOCH.checked_add(since),
            1 => UNIX_EPOCH.checked_sub(since),
            _ => None,
        }
    }

    fn token(&mut self) -> Option<Token> {
        self.take(16)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.as_ref().get(self.at..end)?;
        self.at = end;
        Some(taken)
    }
}

fn put_print(bytes: &mut Vec<u8>, print: Option<&Print>, first: Option<&Print>) {
    let Some(print) = print else {
        return bytes.push(0);
    };
    let as_first = first.is_some_and(|a| (a.size, a.modified) == (print.size, print.modified));
    let own = |flag: u8, set: bool| if set { flag } else { 0 };
    let flags = PRESENT
        | own(AS_FIRST, as_first)
        | own(SIZE, !as_first && print.size.is_some())
        | own(MODIFIED, !as_first && print.modified.is_some())
        | own(VERSION, print.version.is_some())
        | own(CONTENT, print.content.is_some())
        | own(ETAG, print.etag.is_some());
    bytes.push(flags);
    if let Some(size) = print.size.filter(|_| !as_first) {
        put_number(bytes, size);
    }
    if let Some(time) = print.modified.filter(|_| !as_first) {
        put_time(bytes, time);
    }
    let tokens = [print.version, print.content, print.etag];
    for token in tokens.into_iter().flatten() {
        bytes.extend_from_slice(&token);
    }
}

/// Before 1970 or not, then the distance in seconds and nanoseconds.
fn put_time(bytes: &mut Vec<u8>, time: SystemTime) {
    let (before, since) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (0, since),
        Err(error) => (1, error.duration()),
    };
    bytes.push(before);
    put_number(bytes, since.as_secs());
    put_number(bytes, since.subsec_nanos().into());
}

/// Seven bits a byte, the lowest first.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(seconds: i64, version: bool) -> Print {
        let since = Duration::new(seconds.unsigned_abs(), 7);
        Print {
            size: Some(seconds.unsigned_abs()),
            modified: Some(if seconds < 0 {
                UNIX_EPOCH - since
            } else {
                UNIX_EPOCH + since
            }),
            version: version.then_some([7; 16]),
            content: (!version).then_some([9; 16]),
            etag: (seconds < 6).then_some([11; 16]),
        }
    }

    fn records() -> Vec<Record> {
        let record = |key: &str, prints| Record {
            key: key.to_owned(),
            is_dir: key.ends_with("dir"),
            prints,
        };
        vec![
            record("a", [Some(print(5, true)), Some(print(5, false))]),
            record("a/bé", [Some(print(-5, true)), Some(print(1 << 40, true))]),
            record("a/bè", [None, Some(Print::default())]),
            record("a/dir", [Some(Print::default()), Some(Print::default())]),
            record(&"x".repeat(300), [None, None]),
        ]
    }

    #[test]
    fn records_come_back() {
        let mut packer = Packer::default();
        records()
            .iter()
            .zip(0..)
            .for_each(|(record, tag)| packer.push(tag, record));
        let mut unpacker = Unpacker::new(packer.take());
        for (record, tag) in records().into_iter().zip(0..) {
            assert_eq!(unpacker.next(), Some(Ok((tag, record))));
        }
        assert_eq!(unpacker.next(), None);
    }

    #[test]
    fn cut_or_changed_bytes_do_no_harm() {
        let mut packer = Packer::default();
        records().iter().for_each(|record| packer.push(0, record));
        let bytes = packer.take();
        for len in 0..bytes.len() {
            for flip in [0, 1, 0x80, 0xff] {
                let mut bad = bytes[..len].to_vec();
                if let Some(last) = bad.last_mut() {
                    *last ^= flip;
                }
                let mut unpacker = Unpacker::new(bad);
                while let Some(Ok(_)) = unpacker.next() {}
            }
        }
    }
}
