use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Result, s3_error};

use crate::checksum::{decode, encode, type_of};
use crate::gateway::Gateway;
use crate::grouping::{Entry, Page, Query};
use crate::object::{Record, http_time};

/// Most entries of a reply, as on AWS.
const MAX_KEYS: usize = 1000;

/// What stays as it is in a key that is told in the form of a URL.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// How keys are told: as they are, or in the form of a URL, which has no character that XML lacks.
#[derive(Clone, Copy)]
pub(crate) struct Spelling(bool);

impl Spelling {
    pub(crate) fn of(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self(false)),
            Some(EncodingType::URL) => Ok(Self(true)),
            Some(other) => Err(s3_error!(InvalidArgument, "unknown encoding {other:?}")),
        }
    }

    pub(crate) fn spell(self, key: &str) -> String {
        if self.0 {
            utf8_percent_encode(key, PLAIN).to_string()
        } else {
            key.to_owned()
        }
    }
}

pub(crate) fn limit_of(max: Option<i32>, most: usize) -> S3Result<usize> {
    let Some(max) = max else { return Ok(most) };
    let max = usize::try_from(max);
    let max = max.map_err(|_| s3_error!(InvalidArgument, "a page of fewer than no entries"))?;
    Ok(max.min(most))
}

/// An empty delimiter is none.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

impl Gateway {
    pub(crate) async fn list_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        self.require_bucket(&input.bucket).await?;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let after = match &input.continuation_token {
            Some(token) => Some(from_token(token)?),
            None => given(input.start_after.clone()),
        };
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: given(input.delimiter.clone()),
            after,
            limit: limit_of(input.max_keys, MAX_KEYS)?,
        };
        let page = self.page(&query).await?;
        let next = last_key(&page).map(|key| encode(key.as_bytes()));
        let truncated = page.truncated;
        let (contents, groups) = self.told(page, spelling).await?;
        let count = contents.len() + groups.len();
        Ok(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(spelling.spell(&query.prefix)),
            max_keys: i32::try_from(query.limit).ok(),
            key_count: i32::try_from(count).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(truncated),
            next_continuation_token: next,
            contents: Some(contents),
            common_prefixes: Some(groups),
            delimiter: query.delimiter.map(|text| spelling.spell(&text)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|text| spelling.spell(&text)),
            request_charged: None,
        })
    }

    pub(crate) async fn list_v1(&self, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
        self.require_bucket(&input.bucket).await?;
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let query = Query {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: given(input.delimiter.clone()),
            after: given(input.marker.clone()),
            limit: limit_of(input.max_keys, MAX_KEYS)?,
        };
        let page = self.page(&query).await?;
        let next = last_key(&page).map(|key| spelling.spell(key));
        let truncated = page.truncated;
        let (contents, groups) = self.told(page, spelling).await?;
        Ok(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(spelling.spell(&query.prefix)),
            marker: Some(spelling.spell(query.after.as_deref().unwrap_or_default())),
            max_keys: i32::try_from(query.limit).ok(),
            is_truncated: Some(truncated),
            contents: Some(contents),
            common_prefixes: Some(groups),
            delimiter: query.delimiter.map(|text| spelling.spell(&text)),
            next_marker: next,
            encoding_type: input.encoding_type,
            request_charged: None,
        })
    }

    async fn told(
        &self,
        page: Page,
        spelling: Spelling,
    ) -> S3Result<(Vec<Object>, Vec<CommonPrefix>)> {
        let (mut contents, mut groups) = (Vec::new(), Vec::new());
        for entry in self.completed(page.entries).await? {
            match entry {
                Entry::Group(group) => groups.push(CommonPrefix {
                    prefix: Some(spelling.spell(&group)),
                }),
                Entry::Object(key, info) => {
                    let record = Record::of(&info);
                    let sums = record.sums.iter();
                    let sums = sums.map(|sum| sum.algorithm.wire_name());
                    let sums: Vec<_> = sums.map(ChecksumAlgorithm::from_static).collect();
                    contents.push(Object {
                        checksum_type: type_of(&record.sums),
                        checksum_algorithm: (!sums.is_empty()).then_some(sums),
                        e_tag: Some(record.etag()),
                        key: Some(spelling.spell(&key)),
                        last_modified: http_time(info.modified),
                        size: i64::try_from(record.size).ok(),
                        storage_class: Some(ObjectStorageClass::from_static(
                            ObjectStorageClass::STANDARD,
                        )),
                        ..Object::default()
                    });
                }
            }
        }
        Ok((contents, groups))
    }
}

/// Where the next page goes on.
fn last_key(page: &Page) -> Option<&str> {
    let last = page.entries.last().filter(|_| page.truncated)?;
    Some(last.key())
}

fn from_token(token: &str) -> S3Result<String> {
    let bytes = decode(token).unwrap_or_default();
    let key = String::from_utf8(bytes).ok().filter(|key| !key.is_empty());
    key.ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "the continuation token is none of this server"
        )
    })
}
