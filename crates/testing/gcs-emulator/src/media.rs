//! Reads of content.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::response::Builder;
use ::http::{HeaderValue, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tonic::body::Body;

use crate::fault::Fault;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::resource::crc32c_text;
use crate::server::{Reply, lost};

/// Content is sent in frames of this many bytes.
const FRAME: usize = 64 << 10;

/// The answer to a read of what `range` asks for.
pub(crate) fn answer(object: &Object, range: Option<&str>, fault: Option<Fault>) -> Reply {
    let size = object.content.len();
    let (status, range) = match range.map(|range| resolve(range, size)) {
        None => (200, 0..size),
        Some(Ok(range)) => (206, range),
        Some(Err(refusal)) => return crate::http::refuse(&refusal),
    };
    let mut builder = headers(object).status(status);
    if status == 206 {
        let last = range.end.saturating_sub(1);
        let text = format!("bytes {}-{last}/{size}", range.start);
        builder = builder.header("content-range", text);
    }
    let content = object.content.slice(range);
    let (body, announced) = spoil(content, fault);
    if let Some(announced) = announced {
        builder = builder.header("content-length", announced);
    }
    respond(builder, body)
}

fn respond(builder: Builder, body: Content) -> Reply {
    let response: Result<Response<Body>, _> = builder.body(Body::new(body));
    response.map_err(std::io::Error::other)
}

fn headers(object: &Object) -> Builder {
    let attributes = &object.attributes;
    let md5 = BASE64_STANDARD.encode(&object.checksums.md5);
    let hash = format!("crc32c={},md5={md5}", crc32c_text(object.checksums.crc32c));
    let content_type = match attributes.content_type.as_str() {
        "" => "application/octet-stream",
        told => told,
    };
    let encoding = match attributes.content_encoding.as_str() {
        "" => "identity",
        told => told,
    };
    let mut builder = Response::builder()
        .header("x-goog-generation", object.generation)
        .header("x-goog-metageneration", object.metageneration)
        .header("x-goog-stored-content-length", object.content.len())
        .header("x-goog-stored-content-encoding", encoding)
        .header("x-goog-hash", hash)
        .header("etag", object.etag())
        .header("content-type", content_type);
    for (key, value) in &attributes.metadata {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            builder = builder.header(format!("x-goog-meta-{key}"), value);
        }
    }
    builder
}

/// `bytes=0-9`, `bytes=5-` or `bytes=-10`.
fn resolve(text: &str, size: usize) -> Result<Range<usize>, Refusal> {
    let bad = || Refusal::invalid(format!("the range {text:?} is not valid"));
    let unsatisfiable = || Refusal::new(416, "the range starts behind the content");
    let (start, end) = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .ok_or_else(bad)?;
    let number = |text: &str| text.parse::<usize>().map_err(|_| bad());
    if start.is_empty() {
        let count = number(end)?;
        if count == 0 || size == 0 {
            return Err(unsatisfiable());
        }
        return Ok(size.saturating_sub(count)..size);
    }
    let start = number(start)?;
    let end = match end {
        "" => size,
        end => number(end)?.saturating_add(1).min(size),
    };
    if start >= size {
        return Err(unsatisfiable());
    }
    if end < start {
        return Err(bad());
    }
    Ok(start..end)
}

/// The body as a fault leaves it, with the length to announce where that is not its own.
fn spoil(content: Bytes, fault: Option<Fault>) -> (Content, Option<usize>) {
    let whole = content.len();
    let clean = |rest| Content { rest, cut: false };
    match fault {
        Some(Fault::Cut(keep)) => {
            let keep = usize::try_from(keep).map_or(whole, |keep| keep.min(whole));
            let rest = content.slice(..keep);
            (Content { rest, cut: true }, Some(whole))
        }
        Some(Fault::Truncate(keep)) => {
            let keep = usize::try_from(keep).map_or(whole, |keep| keep.min(whole));
            (clean(content.slice(..keep)), None)
        }
        Some(Fault::Flip(at)) => (clean(crate::http::flipped(&content, at)), None),
        _ => (clean(content), None),
    }
}

/// A body in frames that may end with the connection.
struct Content {
    rest: Bytes,
    cut: bool,
}

impl hyper::body::Body for Content {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(std::mem::take(&mut self.cut).then(|| Err(lost())));
        }
        let count = self.rest.len().min(FRAME);
        let frame = self.rest.split_to(count);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        if self.cut {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
