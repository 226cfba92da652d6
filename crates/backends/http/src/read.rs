use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use storage_core::{
    ByteRange, Error, ErrorKind, ObjectInfo, ObjectPath, ReadParts, Reader, Result, Version,
};

use crate::client::{Ask, Client, Reply};
use crate::download::{Download, Span};
use crate::entity::{self, ContentRange};

/// What servers and things between hold offsets in.
const MAX_OFFSET: u64 = i64::MAX as u64;

/// Reads one object.
pub(crate) struct Read<'a> {
    pub(crate) client: &'a Arc<Client>,
    pub(crate) path: &'a ObjectPath,
    pub(crate) url: url::Url,
    pub(crate) versions: bool,
}

/// What the version has to be, and must not be.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_version: Option<Version>,
    pub(crate) if_changed_from: Option<Version>,
}

impl Read<'_> {
    pub(crate) async fn open(&self, parts: ReadParts) -> Result<Reader> {
        let ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        } = parts;
        if verify {
            return Err(Error::unsupported(
                "verified reads: the server keeps no digests",
            ));
        }
        if !self.versions && (if_version.is_some() || if_changed_from.is_some()) {
            return Err(Error::unsupported(
                "conditions on versions, unless the setting `versions` says that entity tags are some",
            ));
        }
        let conditions = Conditions {
            if_version,
            if_changed_from,
        };
        self.open_range(range, &conditions).await
    }

    async fn open_range(&self, range: ByteRange, conditions: &Conditions) -> Result<Reader> {
        // Whether it runs backwards does not depend on the size.
        range.resolve(u64::MAX)?;
        let Some(header) = range_header(range) else {
            return self.open_nothing(range, conditions).await;
        };
        let mut ask = self.ask(Method::GET, conditions)?;
        if let Some(value) = header {
            ask.headers.insert(RANGE, value);
        }
        let reply = self.client.send(&ask).await?;
        if reply.status == StatusCode::RANGE_NOT_SATISFIABLE && ask.headers.contains_key(RANGE) {
            crate::client::discard(reply.body).await;
            return self.open_nothing(range, conditions).await;
        }
        let reply = self.judged(reply, conditions).await?;
        let (info, span) = self.span(&reply, range)?;
        ask.headers.remove(IF_NONE_MATCH);
        let download = Download::new(Arc::clone(self.client), ask, reply, span.clone());
        let stream = Box::pin(download.into_stream(self.path.clone()));
        Ok(match span.range() {
            Some(range) => Reader::from_stream(info, range, stream),
            None => Reader::from_unsized_stream(info, stream),
        })
    }

    /// The bytes of a range, of the object with the entity tag `pin`, and what came with them.
    pub(crate) async fn range(
        &self,
        range: Range<u64>,
        pin: Option<&str>,
    ) -> Result<(Bytes, ObjectInfo)> {
        let conditions = Conditions {
            if_version: pin.map(Version::new),
            if_changed_from: None,
        };
        let reader = self.open_range(range.into(), &conditions).await?;
        let info = reader.info().clone();
        Ok((reader.bytes().await?, info))
    }

    /// A reader of no bytes of an object that is there.
    async fn open_nothing(&self, range: ByteRange, conditions: &Conditions) -> Result<Reader> {
        let info = self.head(conditions).await?;
        let resolved = match info.size {
            Some(size) => range.resolve(size)?,
            None => 0..0,
        };
        if !resolved.is_empty() {
            let message = format!("the server refuses the bytes {resolved:?} of its object");
            return Err(Error::new(ErrorKind::Other, message));
        }
        Ok(Reader::from_bytes(info, resolved, Bytes::new()))
    }

    /// What the server says of the object without giving it.
    pub(crate) async fn head(&self, conditions: &Conditions) -> Result<ObjectInfo> {
        let ask = self.ask(Method::HEAD, conditions)?;
        let reply = self.client.send(&ask).await?;
        if !matches!(
            reply.status,
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
        ) {
            let reply = self.judged(reply, conditions).await?;
            let size = entity::content_length(&reply.headers);
            return Ok(self.info(&reply.headers, size));
        }
        // Some servers know no HEAD: the head of a GET says the same, and the body is left alone.
        let reply = self
            .client
            .send(&self.ask(Method::GET, conditions)?)
            .await?;
        let reply = self.judged(reply, conditions).await?;
        let size = entity::content_length(&reply.headers);
        Ok(self.info(&reply.headers, size))
    }

    fn ask(&self, method: Method, conditions: &Conditions) -> Result<Ask> {
        let mut ask = Ask::new(method, self.url.clone());
        let Conditions {
            if_version,
            if_changed_from,
        } = conditions;
        for (name, version) in [(IF_MATCH, if_version), (IF_NONE_MATCH, if_changed_from)] {
            let Some(version) = version else { continue };
            // What is no entity tag is no version of any object here; `judged` says so.
            if entity::is_strong_tag(version.as_str())
                && let Ok(tag) = HeaderValue::from_str(version.as_str())
            {
                ask.headers.insert(name, tag);
            }
        }
        Ok(ask)
    }

    /// The reply if it is an answer that keeps the conditions, which not every server looks at.
    async fn judged(&self, reply: Reply, conditions: &Conditions) -> Result<Reply> {
        let actual = entity::strong_tag(&reply.headers).map(Version::new);
        match reply.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
            StatusCode::NOT_MODIFIED if conditions.if_changed_from.is_some() => {
                return Err(Error::new(ErrorKind::NotModified, ""));
            }
            StatusCode::PRECONDITION_FAILED if conditions.if_version.is_some() => {
                let expected = conditions.if_version.clone();
                // Missing objects may be answered so too, and the version there is is seldom told.
                let now = Box::pin(self.head(&Conditions::default())).await?;
                return Err(Error::precondition_failed(expected, now.version));
            }
            _ => return Err(reply.into_error().await),
        }
        if let Some(expected) = &conditions.if_version
            && actual.as_ref() != Some(expected)
        {
            return Err(Error::precondition_failed(Some(expected.clone()), actual));
        }
        if conditions.if_changed_from.is_some() && conditions.if_changed_from == actual {
            return Err(Error::new(ErrorKind::NotModified, ""));
        }
        Ok(reply)
    }

    fn info(&self, headers: &HeaderMap, size: Option<u64>) -> ObjectInfo {
        entity::info(self.path, headers, size, self.versions)
    }

    /// Where in the object the bytes of the reply lie, and which of them are wanted.
    fn span(&self, reply: &Reply, wanted: ByteRange) -> Result<(ObjectInfo, Span)> {
        if reply.status == StatusCode::OK {
            let size = entity::content_length(&reply.headers);
            let span = span_of_whole(size, wanted)?;
            return Ok((self.info(&reply.headers, size), span));
        }
        let told = ContentRange::of(&reply.headers);
        let told = told.and_then(|told| Some((told.range?, told.size)));
        let (range, size) = told.ok_or_else(|| wrong_range("without saying which, or wrongly"))?;
        check_range(&range, size, wanted)?;
        let length = entity::content_length(&reply.headers);
        if length.is_some_and(|length| length != range.end - range.start) {
            return Err(wrong_range("and a body of another length"));
        }
        let span = Span::new(range.start, range.start, Some(range.end));
        Ok((self.info(&reply.headers, size), span))
    }
}

