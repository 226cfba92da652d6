use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use storage_core::{ByteStream, Reader, Result};

use super::format::{FileKey, HEADER, Headers, SEALED, SEGMENT, corrupt};

/// Segments that are decrypted without a pause: a MiB.
const PAUSE: u64 = (1 << 20) / SEGMENT as u64;

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

/// Takes the header off a reader of a whole object, and gives what came with it.
pub(super) async fn header(reader: &mut Reader, headers: &Headers) -> Result<(FileKey, Bytes)> {
    let (mut buffer, mut chunk) = (BytesMut::new(), Bytes::new());
    fill(&mut buffer, HEADER, &mut chunk, reader).await?;
    Ok((headers.open(&buffer)?, chunk))
}

/// Takes bytes off `chunk`, and off those that follow it, until `buffer` has `wanted` or none are left.
async fn fill(
    buffer: &mut BytesMut,
    wanted: usize,
    chunk: &mut Bytes,
    reader: &mut Reader,
) -> Result<()> {
    buffer.reserve(wanted.saturating_sub(buffer.len()));
    while buffer.len() < wanted {
        if chunk.is_empty() {
            match reader.chunk().await {
                Some(next) => *chunk = next?,
                None => break,
            }
        }
        let missing = chunk.len().min(wanted - buffer.len());
        buffer.extend_from_slice(&chunk.split_to(missing));
    }
    Ok(())
}

/// The plain bytes wanted, of a reader that gives the segments that hold them, of which `chunk` has
/// the first bytes.
pub(super) fn plain_stream(inner: Reader, key: FileKey, chunk: Bytes, plan: &Plan) -> ByteStream {
    let segments = segments_of(&plan.wanted);
    let count = segments_of(&(0..plan.size)).end;
    let begin = segments.start * SEGMENT as u64;
    let state = Opening {
        inner,
        key,
        chunk,
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
    /// What the reader gave and no segment has yet.
    chunk: Bytes,
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
        let mut sealed = BytesMut::new();
        fill(&mut sealed, SEALED, &mut self.chunk, &mut self.inner).await?;
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
        if self.next.is_multiple_of(PAUSE) {
            // Others get their turn where all the bytes are in memory.
            tokio::task::yield_now().await;
        }
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
