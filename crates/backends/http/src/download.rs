use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::stream::{Stream, unfold};
use http::header::{IF_MATCH, RANGE};
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use storage_core::{Error, ErrorKind, ObjectPath, Operation, Result};
use tokio::time::timeout;

use crate::address::shown;
use crate::backend::NAME;
use crate::client::{Ask, Client, Reply};
use crate::entity::{self, ContentRange};
use crate::failure;
use crate::retry::Patience;

/// Bytes after which a broken download counts as having got on.
const PROGRESS: u64 = 1 << 20;

/// Where a body starts in its object, and which of its bytes are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// The offset of the next byte of the body.
    at: u64,
    start: u64,
    /// Where to stop; `None` at the end of the body.
    end: Option<u64>,
    /// Whether there must be as many bytes as up to the end.
    exact: bool,
}

impl Span {
    pub(crate) const fn new(at: u64, start: u64, end: Option<u64>) -> Self {
        let exact = end.is_some();
        Self {
            at,
            start,
            end,
            exact,
        }
    }

    /// What lies from `start` to before `end` of an object that may be shorter.
    pub(crate) const fn at_most(at: u64, start: u64, end: u64) -> Self {
        Self {
            at,
            start,
            end: Some(end),
            exact: false,
        }
    }

    /// The bytes of the object that come out, where that is known beforehand.
    pub(crate) fn range(&self) -> Option<Range<u64>> {
        self.end.filter(|_| self.exact).map(|end| self.start..end)
    }

    /// The wanted part of the next bytes of the body.
    fn cut(&mut self, mut data: Bytes) -> Bytes {
        let before = self.start.saturating_sub(self.at).min(data.len() as u64);
        let left = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.at));
        data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.at += data.len() as u64;
        data.advance(
            usize::try_from(before)
                .unwrap_or(usize::MAX)
                .min(data.len()),
        );
        data
    }

    fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.at >= end)
    }
}

/// A body being read. When the connection breaks it goes on where it was, by another request, if the
/// object is still the same by its strong entity tag.
pub(crate) struct Download {
    client: Arc<Client>,
    ask: Ask,
    /// `None` after the last byte or an error.
    body: Option<Incoming>,
    span: Span,
    tag: Option<HeaderValue>,
    patience: Patience,
    /// Where the patience was renewed.
    renewed: u64,
}

impl Download {
    pub(crate) fn new(client: Arc<Client>, ask: Ask, reply: Reply, span: Span) -> Self {
        let tag = entity::strong_tag(&reply.headers);
        let tag = tag.and_then(|tag| HeaderValue::from_str(tag).ok());
        let patience = Patience::new(client.limits().max_attempts);
        Self {
            client,
            ask,
            body: Some(reply.body).filter(|_| !span.is_done()),
            renewed: span.at,
            span,
            tag,
            patience,
        }
    }

    pub(crate) fn into_stream(
        self,
        path: ObjectPath,
    ) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        unfold((self, path), |(mut download, path)| async move {
            let next = download.next().await.transpose()?;
            if next.is_err() {
                download.body = None;
            }
            let next = next.map_err(|error| error.at(Operation::Read, NAME, &path));
            Some((next, (download, path)))
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some(body) = &mut self.body else {
                return Ok(None);
            };
            match piece(body, &self.client).await {
                Ok(Some(data)) => {
                    let data = self.span.cut(data);
                    if self.span.is_done() {
                        self.body = None;
                    }
                    if self.span.at.saturating_sub(self.renewed) >= PROGRESS {
                        self.renewed = self.span.at;
                        self.patience.renew();
                    }
                    if !data.is_empty() {
                        return Ok(Some(data));
                    }
                }
                Ok(None) if self.span.exact => {
                    let message = "the download ended before all bytes had come";
                    self.resume(Error::new(ErrorKind::Network, message)).await?;
                }
                Ok(None) => self.body = None,
                Err(error) => self.resume(error).await?,
            }
        }
    }

    /// Goes on after `broken`, or fails with it.
    async fn resume(&mut self, broken: Error) -> Result<()> {
        self.body = None;
        let Some(tag) = self.tag.clone() else {
            return Err(broken);
        };
        // What was not wanted of a whole body need not come again.
        let from = self.span.at.max(self.span.start);
        let range = match self.span.end {
            Some(end) => format!("bytes={from}-{}", end.saturating_sub(1)),
            None => format!("bytes={from}-"),
        };
        self.patience.wait(broken, None).await?;
        tracing::debug!(url = %shown(&self.ask.url), from, "resuming a download");
        self.ask.headers.insert(IF_MATCH, tag.clone());
        if let Ok(range) = HeaderValue::try_from(range) {
            self.ask.headers.insert(RANGE, range);
        }
        let reply = self.client.send_with(&self.ask, &mut self.patience).await?;
        if entity::strong_tag(&reply.headers).map(str::as_bytes) != Some(tag.as_bytes()) {
            let message = "the download broke off, and the object changed meanwhile";
            return Err(Error::new(ErrorKind::Network, message));
        }
        self.span.at = match reply.status {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => self.resumed_at(&reply, from)?,
            _ => return Err(reply.into_error().await),
        };
        self.span.start = from;
        self.body = Some(reply.body);
        Ok(())
    }

    /// Where the body of a resumed download starts.
    fn resumed_at(&self, reply: &Reply, from: u64) -> Result<u64> {
        let told = ContentRange::of(&reply.headers).and_then(|told| told.range);
        match told {
            Some(told) if told.start == from && self.span.end.is_none_or(|end| told.end == end) => {
                Ok(from)
            }
            told => {
                let message = format!("asked to go on at {from}, the server gave {told:?}");
                Err(Error::new(ErrorKind::Corrupt, message))
            }
        }
    }
}

/// The next bytes of a body; `None` at its end.
async fn piece(body: &mut Incoming, client: &Client) -> Result<Option<Bytes>> {
    let limit = client.limits().timeout;
    loop {
        let frame = timeout(limit, body.frame()).await;
        match frame.map_err(|_| failure::silence(limit))? {
            None => return Ok(None),
            Some(Err(error)) => return Err(failure::body(&error)),
            // Trailers say nothing that is looked for.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
