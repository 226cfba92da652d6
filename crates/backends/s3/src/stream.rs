use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::Bytes;
use futures_util::stream;
use storage_core::{ByteStream, Error, ErrorKind, ObjectInfo, ObjectPath, Result, Version};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use crate::attributes::etag_of;
use crate::call::{Progress, backoff, while_moving};
use crate::get::{Tag, not_this_version};
use crate::store::Store;

/// What is read and has to stay the same: an object of one version.
#[derive(Clone)]
struct Object {
    store: Arc<Store>,
    path: ObjectPath,
    version: Option<Version>,
    tag: Tag,
}

/// Bytes of one range, complete, and the room that they take of the budget.
struct Ahead(Vec<Bytes>, Option<OwnedSemaphorePermit>);

/// A range being read ahead; dropped, it ends.
struct Fetch(JoinHandle<Result<Ahead>>);

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A body is judged by so many bytes at a time.
const SAMPLE: u64 = 1 << 20;

/// Bytes a second from which on one connection is enough: another one would cost more than it brings.
const FAST: f64 = 200e6;

/// How fast an open body comes, apart from the time that its reader takes.
#[derive(Default)]
struct Pace {
    bytes: u64,
    waited: Duration,
}

impl Pace {
    /// Adds a chunk; true once a sample is full and was slow.
    fn is_slow(&mut self, bytes: usize, waited: Duration) -> bool {
        self.bytes += bytes as u64;
        self.waited += waited;
        if self.bytes < SAMPLE {
            return false;
        }
        let Self { bytes, waited } = std::mem::take(self);
        (bytes as f64) < FAST * waited.as_secs_f64()
    }
}

/// The bytes of a range of one object in order: those of a body that is open and, where that is slow,
/// of ranges that are read ahead beside it as far as the budget has room.
pub(crate) struct Source {
    object: Object,
    /// The body that is open, and where in the object its use ends.
    body: Option<(Body, u64)>,
    ahead: VecDeque<Fetch>,
    ready: VecDeque<Bytes>,
    room: Option<OwnedSemaphorePermit>,
    /// Where the next byte comes from.
    position: u64,
    /// Where the next range to read ahead starts.
    next: u64,
    end: u64,
    failures: u32,
    pace: Pace,
}

impl Source {
    /// Reads `range`, whose `body` has just been opened.
    pub(crate) fn new(store: Arc<Store>, info: &ObjectInfo, range: Range<u64>, body: Body) -> Self {
        let tag = info.version.as_ref().and_then(etag_of);
        Self {
            object: Object {
                store,
                path: info.path.clone(),
                version: info.version.clone(),
                tag: tag.map_or(Tag::Any, Tag::Same),
            },
            body: Some((body, range.end)),
            ahead: VecDeque::new(),
            ready: VecDeque::new(),
            room: None,
            position: range.start,
            next: range.end,
            end: range.end,
            failures: 0,
            pace: Pace::default(),
        }
    }

    pub(crate) fn stream(self) -> ByteStream {
        Box::pin(stream::unfold(Some(Box::new(self)), |source| async {
            let mut source = source?;
            match source.chunk().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(source))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                self.position += chunk.len() as u64;
                return Ok(Some(chunk));
            }
            self.room = None;
            if self.position >= self.end {
                return Ok(None);
            }
            self.read_ahead();
            if self.body.is_some() {
                if let Some(chunk) = self.body_chunk().await? {
                    return Ok(Some(chunk));
                }
            } else if let Some(fetch) = self.ahead.front_mut() {
                let joined = (&mut fetch.0).await;
                self.ahead.pop_front();
                let lost = |_| Error::new(ErrorKind::Other, "a range's task ended");
                let Ahead(chunks, room) = joined.map_err(lost)??;
                (self.ready, self.room) = (chunks.into(), room);
            } else {
                let until = self
                    .end
                    .min(self.position + self.object.store.settings.part_size);
                self.body = Some((self.object.body(self.position..until).await?, until));
                self.next = self.next.max(until);
            }
        }
    }

    /// Ends the use of the open body soon, and reads the rest beside it.
    fn share(&mut self) {
        let window = self.object.store.settings.part_size;
        // A body that is nearly at its end is read to it.
        if let Some((_, until)) = &mut self.body
            && *until == self.end
            && self.end - self.position > window * 2
        {
            *until = self.position + window;
            self.next = *until;
        }
    }

