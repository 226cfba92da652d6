use std::time::SystemTime;

use hyper::HeaderMap;
use hyper::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};
use storage_core::{ObjectPath, WriteMode};

use crate::gateway::Gateway;
use crate::object::{Record, http_time};

/// The conditions of a read, or of the source of a copy.
#[derive(Debug, Default)]
pub(crate) struct ReadConditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Judges an object in the order of RFC 9110, section 13.2.2: a tag wins over a time.
    pub(crate) fn judge(&self, etag: &ETag, modified: Option<SystemTime>) -> S3Result<()> {
        let modified = http_time(modified);
        let modified = modified.as_ref();
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) if !matches(wanted, etag) => return Err(failed("If-Match")),
            (None, Some(since)) if modified.is_some_and(|modified| modified > since) => {
                return Err(failed("If-Unmodified-Since"));
            }
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(known), _) if matches(known, etag) => Err(not_modified(etag)),
            (None, Some(since)) if modified.is_some_and(|modified| modified <= since) => {
                Err(not_modified(etag))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn matches(condition: &ETagCondition, etag: &ETag) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.value() == etag.value(),
    }
}

fn failed(condition: &str) -> S3Error {
    s3_error!(PreconditionFailed, "the object does not pass {condition}")
}

fn not_modified(etag: &ETag) -> S3Error {
    let mut error = s3_error!(NotModified);
    if let Ok(value) = etag.to_http_header() {
        error.set_headers(HeaderMap::from_iter([(ETAG, value)]));
    }
    error
}

/// The condition of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    #[default]
    None,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match`
    Present(ETagCondition),
}

impl WriteCondition {
    pub(crate) fn of(
        if_match: Option<ETagCondition>,
        if_none_match: Option<ETagCondition>,
    ) -> S3Result<Self> {
        match (if_match, if_none_match) {
            (None, None) => Ok(Self::None),
            (None, Some(ETagCondition::Any)) => Ok(Self::Absent),
            (Some(condition), None) => Ok(Self::Present(condition)),
            (None, Some(ETagCondition::ETag(_))) => Err(s3_error!(
                NotImplemented,
                "a write takes If-None-Match only with `*`"
            )),
            (Some(_), Some(_)) => Err(s3_error!(
                NotImplemented,
                "a write takes one of If-Match and If-None-Match"
            )),
        }
    }

    /// The same out of headers, for the operations whose fields leave them out.
    pub(crate) fn of_headers(headers: &HeaderMap) -> S3Result<Self> {
        let condition = |name: HeaderName| match headers.get(&name) {
            None => Ok(None),
            Some(value) => ETagCondition::parse_http_header(value.as_bytes())
                .map(Some)
                .map_err(|error| s3_error!(error, InvalidArgument, "bad {name}")),
        };
        Self::of(condition(IF_MATCH)?, condition(IF_NONE_MATCH)?)
    }
}

impl Gateway {
    /// The mode by which the backend decides a condition in the instant of the write.
    pub(crate) async fn mode(
        &self,
        path: &ObjectPath,
        condition: &WriteCondition,
    ) -> S3Result<WriteMode> {
        let wanted = match condition {
            WriteCondition::None => return Ok(WriteMode::Replace),
            WriteCondition::Absent => return Ok(WriteMode::CreateNew),
            WriteCondition::Present(wanted) => wanted,
        };
        let Some(info) = self.stat(path).await? else {
            return Err(s3_error!(NoSuchKey));
        };
        if !matches(wanted, &Record::of(&info).etag()) {
            return Err(failed("If-Match"));
        }
        let version = info.version.filter(|_| self.features.if_version);
        let lacking = || s3_error!(NotImplemented, "the backend cannot write conditionally");
        version.map(WriteMode::IfVersion).ok_or_else(lacking)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_tag_wins_over_a_time() {
        let etag = ETag::Strong("a".into());
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(5_500);
        let earlier: Timestamp = (SystemTime::UNIX_EPOCH + Duration::from_secs(1)).into();
        let same: Timestamp = (SystemTime::UNIX_EPOCH + Duration::from_secs(5)).into();
        let code = |conditions: &ReadConditions| {
            let judged = conditions.judge(&etag, Some(at));
            judged.err().map(|error| error.code().as_str().to_owned())
        };

        let mut conditions = ReadConditions {
            if_unmodified_since: Some(earlier),
            ..ReadConditions::default()
        };
        assert_eq!(code(&conditions).as_deref(), Some("PreconditionFailed"));
        conditions.if_match = Some(ETagCondition::ETag(etag.clone()));
        assert_eq!(code(&conditions), None);
        conditions.if_modified_since = Some(same);
        assert_eq!(code(&conditions).as_deref(), Some("NotModified"));
        conditions.if_none_match = Some(ETagCondition::ETag(ETag::Strong("b".into())));
        assert_eq!(code(&conditions), None);
    }
}
