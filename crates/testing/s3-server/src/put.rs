use std::sync::Arc;

use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result};
use storage_core::ObjectPath;

use crate::body::{Digest, Intake, Stated};
use crate::checksum::{set_sums, sums_of, type_of};
use crate::conditions::WriteCondition;
use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::keys::{hidden, writable};
use crate::object::{Headers, Record, headers_of, hex, stored_metadata};
use crate::publish::{Content, Publication};
use crate::refusals::refuse_put;

impl Gateway {
    pub(crate) async fn put(
        self: &Arc<Self>,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        refuse_put(&input)?;
        self.require_bucket(&input.bucket).await?;
        let path = writable(&input.bucket, &input.key)?;
        let condition = WriteCondition::of(input.if_match.take(), input.if_none_match.take())?;
        let metadata = stored_metadata(input.metadata.take())?;
        let mut stated = Stated {
            length: input.content_length,
            md5: input.content_md5.take(),
            sums: sums_of!(input),
            trailers: request.trailing_headers,
            ..Stated::default()
        };
        stated.announce(&request.headers, input.checksum_algorithm.as_ref())?;

        let temporary = hidden(&format!("bodies/{}", self.fresh_name()))?;
        let buffer = self.options.buffer;
        let body = input.body.take();
        let (intake, digest) = self.receive(body, &stated, buffer, &temporary).await?;
        let publication = Publication {
            path,
            condition,
            metadata,
            record: record_of(&digest, headers_of!(input)),
        };
        let output = output_of(&publication.record);
        let gateway = Arc::clone(self);
        let store = async move { gateway.store(publication, intake, temporary).await };
        self.to_the_end(store).await?;
        Ok(S3Response::new(output))
    }

    /// Publishes a body, and takes away what was made of it on the way.
    async fn store(
        &self,
        publication: Publication,
        intake: Intake,
        temporary: ObjectPath,
    ) -> S3Result<()> {
        let mut writer = match intake {
            Intake::Memory(chunks, _permits) => {
                let content = Content::Payload(chunks.into());
                return self.publish(publication, content).await.map(drop);
            }
            Intake::Object(writer) => writer,
        };
        writer.finish().await.map_err(from_storage)?;
        let content = Content::Object(temporary.clone());
        let published = self.publish(publication, content).await;
        let removed = self.backend.delete(&temporary).await;
        published?;
        removed.map(drop).map_err(from_storage)
    }
}

fn record_of(digest: &Digest, headers: Headers) -> Record {
    Record {
        size: digest.size,
        etag: hex(&digest.md5),
        parts: Vec::new(),
        sums: digest.sums.clone(),
        headers,
    }
}

fn output_of(record: &Record) -> PutObjectOutput {
    let mut output = PutObjectOutput {
        checksum_type: type_of(&record.sums),
        e_tag: Some(record.etag()),
        ..PutObjectOutput::default()
    };
    set_sums!(output, &record.sums);
    output
}