/// The value of the header `Range`: `None` when no bytes can be meant, `Some(None)` for all bytes.
fn range_header(range: ByteRange) -> Option<Option<HeaderValue>> {
    let text = match range {
        ByteRange::Full | ByteRange::From(0) => return Some(None),
        ByteRange::Bounded(start, end) if start >= end => return None,
        ByteRange::Bounded(start, _) | ByteRange::From(start) if start >= MAX_OFFSET => {
            return None;
        }
        ByteRange::Suffix(0) => return None,
        ByteRange::Bounded(start, end) if end <= MAX_OFFSET => format!("bytes={start}-{}", end - 1),
        ByteRange::Bounded(start, _) | ByteRange::From(start) => format!("bytes={start}-"),
        ByteRange::Suffix(count) if count <= MAX_OFFSET => format!("bytes=-{count}"),
        ByteRange::Suffix(_) => return Some(None),
    };
    HeaderValue::try_from(text).ok().map(Some)
}

/// What to take of a body that is the whole object, because all was asked for or the server knows no
/// ranges.
fn span_of_whole(size: Option<u64>, wanted: ByteRange) -> Result<Span> {
    if let Some(size) = size {
        let range = wanted.resolve(size)?;
        return Ok(Span::new(0, range.start, Some(range.end)));
    }
    match wanted {
        ByteRange::Full => Ok(Span::new(0, 0, None)),
        ByteRange::From(start) => Ok(Span::new(0, start, None)),
        ByteRange::Bounded(start, end) => Ok(Span::at_most(0, start, end)),
        ByteRange::Suffix(_) => Err(Error::unsupported(
            "the last bytes of an object whose server tells no size and knows no ranges",
        )),
    }
}

/// Whether the bytes that the server gives are exactly those that were asked for.
fn check_range(told: &Range<u64>, size: Option<u64>, wanted: ByteRange) -> Result<()> {
    let fits = match (size, wanted) {
        (Some(size), wanted) => wanted.resolve(size)? == *told,
        (None, ByteRange::Bounded(start, end)) => told.start == start && told.end <= end,
        (None, ByteRange::From(start)) => told.start == start,
        (None, ByteRange::Suffix(count)) => told.end - told.start <= count,
        (None, ByteRange::Full) => told.start == 0,
    };
    if fits {
        return Ok(());
    }
    Err(wrong_range(&format!("{told:?}, which were not asked for")))
}

fn wrong_range(what: &str) -> Error {
    let status = StatusCode::PARTIAL_CONTENT;
    Error::new(
        ErrorKind::Corrupt,
        format!("the server answered {status} with bytes {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_asked_for_in_numbers_that_servers_understand() {
        let header = |range| {
            range_header(range).map(|header| {
                header.map_or_else(
                    || "all".to_owned(),
                    |value| value.to_str().unwrap().to_owned(),
                )
            })
        };
        for (range, expected) in [
            (ByteRange::Full, Some("all")),
            (ByteRange::From(0), Some("all")),
            (ByteRange::From(7), Some("bytes=7-")),
            (ByteRange::From(u64::MAX), None),
            (ByteRange::Bounded(0, 1), Some("bytes=0-0")),
            (ByteRange::Bounded(3, 3), None),
            (ByteRange::Bounded(4, u64::MAX), Some("bytes=4-")),
            (ByteRange::Bounded(u64::MAX - 1, u64::MAX), None),
            (ByteRange::Suffix(0), None),
            (ByteRange::Suffix(3), Some("bytes=-3")),
            (ByteRange::Suffix(u64::MAX), Some("all")),
        ] {
            assert_eq!(header(range).as_deref(), expected, "{range:?}");
        }
    }
}
