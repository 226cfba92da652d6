use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::{
    AbortMultipartUploadInput, ChecksumAlgorithm, ChecksumType, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, Timestamp, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use storage_core::{ObjectPath, Payload, ReadOptions, WriteOptions, Writer};

use crate::body::{Digest, Intake, Stated};
use crate::checksum::{Algorithm, Sum, set_sums, sums_of};
use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::keys::{HIDDEN, hidden, writable};
use crate::object::{Headers, headers_of, hex, stored_metadata};
use crate::refusals::refuse_upload;

/// Highest number of a part.
pub(crate) const MAX_PARTS: i32 = 10_000;

/// An upload that was created and neither completed nor aborted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) initiated: Timestamp,
    pub(crate) metadata: storage_core::Metadata,
    pub(crate) headers: Headers,
    /// The checksum that the parts have and the object gets.
    pub(crate) algorithm: Algorithm,
    pub(crate) composite: bool,
    /// Whether the client named the algorithm.
    pub(crate) chosen: bool,
}

/// A part that was uploaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) number: i32,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) sums: Vec<Sum>,
    pub(crate) modified: Timestamp,
    /// The name of the object that holds the bytes, below `bodies/` of the upload.
    pub(crate) body: String,
}

/// Where one upload keeps what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Place(String);

impl Place {
    /// The place of an upload. An identifier that this server did not make names no upload.
    pub(crate) fn of(bucket: &str, id: &str) -> S3Result<Self> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(no_upload());
        }
        Ok(Self(format!("uploads/{bucket}/{id}")))
    }

    pub(crate) fn folder(&self) -> String {
        format!("{HIDDEN}/{}", self.0)
    }

    pub(crate) fn upload(&self) -> S3Result<ObjectPath> {
        hidden(&format!("{}/upload", self.0))
    }

    pub(crate) fn part(&self, number: i32) -> S3Result<ObjectPath> {
        hidden(&format!("{}/parts/{number:05}", self.0))
    }

    pub(crate) fn body(&self, name: &str) -> S3Result<ObjectPath> {
        hidden(&format!("{}/bodies/{name}", self.0))
    }
}

pub(crate) fn no_upload() -> s3s::S3Error {
    s3_error!(NoSuchUpload, "there is no such upload")
}

