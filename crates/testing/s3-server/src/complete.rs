use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart};
use s3s::{S3Result, s3_error};

use crate::checksum::{Sum, of_parts, require, set_sums, sums_of};
use crate::conditions::WriteCondition;
use crate::gateway::Gateway;
use crate::keys::writable;
use crate::object::{Record, hex, runs};
use crate::publish::{Content, Publication};
use crate::uploads::{Part, Place, Upload, type_name};

/// Records of parts that are read at a time.
const CONCURRENCY: usize = 16;

impl Gateway {
    pub(crate) async fn complete(
        self: &Arc<Self>,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        self.require_bucket(&input.bucket).await?;
        let place = Place::of(&input.bucket, &input.upload_id)?;
        let upload = self.upload_at(&place, &input.key).await?;
        let stated = sums_of!(input);
        let condition = WriteCondition::of(input.if_match, input.if_none_match)?;
        let named = input.multipart_upload.and_then(|upload| upload.parts);
        let parts = self.named_parts(&place, named.unwrap_or_default()).await?;
        let record = record_of(&upload, &parts)?;
        if input
            .mpu_object_size
            .is_some_and(|size| u64::try_from(size) != Ok(record.size))
        {
            return Err(s3_error!(
                InvalidRequest,
                "the parts have {} bytes",
                record.size
            ));
        }
        require(&stated, &record.sums)?;

        let output = output_of(&upload, &record, input.bucket.clone());
        let bodies = parts.iter().map(|part| place.body(&part.body));
        let content = Content::Parts(bodies.collect::<S3Result<_>>()?);
        let publication = Publication {
            path: writable(&input.bucket, &input.key)?,
            condition,
            metadata: upload.metadata,
            record,
        };
        let gateway = Arc::clone(self);
        let publish = async move {
            gateway.publish(publication, content).await?;
            gateway.forget(&place).await
        };
        self.to_the_end(publish).await?;
        Ok(output)
    }

    /// The uploaded parts that a completion names, which must be as it says.
    async fn named_parts(&self, place: &Place, named: Vec<CompletedPart>) -> S3Result<Vec<Part>> {
        let number = |part: &CompletedPart| part.part_number.unwrap_or(0);
        if named.is_empty() {
            return Err(s3_error!(
                MalformedXML,
                "a completion names at least one part"
            ));
        }
        if !named.is_sorted_by(|one, next| number(one) < number(next)) {
            return Err(s3_error!(InvalidPartOrder));
        }
        let found = |named: CompletedPart| async move {
            let number = number(&named);
            let invalid = || s3_error!(InvalidPart, "part {number} is missing or another one");
            let part: Option<Part> = self.json_at(&place.part(number)?).await?;
            let part = part.ok_or_else(invalid)?;
            let etag = named.e_tag.as_ref().map(|etag| etag.value().to_owned());
            if etag.is_some_and(|etag| etag != hex(&part.md5)) {
                return Err(invalid());
            }
            require(&sums_of!(named), &part.sums)?;
            Ok(part)
        };
        let parts = stream::iter(named).map(found).buffered(CONCURRENCY);
        let parts: Vec<Part> = parts.try_collect().await?;
        let least = self.options.min_part_size;
        match parts.split_last() {
            Some((_, others)) if others.iter().any(|part| part.size < least) => {
                let message = format!("every part but the last has at least {least} bytes");
                Err(s3_error!(EntityTooSmall, "{message}"))
            }
            _ => Ok(parts),
        }
    }
}

fn record_of(upload: &Upload, parts: &[Part]) -> S3Result<Record> {
    let md5s: Vec<u8> = parts.iter().flat_map(|part| part.md5).collect();
    let sizes = parts.iter().map(|part| (part.sums.as_slice(), part.size));
    let sum: Option<Sum> = of_parts(upload.algorithm, upload.composite, sizes);
    let sum = sum.ok_or_else(|| s3_error!(InternalError, "a part has lost its checksum"))?;
    Ok(Record {
        size: parts.iter().map(|part| part.size).sum(),
        etag: format!("{}-{}", hex(&Md5::checksum(&md5s)), parts.len()),
        parts: runs(parts.iter().map(|part| part.size)),
        sums: vec![sum],
        headers: upload.headers.clone(),
    })
}

fn output_of(upload: &Upload, record: &Record, bucket: String) -> CompleteMultipartUploadOutput {
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{bucket}/{}", upload.key)),
        bucket: Some(bucket),
        key: Some(upload.key.clone()),
        e_tag: Some(record.etag()),
        checksum_type: Some(type_name(upload.composite)),
        ..CompleteMultipartUploadOutput::default()
    };
    set_sums!(output, &record.sums);
    output
}
