use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use storage_core::{ByteStream, Reader, Result};

use super::format::{FileKey, HEADER, Headers, SEALED, SEGMENT, corrupt};

/// The segments that hold some plain bytes.
pub(super) const fn segments_of(range: &Range<u64>) -> Range<u64> {
    let first = range.start / SEGMENT as u64;
    let end = range.end.div_ceil(SEGMENT as u64);
    // An object without bytes has one segment.
    let end = if end > first { end } else { first + 1 };
    first..end
}

/// Which part of an object a reader below gives, and which plain bytes of it are wanted.
pub(super) struct Plan {
    /// Plain bytes wanted.
    pub(super) wanted: Range<u64>,
    /// Plain bytes of the whole object.
    pub(super) size: u64,
}

/// Takes the header off a reader of a whole object.
pub(super) async fn header(reader: &mut Reader, headers: &Headers) -> Result<(FileKey, BytesMut)> {
    let mut buffer = BytesMut::new();
    while buffer.len() < HEADER {
        match reader.chunk().await {
            Some(chunk) => buffer.extend_from_slice(&chunk?),
            None => break,
        }
    }
    let key = headers.open(&buffer)?;
    let rest = buffer.split_off(HEADER);
    Ok((key, rest))
}

/// The plain bytes wanted, of a reader that gives the segments that hold them, of which `buffer` has
/// the first bytes.
pub(super) fn plain_stream(
    inner: Reader,
    key: FileKey,
    buffer: BytesMut,
    plan: &Plan,
) -> ByteStream {
    let segments = segments_of(&plan.wanted);
    let count = segments_of(&(0..plan.size)).end;
    let begin = segments.start * SEGMENT as u64;
    let state = Opening {
        inner,
        key,
        buffer,
        next: segments.start,
        end: segments.end,
        count,
        skip: (plan.wanted.start - begin) as usize,
        left: plan.wanted.end - plan.wanted.start,
        failed: false,
    };
    Box::pin(stream::unfold(state, Opening::chunk))
}

struct Opening {
    inner: Reader,
    key: FileKey,
    buffer: BytesMut,
    /// The next segment, and where to stop.
    next: u64,
    end: u64,
    /// Segments of the object.
    count: u64,
    /// Plain bytes before the first wanted one.
    skip: usize,
    /// Plain bytes still wanted.
    left: u64,
    failed: bool,
}

impl Opening {
    async fn chunk(mut self) -> Option<(Result<Bytes>, Self)> {
        while self.next < self.end && !self.failed {
            match self.segment().await {
                // The empty segment of an empty object.
                Ok(plain) if plain.is_empty() => {}
                Ok(plain) => return Some((Ok(plain), self)),
                Err(error) => {
                    self.failed = true;
                    return Some((Err(error), self));
                }
            }
        }
        None
    }

    /// Reads and decrypts one segment.
    async fn segment(&mut self) -> Result<Bytes> {
        let last = self.next + 1 == self.count;
        while self.buffer.len() < SEALED {
            match self.inner.chunk().await {
                Some(chunk) => self.buffer.extend_from_slice(&chunk?),
                None => break,
            }
        }
        let mut sealed = self.buffer.split_to(self.buffer.len().min(SEALED));
        let plain = self.key.open(self.next, last, &mut sealed)?;
        if !last && plain != SEGMENT {
            return Err(corrupt("a segment is too short"));
        }
        sealed.truncate(plain);
        let mut plain = sealed.freeze();
        let _before = plain.split_to(std::mem::take(&mut self.skip).min(plain.len()));
        plain.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= plain.len() as u64;
        self.next += 1;
        Ok(plain)
    }
}

/// Decrypts segments in memory, of which the first is number `first`. `end` is whether the last of
/// them is the end of the object; `None` where that is not known and either will do.
pub(super) fn open_segments(
    key: &FileKey,
    bytes: &[u8],
    first: u64,
    end: Option<bool>,
) -> Result<BytesMut> {
    let mut plain = BytesMut::with_capacity(bytes.len());
    let count = bytes.len().div_ceil(SEALED);
    for (at, segment) in bytes.chunks(SEALED).enumerate() {
        let (index, is_last) = (first + at as u64, at + 1 == count);
        let start = plain.len();
        plain.extend_from_slice(segment);
        let opened = match end {
            Some(end) => key.open(index, is_last && end, &mut plain[start..])?,
            None => match key.open(index, false, &mut plain[start..]) {
                Err(_) if is_last => {
                    plain.truncate(start);
                    plain.extend_from_slice(segment);
                    key.open(index, true, &mut plain[start..])?
                }
                opened => opened?,
            },
        };
        plain.truncate(start + opened);
    }
    Ok(plain)
}
