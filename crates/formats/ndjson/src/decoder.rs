use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::Error;
use crate::newlines::Newlines;

/// Finds the records in chunks of bytes, without input and output of its own.
///
/// A record that lies inside one chunk is a slice of it, and keeps the chunk in memory; one that
/// crosses chunks is put together.
///
/// ```
/// use storage_ndjson::Options;
///
/// let mut decoder = Options::default().decoder();
/// decoder.push("1\n2\r\n\n{}".into());
/// assert_eq!(decoder.next_record()?.as_deref(), Some(&b"1"[..]));
/// assert_eq!(decoder.next_slice()?, Some(&b"2"[..]));
/// assert_eq!(decoder.next_slice()?, None); // more input is needed
/// decoder.end();
/// assert_eq!(decoder.next_slice()?, Some(&b"{}"[..]));
/// # Ok::<(), storage_ndjson::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Decoder {
    chunk: Bytes,
    newlines: Newlines,
    /// Where in `chunk` the next line goes on.
    at: usize,
    /// Offset in the stream of the first byte of `chunk`.
    base: u64,
    /// The beginning of a line whose end has not arrived.
    carry: BytesMut,
    /// A record that crossed chunks, kept while a slice of it is lent.
    joined: Bytes,
    /// Lines ended so far.
    lines: u64,
    skipping: bool,
    ended: bool,
    max_record: usize,
    validate: bool,
}

/// Where a record lies.
enum Found {
    /// In the chunk.
    Chunk(usize, usize),
    /// In `joined`, and where in the stream.
    Joined(u64),
}

impl Decoder {
    pub(crate) fn new(max_record: usize, validate: bool) -> Self {
        Self {
            chunk: Bytes::new(),
            newlines: Newlines::default(),
            at: 0,
            base: 0,
            carry: BytesMut::new(),
            joined: Bytes::new(),
            lines: 0,
            skipping: false,
            ended: false,
            max_record,
            validate,
        }
    }

    /// Adds the next bytes of the stream. Cheapest once all records of the last chunk were taken:
    /// what is left of that is copied together with the new one. Nothing is taken after the
    /// [`end`](Self::end).
    pub fn push(&mut self, chunk: Bytes) {
        if self.ended {
            return;
        }
        let left = &self.chunk[self.at..];
        self.base += self.at as u64;
        if left.is_empty() {
            self.chunk = chunk;
        } else {
            self.chunk = [left, &chunk].concat().into();
        }
        self.at = 0;
        self.newlines.restart();
    }

    /// Says that no more bytes come, so that an unterminated last line is a record. `true` for the
    /// first call.
    pub fn end(&mut self) -> bool {
        !std::mem::replace(&mut self.ended, true)
    }

    /// The next record, `None` when more bytes are needed or, after the end, when there is none.
    /// Neither copies nor allocates for a record inside one chunk.
    ///
    /// # Errors
    /// [`Error::LineTooLong`] and [`Error::InvalidJson`], both `Corrupt`. The next call goes on with
    /// the next line.
    pub fn next_record(&mut self) -> Result<Option<Bytes>, Error> {
        Ok(match self.find()? {
            Some(Found::Chunk(start, end)) => Some(self.chunk.slice(start..end)),
            Some(Found::Joined(_)) => Some(std::mem::take(&mut self.joined)),
            None => None,
        })
    }

    /// As [`next_record`](Self::next_record), lent instead of shared: without even counting a
    /// reference.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record).
    #[inline]
    pub fn next_slice(&mut self) -> Result<Option<&[u8]>, Error> {
        Ok(match self.find()? {
            Some(Found::Chunk(start, end)) => Some(&self.chunk[start..end]),
            Some(Found::Joined(_)) => Some(&self.joined),
            None => None,
        })
    }

    /// The next record, parsed; it may borrow from the decoder.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record), and [`Error::InvalidJson`] where the record is no `T`.
    pub fn next_json<'a, T: Deserialize<'a>>(&'a mut self) -> Result<Option<T>, Error> {
        let (record, offset) = match self.find()? {
            Some(Found::Chunk(start, end)) => (&self.chunk[start..end], self.base + start as u64),
            Some(Found::Joined(offset)) => (&self.joined[..], offset),
            None => return Ok(None),
        };
        match serde_json::from_slice(record) {
            Ok(value) => Ok(Some(value)),
            Err(source) => Err(self.invalid(source, offset)),
        }
    }