impl Gateway {
    pub(crate) async fn create_upload(
        &self,
        mut input: CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
        refuse_upload(&input)?;
        self.require_bucket(&input.bucket).await?;
        writable(&input.bucket, &input.key)?;
        let (algorithm, composite) = checksum_of_upload(
            input.checksum_algorithm.as_ref(),
            input.checksum_type.as_ref(),
        )?;
        let upload = Upload {
            key: input.key.clone(),
            initiated: SystemTime::now().into(),
            metadata: stored_metadata(input.metadata.take())?,
            headers: headers_of!(input),
            algorithm,
            composite,
            chosen: input.checksum_algorithm.is_some(),
        };
        let id = self.fresh_name();
        self.put_json(&Place::of(&input.bucket, &id)?.upload()?, &upload)
            .await?;
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            checksum_type: input
                .checksum_algorithm
                .as_ref()
                .map(|_| type_name(composite)),
            checksum_algorithm: input.checksum_algorithm,
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        })
    }

    pub(crate) async fn upload_part(
        self: &Arc<Self>,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let mut input = request.input;
        let place = Place::of(&input.bucket, &input.upload_id)?;
        let upload = self.upload_at(&place, &input.key).await?;
        let mut stated = Stated {
            length: input.content_length,
            md5: input.content_md5.take(),
            sums: sums_of!(input),
            trailers: request.trailing_headers,
            ..Stated::default()
        };
        stated.announce(&request.headers, input.checksum_algorithm.as_ref())?;
        stated.algorithms.push(upload.algorithm);
        let name = self.fresh_name();
        let body = input.body.take();
        // Every part is an object of its own, so none needs to be gathered first.
        let (intake, digest) = self.receive(body, &stated, 0, &place.body(&name)?).await?;
        let part = self
            .store_part(place, input.part_number, intake, digest, name)
            .await?;
        let mut output = UploadPartOutput {
            e_tag: Some(s3s::dto::ETag::Strong(hex(&part.md5))),
            ..UploadPartOutput::default()
        };
        set_sums!(output, part.sums.iter().filter(|_| upload.chosen));
        Ok(S3Response::new(output))
    }

    pub(crate) async fn copy_part(
        self: &Arc<Self>,
        input: UploadPartCopyInput,
    ) -> S3Result<UploadPartCopyOutput> {
        let place = Place::of(&input.bucket, &input.upload_id)?;
        let upload = self.upload_at(&place, &input.key).await?;
        let name = self.fresh_name();
        let (writer, digest) = self
            .copied_part(&input, upload.algorithm, &place.body(&name)?)
            .await?;
        let intake = Intake::Object(Box::new(writer));
        let part = self
            .store_part(place, input.part_number, intake, digest, name)
            .await?;
        let mut result = CopyPartResult {
            e_tag: Some(s3s::dto::ETag::Strong(hex(&part.md5))),
            last_modified: Some(part.modified),
            ..CopyPartResult::default()
        };
        set_sums!(result, part.sums.iter().filter(|_| upload.chosen));
        Ok(UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..UploadPartCopyOutput::default()
        })
    }

    /// Makes a body that has arrived the part of its number, in place of an earlier one.
    async fn store_part(
        self: &Arc<Self>,
        place: Place,
        number: i32,
        intake: Intake,
        digest: Digest,
        name: String,
    ) -> S3Result<Part> {
        if !(1..=MAX_PARTS).contains(&number) {
            return Err(s3_error!(
                InvalidArgument,
                "part numbers are 1 to {MAX_PARTS}"
            ));
        }
        let part = Part {
            number,
            size: digest.size,
            md5: digest.md5,
            sums: digest.sums,
            modified: SystemTime::now().into(),
            body: name,
        };
        let gateway = Arc::clone(self);
        let store = async move {
            gateway
                .finish_body(intake, &place.body(&part.body)?)
                .await?;
            let before: Option<Part> = gateway.json_at(&place.part(number)?).await?;
            gateway.put_json(&place.part(number)?, &part).await?;
            if let Some(before) = before {
                let removed = gateway.backend.delete(&place.body(&before.body)?).await;
                removed.map_err(from_storage)?;
            }
            gateway.recheck(&place).await?;
            Ok(part)
        };
        self.to_the_end(store).await
    }

    async fn finish_body(&self, intake: Intake, path: &ObjectPath) -> S3Result<()> {
        let written = match intake {
            Intake::Object(mut writer) => Writer::finish(&mut writer).await,
            Intake::Memory(chunks, _permits) => {
                let options = WriteOptions::default();
                self.backend.write(path, chunks.into(), options).await
            }
        };
        written.map(drop).map_err(from_storage)
    }

    /// A part that came while its upload was aborted or completed goes with it.
    async fn recheck(&self, place: &Place) -> S3Result<()> {
        let upload: Option<Upload> = self.json_at(&place.upload()?).await?;
        if upload.is_some() {
            return Ok(());
        }
        self.remove_below(&place.folder()).await?;
        Err(no_upload())
    }

    pub(crate) async fn abort(self: &Arc<Self>, input: AbortMultipartUploadInput) -> S3Result<()> {
        self.require_bucket(&input.bucket).await?;
        let place = Place::of(&input.bucket, &input.upload_id)?;
        self.upload_at(&place, &input.key).await?;
        let gateway = Arc::clone(self);
        self.to_the_end(async move { gateway.forget(&place).await })
            .await
    }

    /// Removes an upload, the record of it first, so that no part is added any more.
    pub(crate) async fn forget(&self, place: &Place) -> S3Result<()> {
        let removed = self.backend.delete(&place.upload()?).await;
        removed.map_err(from_storage)?;
        self.remove_below(&place.folder()).await
    }

    /// The upload at a place, which must be one of this key.
    pub(crate) async fn upload_at(&self, place: &Place, key: &str) -> S3Result<Upload> {
        let upload: Option<Upload> = self.json_at(&place.upload()?).await?;
        upload
            .filter(|upload| upload.key == key)
            .ok_or_else(no_upload)
    }

    pub(crate) async fn put_json<T: Serialize>(
        &self,
        path: &ObjectPath,
        value: &T,
    ) -> S3Result<()> {
        let text = serde_json::to_vec(value).map_err(|error| s3_error!(error, InternalError))?;
        let written = self
            .backend
            .write(path, Payload::from(text), WriteOptions::default())
            .await;
        written.map(drop).map_err(from_storage)
    }

    pub(crate) async fn json_at<T: for<'a> Deserialize<'a>>(
        &self,
        path: &ObjectPath,
    ) -> S3Result<Option<T>> {
        let text = match self.backend.read(path, ReadOptions::default()).await {
            Ok(text) => text,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(from_storage(error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| s3_error!(error, InternalError))
    }
}

pub(crate) fn type_name(composite: bool) -> ChecksumType {
    ChecksumType::from_static(if composite {
        ChecksumType::COMPOSITE
    } else {
        ChecksumType::FULL_OBJECT
    })
}

/// Which checksum a multipart object gets, and whether it is one of the parts' checksums.
fn checksum_of_upload(
    algorithm: Option<&ChecksumAlgorithm>,
    wanted: Option<&ChecksumType>,
) -> S3Result<(Algorithm, bool)> {
    let Some(algorithm) = algorithm else {
        return Ok((Algorithm::Crc64nvme, false));
    };
    let algorithm = Algorithm::named(algorithm)?;
    let composite = match wanted.map(ChecksumType::as_str) {
        None => algorithm.is_composite_by_default(),
        Some(ChecksumType::COMPOSITE) => true,
        Some(ChecksumType::FULL_OBJECT) => false,
        Some(other) => return Err(s3_error!(InvalidRequest, "unknown checksum type {other:?}")),
    };
    let impossible = if composite {
        algorithm == Algorithm::Crc64nvme
    } else {
        !algorithm.can_be_combined()
    };
    if impossible {
        let message = "the checksum algorithm is not of this checksum type";
        return Err(s3_error!(InvalidRequest, "{message}"));
    }
    Ok((algorithm, composite))
}
