use std::ops::Range;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use hyper::StatusCode;
use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    Range as HttpRange, StreamingBlob,
};
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Response, S3Result, StdError, s3_error};
use storage_core::{ObjectInfo, ObjectPath, ReadOptions, Reader};

use crate::checksum::{Sum, set_sums, type_of};
use crate::conditions::ReadConditions;
use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::keys::readable;
use crate::object::{Headers, Record, http_time, user_metadata};

/// How often a read starts anew because the object was replaced between its attributes and its bytes.
const TRIES: usize = 16;

/// The part of an object that a request means.
struct Slice {
    range: Range<u64>,
    /// Whether the reply is a part of the object, with status 206.
    partial: bool,
    parts_count: Option<i32>,
}

impl Slice {
    fn of(record: &Record, range: Option<HttpRange>, part: Option<i32>) -> S3Result<Self> {
        let (range, partial, parts_count) = match (range, part) {
            (Some(_), Some(_)) => {
                let message = "a request has a range or a part number, not both";
                return Err(s3_error!(InvalidRequest, "{message}"));
            }
            (None, None) => (0..record.size, false, None),
            (Some(range), None) => (range.check(record.size)?, true, None),
            (None, Some(number)) => {
                let found = u64::try_from(number).ok().and_then(|n| record.part(n));
                let missing = || s3_error!(InvalidRange, "there is no part {number}");
                let (range, count) = found.ok_or_else(missing)?;
                // An empty range has no form as Content-Range.
                let partial = !range.is_empty();
                let several = !record.parts.is_empty();
                let count = several.then(|| i32::try_from(count).unwrap_or(i32::MAX));
                (range, partial, count)
            }
        };
        Ok(Self {
            range,
            partial,
            parts_count,
        })
    }

    fn content_range(&self, size: u64) -> Option<String> {
        let Range { start, end } = self.range;
        let last = end.checked_sub(1)?;
        self.partial.then(|| format!("bytes {start}-{last}/{size}"))
    }

    fn len(&self) -> i64 {
        i64::try_from(self.range.end - self.range.start).unwrap_or(i64::MAX)
    }

    fn status(&self) -> Option<StatusCode> {
        self.partial.then_some(StatusCode::PARTIAL_CONTENT)
    }
}

/// The reply to get or head, but for the body.
macro_rules! described {
    ($output:ident, $info:expr, $record:expr, $slice:expr, $mode:expr) => {{
        let headers = headers_of_object($info, $record);
        let sums = sums_to_tell($record, $slice, $mode);
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: headers.cache_control,
            checksum_type: type_of(sums),
            content_disposition: headers.content_disposition,
            content_encoding: headers.content_encoding,
            content_language: headers.content_language,
            content_length: Some($slice.len()),
            content_range: $slice.content_range($record.size),
            content_type: headers.content_type,
            e_tag: Some($record.etag()),
            expires: headers.expires,
            last_modified: http_time($info.modified),
            metadata: user_metadata($info),
            parts_count: $slice.parts_count,
            ..$output::default()
        };
        set_sums!(output, sums);
        output
    }};
}

impl Gateway {
    pub(crate) async fn get(&self, input: GetObjectInput) -> S3Result<S3Response<GetObjectOutput>> {
        self.require_bucket(&input.bucket).await?;
        let path = readable(&input.bucket, &input.key)?;
        let conditions = ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        for _ in 0..TRIES {
            let info = self.existing(&path).await?;
            let record = Record::of(&info);
            conditions.judge(&record.etag(), info.modified)?;
            let slice = Slice::of(&record, input.range, input.part_number)?;
            let Some(reader) = self.pinned(&info, slice.range.clone()).await? else {
                continue;
            };
            let mode = input.checksum_mode.as_ref();
            let mut output = described!(GetObjectOutput, &info, &record, &slice, mode);
            output.body = Some(StreamingBlob::new(Body::new(reader)));
            return Ok(S3Response::new(output));
        }
        Err(s3_error!(
            SlowDown,
            "the object was replaced over and over while it was read"
        ))
    }

    pub(crate) async fn head(
        &self,
        input: HeadObjectInput,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.require_bucket(&input.bucket).await?;
        let info = self.existing(&readable(&input.bucket, &input.key)?).await?;
        let record = Record::of(&info);
        let conditions = ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        conditions.judge(&record.etag(), info.modified)?;
        let slice = Slice::of(&record, input.range, input.part_number)?;
        let mode = input.checksum_mode.as_ref();
        let output = described!(HeadObjectOutput, &info, &record, &slice, mode);
        let mut response = S3Response::new(output);
        response.status = slice.status();
        Ok(response)
    }

    pub(crate) async fn existing(&self, path: &ObjectPath) -> S3Result<ObjectInfo> {
        let found = self.stat(path).await?;
        found.ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// A reader of the very object that `info` tells of; `None` when it was replaced since.
    pub(crate) async fn pinned(
        &self,
        info: &ObjectInfo,
        range: Range<u64>,
    ) -> S3Result<Option<Reader>> {
        let mut options = ReadOptions::from(range);
        let version = info.version.as_ref().filter(|_| self.features.versions);
        if let Some(version) = version {
            options = options.if_version(version.clone());
        }
        match self.backend.reader(&info.path, options).await {
            Ok(reader) if reader.info().size != info.size => Ok(None),
            Ok(reader) => Ok(Some(reader)),
            Err(error) if error.is_precondition_failed() || error.is_not_found() => Ok(None),
            Err(error) => Err(from_storage(error)),
        }
    }
}

/// The stored headers, with the content type that S3 gives to what has none.
pub(crate) fn headers_of_object(info: &ObjectInfo, record: &Record) -> Headers {
    let own = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
    let mut headers = record.headers.clone();
    headers.content_type = own(&info.content_type)
        .or(headers.content_type)
        .or_else(|| Some("binary/octet-stream".to_owned()));
    headers.cache_control = own(&info.cache_control).or(headers.cache_control);
    headers
}

/// Checksums are told on request, and of whole objects only.
fn sums_to_tell<'a>(record: &'a Record, slice: &Slice, mode: Option<&ChecksumMode>) -> &'a [Sum] {
    let wanted = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    if wanted && slice.range == (0..record.size) {
        &record.sums
    } else {
        &[]
    }
}

/// A reader as the body of a reply. The lock is never taken: it makes the reader `Sync`, which the
/// wire asks for.
struct Body(Mutex<Reader>);

impl Body {
    const fn new(reader: Reader) -> Self {
        Self(Mutex::new(reader))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let reader = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(reader)
            .poll_next(cx)
            .map(|next| next.map(|chunk| chunk.map_err(Into::into)))
    }
}

impl ByteStream for Body {
    fn remaining_length(&self) -> RemainingLength {
        let reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = reader.remaining().and_then(|left| left.try_into().ok());
        left.map_or_else(RemainingLength::unknown, RemainingLength::new_exact)
    }
}