    /// The number of the line that the last record or error came from, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        // A line that is being skipped has not ended.
        self.lines + self.skipping as u64
    }

    /// The offset in the stream of the first byte that was not looked at.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Forgets everything that was pushed.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.max_record, self.validate);
    }

    #[inline]
    fn find(&mut self) -> Result<Option<Found>, Error> {
        loop {
            let Some(newline) = self.newlines.find(&self.chunk) else {
                return self.find_unterminated();
            };
            let start = std::mem::replace(&mut self.at, newline + 1);
            self.lines += 1;
            if self.skipping || !self.carry.is_empty() {
                if let Some(found) = self.find_joined(start, newline)? {
                    return Ok(Some(found));
                }
                continue;
            }
            let length = newline - start;
            let end = start + content(&self.chunk[start..newline]);
            // As long as it is, less a carriage return: also a blank line must keep to the limit.
            if length > self.max_record || self.validate {
                self.check(start, end, length)?;
            }
            if end > start {
                return Ok(Some(Found::Chunk(start, end)));
            }
        }
    }

    /// Checks the line of `length` bytes at `start` of the chunk, whose record ends at `end`.
    #[cold]
    fn check(&self, start: usize, end: usize, length: usize) -> Result<(), Error> {
        let offset = self.base + start as u64;
        if self.exceeds(&self.chunk[start..start + length]) {
            return Err(self.too_long(offset));
        }
        self.check_json(&self.chunk[start..end], offset)
    }

    /// The line that ends at `end` of the chunk and began before `start`.
    #[cold]
    fn find_joined(&mut self, start: usize, end: usize) -> Result<Option<Found>, Error> {
        let offset = self.base + start as u64 - self.carry.len() as u64;
        // A line that is skipped has been reported already.
        if std::mem::take(&mut self.skipping) {
            return Ok(None);
        }
        if self.exceeds(&self.chunk[start..end]) {
            self.carry = BytesMut::new();
            return Err(self.too_long(offset));
        }
        self.carry.extend_from_slice(&self.chunk[start..end]);
        let line = self.carry.split().freeze();
        self.joined = line.slice(..content(&line));
        if self.joined.is_empty() {
            return Ok(None);
        }
        self.check_json(&self.joined, offset)?;
        Ok(Some(Found::Joined(offset)))
    }

    /// No newline is left in the chunk: keeps the rest for later, or takes it as the last line.
    #[cold]
    fn find_unterminated(&mut self) -> Result<Option<Found>, Error> {
        let (start, end) = (self.at, self.chunk.len());
        if self.ended {
            let empty = start == end && self.carry.is_empty();
            if empty && !self.skipping {
                return Ok(None);
            }
            self.at = end;
            self.lines += 1;
            return self.find_joined(start, end);
        }
        self.at = end;
        if self.skipping {
            return Ok(None);
        }
        if self.exceeds(&self.chunk[start..end]) {
            let offset = self.base + start as u64 - self.carry.len() as u64;
            self.carry = BytesMut::new();
            self.skipping = true;
            return Err(self.too_long(offset));
        }
        self.carry.extend_from_slice(&self.chunk[start..end]);
        Ok(None)
    }

    /// Whether the line that goes on with `tail` has too many bytes, whatever follows.
    fn exceeds(&self, tail: &[u8]) -> bool {
        let last = tail.last().or(self.carry.last());
        let ending = usize::from(last == Some(&b'\r'));
        self.carry.len() + tail.len() - ending > self.max_record
    }

    fn check_json(&self, record: &[u8], offset: u64) -> Result<(), Error> {
        if self.validate && !record.is_empty() {
            validate(record).map_err(|source| self.invalid(source, offset))?;
        }
        Ok(())
    }

    const fn too_long(&self, offset: u64) -> Error {
        Error::LineTooLong {
            line: self.line(),
            offset,
            max: self.max_record,
        }
    }

    const fn invalid(&self, source: serde_json::Error, offset: u64) -> Error {
        Error::InvalidJson {
            line: self.line(),
            offset,
            source,
        }
    }
}

/// How much of a line is its record: without the carriage return, nothing if it is blank.
#[inline]
pub(crate) fn content(line: &[u8]) -> usize {
    match line {
        [] => 0,
        [..=b' ', ..] if is_blank(line) => 0,
        [.., b'\r'] => line.len() - 1,
        _ => line.len(),
    }
}

#[cold]
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Whether `record` is one JSON text in UTF-8.
pub(crate) fn validate(record: &[u8]) -> Result<(), serde_json::Error> {
    // Skipping values alone would not look at the bytes of strings.
    match std::str::from_utf8(record) {
        Ok(text) => serde_json::from_str::<IgnoredAny>(text).map(drop),
        Err(error) => Err(serde::de::Error::custom(error)),
    }
}
