use std::ops::Range;
use std::sync::Arc;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETagCondition,
    MetadataDirective, Range as HttpRange, Timestamp, UploadPartCopyInput,
};
use s3s::{S3Request, S3Result, s3_error};
use storage_core::{ObjectInfo, ObjectPath, Reader, WriteOptions, Writer};

use crate::body::{Digest, Digester};
use crate::checksum::{Algorithm, set_sums, type_of};
use crate::conditions::{ReadConditions, WriteCondition};
use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::keys::{readable, writable};
use crate::object::{RECORD, Record, headers_of, http_time, stored_metadata};
use crate::publish::{Content, Publication};
use crate::read::headers_of_object;
use crate::refusals::{refuse_copy, refuse_version};

/// How often a copy starts anew because its source was replaced meanwhile.
const TRIES: usize = 16;

/// The object that a copy starts from, and what it must be like.
struct Source {
    bucket: String,
    path: ObjectPath,
    conditions: ReadConditions,
}

/// The source of a request with the fields that say what it must be like.
macro_rules! source_of {
    ($input:expr) => {
        Source::new(
            &$input.copy_source,
            [
                Clone::clone(&$input.copy_source_if_match),
                Clone::clone(&$input.copy_source_if_none_match),
            ],
            [
                Clone::clone(&$input.copy_source_if_modified_since),
                Clone::clone(&$input.copy_source_if_unmodified_since),
            ],
        )
    };
}

impl Source {
    fn new(
        source: &CopySource,
        [if_match, if_none_match]: [Option<ETagCondition>; 2],
        [if_modified_since, if_unmodified_since]: [Option<Timestamp>; 2],
    ) -> S3Result<Self> {
        let CopySource::Bucket {
            bucket,
            key,
            version_id,
        } = source
        else {
            return Err(s3_error!(
                NotImplemented,
                "this server has no access points"
            ));
        };
        refuse_version(version_id.as_deref())?;
        Ok(Self {
            bucket: bucket.to_string(),
            path: readable(bucket, key)?,
            conditions: ReadConditions {
                if_match,
                if_none_match,
                if_modified_since,
                if_unmodified_since,
            },
        })
    }
}

impl Gateway {
    pub(crate) async fn copy(
        self: &Arc<Self>,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<CopyObjectOutput> {
        let mut input = request.input;
        refuse_copy(&input)?;
        self.require_bucket(&input.bucket).await?;
        let path = writable(&input.bucket, &input.key)?;
        let condition = WriteCondition::of_headers(&request.headers)?;
        let replace = is_replace(input.metadata_directive.as_ref())?;
        let source = source_of!(input)?;
        if source.path == path && !replace {
            let message = "an object is copied onto itself only to replace its metadata";
            return Err(s3_error!(InvalidRequest, "{message}"));
        }
        let (info, reader) = self.open_source(&source, None).await?;
        let mut record = Record::of(&info);
        let metadata = if replace {
            record.headers = headers_of!(input);
            stored_metadata(input.metadata.take())?
        } else {
            record.headers = headers_of_object(&info, &record);
            let mut metadata = info.metadata;
            metadata.remove(RECORD);
            metadata
        };
        let publication = Publication {
            path: path.clone(),
            condition,
            metadata,
            record: record.clone(),
        };
        let gateway = Arc::clone(self);
        let content = Content::Reader(Box::new(reader));
        self.to_the_end(async move { gateway.publish(publication, content).await })
            .await?;
        let copied = self.stat(&path).await?;
        let mut result = CopyObjectResult {
            checksum_type: type_of(&record.sums),
            e_tag: Some(record.etag()),
            last_modified: http_time(copied.and_then(|info| info.modified)),
            ..CopyObjectResult::default()
        };
        set_sums!(result, &record.sums);
        Ok(CopyObjectOutput {
            copy_object_result: Some(result),
            ..CopyObjectOutput::default()
        })
    }

    /// The bytes that a part is to copy, in a writer that is not finished.
    pub(crate) async fn copied_part(
        &self,
        input: &UploadPartCopyInput,
        algorithm: Algorithm,
        body: &ObjectPath,
    ) -> S3Result<(Writer, Digest)> {
        let source = source_of!(input)?;
        let range = input.copy_source_range.as_deref();
        let (_, mut reader) = self.open_source(&source, range).await?;
        let writer = self.backend.writer(body, WriteOptions::default()).await;
        let mut writer = writer.map_err(from_storage)?;
        let mut digester = Digester::new(&[algorithm]);
        while let Some(chunk) = reader.chunk().await {
            let chunk = chunk.map_err(from_storage)?;
            digester.update(&chunk);
            writer.write_bytes(chunk).await.map_err(from_storage)?;
        }
        Ok((writer, digester.finish()))
    }

    /// What is known of a source that passes its conditions, and a reader of that very object.
    async fn open_source(
        &self,
        source: &Source,
        range: Option<&str>,
    ) -> S3Result<(ObjectInfo, Reader)> {
        self.require_bucket(&source.bucket).await?;
        for _ in 0..TRIES {
            let info = self.existing(&source.path).await?;
            let record = Record::of(&info);
            let judged = source.conditions.judge(&record.etag(), info.modified);
            // A copy has no reply for "not modified".
            judged.map_err(|_| s3_error!(PreconditionFailed, "the source is another one"))?;
            let range = range_of(range, record.size)?;
            if let Some(reader) = self.pinned(&info, range).await? {
                return Ok((info, reader));
            }
        }
        let message = "the source was replaced over and over while it was copied";
        Err(s3_error!(SlowDown, "{message}"))
    }
}

fn is_replace(directive: Option<&MetadataDirective>) -> S3Result<bool> {
    match directive.map(MetadataDirective::as_str) {
        None | Some(MetadataDirective::COPY) => Ok(false),
        Some(MetadataDirective::REPLACE) => Ok(true),
        Some(other) => Err(s3_error!(InvalidArgument, "unknown directive {other:?}")),
    }
}

/// The range of a part's source, which must lie within the object.
fn range_of(range: Option<&str>, size: u64) -> S3Result<Range<u64>> {
    let Some(range) = range else {
        return Ok(0..size);
    };
    match HttpRange::parse(range) {
        Ok(HttpRange::Int {
            first,
            last: Some(last),
        }) if last < size => Ok(first..last + 1),
        Ok(HttpRange::Int { last: Some(_), .. }) => {
            Err(s3_error!(InvalidRange, "the source has {size} bytes only"))
        }
        _ => Err(s3_error!(
            InvalidArgument,
            "bad range of a source: {range:?}"
        )),
    }
}
