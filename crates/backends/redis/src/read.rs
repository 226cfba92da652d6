//! Reading one object as it was when it was opened.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use storage_core::{
    ByteRange, ByteStream, Error, ErrorKind, ObjectPath, Payload, ReadOptions, Reader, Result,
};
use storage_hash::verified;
use tokio_util::task::AbortOnDropHandle;

use crate::failure::damaged;
use crate::header::{Content, Header, Segment, bytes_of};
use crate::keys::{CHUNK, GROUP, PER_GROUP};
use crate::link::{Effect, Request};
use crate::store::{Store, array};

/// Bytes that one request reads: 16 chunks.
const SPAN: u64 = 16 * CHUNK;

/// Most hashes of chunks that a running read keeps from expiring: 8 GiB.
const KEPT: u64 = 1024;

/// One object as a read found it.
pub(crate) struct Opened {
    pub(crate) header: Header,
    pub(crate) path: ObjectPath,
    content: Content,
    range: Range<u64>,
    verify: bool,
    store: Arc<Store>,
}

impl Opened {
    pub(crate) async fn find(
        store: &Arc<Store>,
        path: &ObjectPath,
        options: ReadOptions,
    ) -> Result<Self> {
        let (header, content) = store.open(path).await?;
        let parts = options.into_parts();
        let hashes = &header.attributes.hashes;
        let (range, verify) = parts.judge(&header.version, header.size, hashes)?;
        Ok(Self {
            header,
            path: path.clone(),
            content,
            range,
            verify,
            store: Arc::clone(store),
        })
    }

    pub(crate) fn into_reader(self) -> Result<Reader> {
        let info = self.header.info(self.path.clone());
        let range = self.range.clone();
        let stream = match (&self.content, self.verify) {
            (Content::Inline(bytes), false) => {
                return Ok(Reader::from_bytes(
                    info,
                    range.clone(),
                    slice(bytes, &range)?,
                ));
            }
            (Content::Inline(bytes), true) => Payload::from(slice(bytes, &range)?).stream(),
            (Content::Segments(segments), _) => self.stream(segments, range.clone()),
        };
        if !self.verify {
            return Ok(Reader::from_stream(info, range, stream));
        }
        let stream = verified(stream, self.header.attributes.hashes.clone())?;
        Ok(Reader::from_stream(info, range, stream))
    }

    /// Another range of the same object.
    pub(crate) async fn range(&self, range: &Range<u64>) -> Result<Bytes> {
        let range = ByteRange::from(range.clone()).resolve(self.header.size)?;
        let segments = match &self.content {
            Content::Inline(bytes) => return slice(bytes, &range),
            Content::Segments(segments) => segments,
        };
        let info = self.header.info(self.path.clone());
        let stream = self.stream(segments, range.clone());
        Reader::from_stream(info, range, stream).bytes().await
    }

    /// Some requests ahead of their use.
    fn stream(&self, segments: &Arc<[Segment]>, range: Range<u64>) -> ByteStream {
        let spans = Spans {
            segments: Arc::clone(segments),
            rest: range,
        };
        let read = Arc::new(Read {
            store: Arc::clone(&self.store),
            path: self.path.clone(),
            header: self.header.clone(),
            segments: Arc::clone(segments),
            kept: Mutex::new(Instant::now()),
        });
        let ahead = self.store.settings.concurrency;
        let fetched = stream::iter(spans).map(move |span| {
            let read = Arc::clone(&read);
            // A task, so that what a reader has asked for ends without it: others wait for its room.
            let task = AbortOnDropHandle::new(tokio::spawn(async move { read.fetch(span).await }));
            async move {
                let ended =
                    |error| Error::new(ErrorKind::Other, "a read did not end").with_source(error);
                task.await.map_err(ended)?
            }
        });
        Box::pin(
            fetched
                .buffered(ahead)
                .map_ok(|chunks| stream::iter(chunks.into_iter().map(Ok)))
                .try_flatten(),
        )
    }
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Result<Bytes> {
    match bytes.get(range.start as usize..range.end as usize) {
        Some(part) => Ok(bytes.slice_ref(part)),
        None => Err(damaged("the object is shorter than its size")),
    }
}

/// What one request reads: bytes of one segment, in one hash of chunks.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    segment: usize,
    /// Within the segment.
    bytes: Range<u64>,
}

/// Cuts a range into spans.
struct Spans {
    segments: Arc<[Segment]>,
    rest: Range<u64>,
}

