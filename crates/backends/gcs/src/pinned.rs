//! The content of one generation, in as many requests as it takes.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use google_cloud_storage::model_ext::{ObjectHighlights, ReadRange};
use google_cloud_storage::read_object::ReadObjectResponse;
use storage_core::{ByteStream, Error, ErrorKind, Result};
use tokio::time::{sleep, timeout};

use crate::attempt::delay;
use crate::budget::Lease;
use crate::client::{Client, Shared};
use crate::failure::{Failure, Reason};
use crate::info::version;

/// An answered request for the content of an object: the body, and what came with it.
pub(crate) struct Opened {
    pub(crate) body: ReadObjectResponse,
    pub(crate) object: ObjectHighlights,
}

pub(crate) async fn open(
    client: &Client,
    name: &str,
    range: ReadRange,
    generation: Option<i64>,
) -> Result<Opened, Failure> {
    let answered = client.attempts(0).run("read", || {
        let request = client
            .storage
            .read_object(&client.bucket, name)
            .set_read_range(range.clone())
            .with_user_agent(Client::user_agent())
            .set_generation(generation.unwrap_or(0));
        match &client.settings.quota_project {
            Some(project) => request.with_quota_project(project),
            None => request,
        }
        .send()
    });
    let body = answered.await.result?;
    let object = body.object();
    Ok(Opened { body, object })
}

/// One generation of an object.
#[derive(Debug, Clone)]
pub(crate) struct Pinned {
    pub(crate) client: Shared,
    pub(crate) name: String,
    pub(crate) generation: i64,
}

impl Pinned {
    /// The bytes of `range`, of which `body` is the start; in parallel where there is more than a part
    /// of it and room to hold what comes early.
    pub(crate) fn stream(self, range: Range<u64>, body: Option<ReadObjectResponse>) -> ByteStream {
        let part = self.client.settings.part_size;
        let first_end = range.end.min(range.start.saturating_add(part));
        let parts = (range.end - first_end).div_ceil(part);
        let parts = usize::try_from(parts).unwrap_or(usize::MAX);
        let most = self.client.settings.concurrency.min(parts);
        let mut lease = self.client.budget.clone().lease();
        let bytes = |count: usize| {
            usize::try_from(part)
                .unwrap_or(usize::MAX)
                .saturating_mul(count)
        };
        let wide = (2..=most).rev().find(|count| lease.grow_to(bytes(*count)));
        let Some(wide) = wide else {
            return self.sequence(range, body);
        };
        let head = self.clone().sequence(range.start..first_end, body);
        let starts = (0..parts as u64).map(move |index| first_end + index * part);
        let end = range.end;
        let rest = stream::iter(starts)
            .map(move |start| self.clone().gather(start..end.min(start + part)))
            .buffered(wide)
            .map_ok(|chunks| stream::iter(chunks.into_iter().map(Ok)))
            .try_flatten();
        Box::pin(Leased {
            stream: Box::pin(head.chain(rest)),
            _lease: lease,
        })
    }

    /// All chunks of a part.
    async fn gather(self, range: Range<u64>) -> Result<Vec<Bytes>> {
        self.sequence(range, None).try_collect().await
    }

    /// The bytes of `range` in one request, and in others where it breaks.
    pub(crate) fn sequence(
        self,
        range: Range<u64>,
        body: Option<ReadObjectResponse>,
    ) -> ByteStream {
        let progress = Progress {
            pinned: self,
            range,
            body,
            came: 0,
            failures: 0,
        };
        Box::pin(stream::try_unfold(progress, |mut progress| async move {
            let chunk = progress.next().await?;
            Ok(chunk.map(|chunk| (chunk, progress)))
        }))
    }

    async fn open(&self, range: &Range<u64>) -> Result<ReadObjectResponse> {
        let read = ReadRange::segment(range.start, range.end - range.start);
        let opened = open(&self.client, &self.name, read, Some(self.generation)).await;
        opened
            .map(|opened| opened.body)
            .map_err(|failure| match failure.reason {
                Reason::Missing | Reason::Condition | Reason::Range => self.replaced(),
                _ => failure.into(),
            })
    }

    fn replaced(&self) -> Error {
        Error::precondition_failed(Some(version(self.generation)), None)
    }
}

/// A read that is under way.
struct Progress {
    pinned: Pinned,
    /// What is still to come.
    range: Range<u64>,
    body: Option<ReadObjectResponse>,
    /// How many bytes of the body came.
    came: u64,
    /// How often the connection broke since the last byte.
    failures: u32,
}

impl Progress {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.range.is_empty() {
            let mut body = match self.body.take() {
                Some(body) => body,
                None => {
                    self.came = 0;
                    self.pinned.open(&self.range).await?
                }
            };
            let idle = self.pinned.client.settings.timeout;
            match timeout(idle, body.next()).await {
                Ok(Some(Ok(chunk))) => {
                    self.body = Some(body);
                    return Ok(Some(self.took(chunk)));
                }
                // The request was for less than the range.
                Ok(None) if self.came > 0 => {}
                Ok(None) => {
                    let error = Error::new(ErrorKind::Network, "there is no content");
                    self.failed(error).await?;
                }
                Ok(Some(Err(error))) => self.failed(Failure::from(error).error).await?,
                Err(_) => {
                    let failure = Failure::timeout("the content stopped coming");
                    self.failed(failure.error).await?;
                }
            }
        }
        Ok(None)
    }

    fn took(&mut self, mut chunk: Bytes) -> Bytes {
        let wanted = self.range.end - self.range.start;
        chunk.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        self.range.start += chunk.len() as u64;
        self.came += chunk.len() as u64;
        self.failures = 0;
        chunk
    }

    /// Waits before the next request, unless there were too many.
    async fn failed(&mut self, error: Error) -> Result<()> {
        self.failures += 1;
        if !error.is_transient() || self.failures >= self.pinned.client.settings.max_attempts {
            return Err(error);
        }
        if self.failures > 1 {
            sleep(delay(self.failures)).await;
        }
        tracing::debug!(name = self.pinned.name, at = self.range.start, %error, "resuming a read");
        Ok(())
    }
}

/// A stream that holds a lease.
struct Leased {
    stream: ByteStream,
    _lease: Lease,
}

impl Stream for Leased {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(cx)
    }
}