    /// Starts the ranges that there is room for.
    fn read_ahead(&mut self) {
        let settings = &self.object.store.settings;
        while self.next < self.end && self.ahead.len() + 1 < settings.concurrency {
            let until = self.end.min(self.next + settings.part_size);
            let Some(room) = self.object.store.budget.try_take(until - self.next) else {
                return;
            };
            let (object, range) = (self.object.clone(), self.next..until);
            let fetch = async move { Ok(Ahead(object.all(range).await?, Some(room))) };
            self.ahead.push_back(Fetch(tokio::spawn(fetch)));
            self.next = until;
        }
    }

    /// The next chunk of the open body; none at its end, or after it broke and was opened again.
    async fn body_chunk(&mut self) -> Result<Option<Bytes>> {
        let Some((body, until)) = &mut self.body else {
            return Ok(None);
        };
        let until = *until;
        let asked = Instant::now();
        match next(body, &self.object.store).await {
            Ok(Some(mut chunk)) => {
                self.failures = 0;
                let slow = self.pace.is_slow(chunk.len(), asked.elapsed());
                let left = until.saturating_sub(self.position);
                // Less than the chunk's length where it cuts.
                chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len()));
                self.position += chunk.len() as u64;
                if self.position >= until {
                    self.body = None;
                } else if slow {
                    self.share();
                }
                return Ok((!chunk.is_empty()).then_some(chunk));
            }
            Ok(None) if self.position >= until => self.body = None,
            broken => {
                self.failures += 1;
                self.object.give_up(self.failures, broken.err()).await?;
                let rest = self.position..until;
                self.body = Some((self.object.body(rest).await?, until));
            }
        }
        Ok(None)
    }
}

/// The next chunk of a body, or an error for one that breaks or stands still.
async fn next(body: &mut Body, store: &Store) -> Result<Option<Bytes>> {
    let timeout = store.patience.timeout;
    match while_moving(timeout, &Progress::default(), body.next()).await {
        None => Err(Error::new(ErrorKind::Timeout, "the body made no progress")),
        Some(None) => Ok(None),
        Some(Some(Ok(chunk))) => Ok(Some(chunk)),
        Some(Some(Err(error))) => Err(Error::new(
            ErrorKind::Network,
            format!("the body broke: {error}"),
        )),
    }
}

impl Object {
    /// Waits before the next try, or fails after the last one.
    async fn give_up(&self, failures: u32, error: Option<Error>) -> Result<()> {
        if failures >= self.store.patience.max_attempts {
            let short = || Error::new(ErrorKind::Network, "the body ended early");
            return Err(error.unwrap_or_else(short));
        }
        tracing::debug!(path = self.path.as_str(), failures, "resuming a read");
        tokio::time::sleep(backoff(failures)).await;
        Ok(())
    }

    /// Opens a range of the same version.
    async fn body(&self, range: Range<u64>) -> Result<Body> {
        let header = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let got = match self.store.get(&self.path, Some(header), &self.tag).await {
            Ok(got) => got,
            Err(failure) if failure.status == 412 || failure.is_missing() => {
                return Err(self.changed(None));
            }
            Err(failure) => return Err(failure.into()),
        };
        if got.info.version != self.version {
            return Err(self.changed(got.info.version));
        }
        if got.range != range {
            let message = "the store gave another range than was asked for";
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        Ok(got.body)
    }

    fn changed(&self, actual: Option<Version>) -> Error {
        match &self.version {
            Some(expected) => not_this_version(expected, actual),
            None => Error::new(
                ErrorKind::PreconditionFailed,
                "the object changed while it was read",
            ),
        }
    }

    /// All bytes of a range, resumed where its body breaks.
    async fn all(&self, range: Range<u64>) -> Result<Vec<Bytes>> {
        let (mut chunks, mut position, mut failures) = (Vec::new(), range.start, 0);
        let mut body = self.body(range.clone()).await?;
        loop {
            match next(&mut body, &self.store).await {
                Ok(Some(chunk)) => {
                    position += chunk.len() as u64;
                    failures = 0;
                    chunks.push(chunk);
                }
                Ok(None) if position >= range.end => return Ok(chunks),
                broken => {
                    failures += 1;
                    self.give_up(failures, broken.err()).await?;
                    body = self.body(position..range.end).await?;
                }
            }
        }
    }
}