impl Iterator for Spans {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        if self.rest.is_empty() {
            return None;
        }
        let at = self.rest.start;
        let segment = self
            .segments
            .partition_point(|segment| segment.range.end <= at);
        let range = &self.segments.get(segment)?.range;
        let start = at.checked_sub(range.start)?;
        let end = (self.rest.end.min(range.end) - range.start).min(start - start % SPAN + SPAN);
        self.rest.start = range.start + end;
        let bytes = start..end;
        Some(Span { segment, bytes })
    }
}

/// A read under way.
struct Read {
    store: Arc<Store>,
    path: ObjectPath,
    header: Header,
    segments: Arc<[Segment]>,
    /// When the chunks still to come were last kept from expiring.
    kept: Mutex<Instant>,
}

impl Read {
    async fn fetch(&self, span: Span) -> Result<Vec<Bytes>> {
        let segment = self.segments.get(span.segment);
        let segment = segment.ok_or_else(|| damaged("a segment is missing"))?;
        let chunks = span.bytes.start / CHUNK..span.bytes.end.div_ceil(CHUNK);
        let key = self
            .store
            .keys
            .group(&segment.blob, span.bytes.start / GROUP);
        let keep = self.is_keeping_due();
        let build = |request: &mut Request<'_>| {
            let command = request.commands.cmd("HMGET").arg(&key);
            for chunk in chunks.clone() {
                command.arg(chunk % PER_GROUP);
            }
            if keep {
                self.keep(&span, request);
            }
        };
        let room = self.store.room(span.bytes.end - span.bytes.start).await?;
        let replies = self.store.link.request(Effect::None, build).await?;
        drop(room);
        let mut parts = Vec::new();
        for (chunk, value) in chunks.zip(array(replies.into_iter().next())?) {
            let start = span.bytes.start.max(chunk * CHUNK) - chunk * CHUNK;
            let end = span.bytes.end.min((chunk + 1) * CHUNK) - chunk * CHUNK;
            let bytes = bytes_of(value)?;
            // A chunk may have grown by an append since.
            match bytes.get(start as usize..end as usize) {
                Some(part) => parts.push(bytes.slice_ref(part)),
                None => return Err(self.missing().await),
            }
        }
        Ok(parts)
    }

    fn is_keeping_due(&self) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = kept.elapsed() >= self.store.settings.grace / 3;
        if due {
            *kept = Instant::now();
        }
        due
    }

    /// Keeps what is still to be read, if it is to expire, for another while.
    fn keep(&self, from: &Span, request: &mut Request<'_>) {
        let grace = self.store.settings.grace.as_millis() as u64;
        let rest = self.segments.iter().skip(from.segment).enumerate();
        let keys = rest.flat_map(|(nth, segment)| {
            let first = if nth == 0 {
                from.bytes.start / GROUP
            } else {
                0
            };
            let end = (segment.range.end - segment.range.start).div_ceil(GROUP);
            (first..end).map(|number| self.store.keys.group(&segment.blob, number))
        });
        for key in keys.take(KEPT as usize) {
            let command = request.commands.cmd("PEXPIRE").arg(key);
            command.arg(grace).arg("GT");
        }
    }

    /// Why a chunk is not there.
    async fn missing(&self) -> Error {
        match self.store.stat(&self.path).await {
            Ok(found) if found.version == self.header.version => damaged("a chunk is missing"),
            Err(error) if !error.is_not_found() => error,
            Ok(_) | Err(_) => {
                let seconds = self.store.settings.grace.as_secs_f32();
                let message = format!(
                    "the object was replaced, deleted or expired, and what was left to read was not \
                     read within {seconds} s"
                );
                Error::new(ErrorKind::Other, message).with_transient(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_a_range_and_cross_no_hash() {
        let segment = |blob: &str, range| Segment {
            blob: blob.to_owned(),
            range,
        };
        let segments: Arc<[Segment]> = [
            segment("a", 0..GROUP + 5),
            segment("b", GROUP + 5..GROUP + 6),
            segment("c", GROUP + 6..3 * GROUP),
        ]
        .into();
        for rest in [0..3 * GROUP, 1..2, GROUP - 1..GROUP + 7, 7..7] {
            let spans = Spans {
                segments: Arc::clone(&segments),
                rest: rest.clone(),
            };
            let mut at = rest.start;
            for span in spans {
                let base = segments[span.segment].range.start;
                assert_eq!(base + span.bytes.start, at);
                assert!(span.bytes.end - span.bytes.start <= SPAN);
                let last = span.bytes.end - 1;
                assert_eq!(span.bytes.start / GROUP, last / GROUP);
                at = base + span.bytes.end;
            }
            assert_eq!(at, rest.end);
        }
    }
}
