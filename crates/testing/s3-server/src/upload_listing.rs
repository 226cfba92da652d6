use std::collections::BTreeMap;

use s3s::dto::{
    ChecksumAlgorithm, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part as ToldPart, StorageClass,
};
use s3s::{S3Result, s3_error};
use storage_core::{BackendExt, ListOptions, Prefix};

use crate::checksum::set_sums;
use crate::error::from_storage;
use crate::gateway::Gateway;
use crate::keys::HIDDEN;
use crate::list::{Spelling, limit_of};
use crate::object::hex;
use crate::uploads::{Part, Place, Upload, type_name};

/// Most entries of a reply, as on AWS.
const MAX_ENTRIES: usize = 1000;

impl Gateway {
    pub(crate) async fn list_parts(&self, input: ListPartsInput) -> S3Result<ListPartsOutput> {
        self.require_bucket(&input.bucket).await?;
        let place = Place::of(&input.bucket, &input.upload_id)?;
        let upload = self.upload_at(&place, &input.key).await?;
        let limit = limit_of(input.max_parts, MAX_ENTRIES)?;
        let marker = input.part_number_marker.unwrap_or(0);
        let parts = self
            .parts_after(&place, marker, limit.saturating_add(1))
            .await?;
        let truncated = limit > 0 && parts.len() > limit;
        let parts: Vec<Part> = parts.into_iter().take(limit).collect();
        let last = parts.last().map(|part| part.number);
        let told = |part: &Part| {
            let mut told = ToldPart {
                e_tag: Some(ETag::Strong(hex(&part.md5))),
                last_modified: Some(part.modified.clone()),
                part_number: Some(part.number),
                size: i64::try_from(part.size).ok(),
                ..ToldPart::default()
            };
            set_sums!(told, part.sums.iter().filter(|_| upload.chosen));
            told
        };
        Ok(ListPartsOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: algorithm_of(&upload),
            checksum_type: upload.chosen.then(|| type_name(upload.composite)),
            is_truncated: Some(truncated),
            key: Some(input.key),
            max_parts: i32::try_from(limit).ok(),
            next_part_number_marker: last.filter(|_| truncated),
            owner: Some(self.owner()),
            part_number_marker: Some(marker),
            parts: Some(parts.iter().map(told).collect()),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            upload_id: Some(input.upload_id),
            ..ListPartsOutput::default()
        })
    }

    async fn parts_after(&self, place: &Place, marker: i32, limit: usize) -> S3Result<Vec<Part>> {
        let prefix = Prefix::new(format!("{}/parts", place.folder())).map_err(from_storage)?;
        let after = place.part(marker)?;
        let options = ListOptions::default().start_after(after.as_str());
        let mut listed = self.backend.entries(prefix, options);
        let mut parts = Vec::new();
        while parts.len() < limit
            && let Some(info) = listed.next().await
        {
            // One that was replaced meanwhile is there under the same name.
            parts.extend(self.json_at(&info.map_err(from_storage)?.path).await?);
        }
        Ok(parts)
    }

    pub(crate) async fn list_uploads(
        &self,
        input: ListMultipartUploadsInput,
    ) -> S3Result<ListMultipartUploadsOutput> {
        self.require_bucket(&input.bucket).await?;
        if input
            .delimiter
            .as_ref()
            .is_some_and(|text| !text.is_empty())
        {
            return Err(s3_error!(
                NotImplemented,
                "uploads are not listed by groups"
            ));
        }
        let spelling = Spelling::of(input.encoding_type.as_ref())?;
        let limit = limit_of(input.max_uploads, MAX_ENTRIES)?;
        let mut uploads = self.uploads_after(&input, limit.saturating_add(1)).await?;
        let truncated = limit > 0 && uploads.len() > limit;
        while uploads.len() > limit {
            uploads.pop_last();
        }
        let last = uploads.last_key_value().filter(|_| truncated);
        let last = last.map(|((key, _, id), _)| (spelling.spell(key), id.clone()));
        let (next_key, next_id) = last.unzip();
        let told = |((key, _, id), upload): ((String, _, String), Upload)| MultipartUpload {
            checksum_algorithm: algorithm_of(&upload),
            checksum_type: upload.chosen.then(|| type_name(upload.composite)),
            initiated: Some(upload.initiated),
            key: Some(spelling.spell(&key)),
            owner: Some(self.owner()),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            upload_id: Some(id),
            ..MultipartUpload::default()
        };
        let spell = |text: Option<String>| text.map(|text| spelling.spell(&text));
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            encoding_type: input.encoding_type,
            is_truncated: Some(truncated),
            key_marker: spell(input.key_marker),
            max_uploads: i32::try_from(limit).ok(),
            next_key_marker: next_key,
            next_upload_id_marker: next_id,
            prefix: spell(input.prefix),
            upload_id_marker: input.upload_id_marker,
            uploads: Some(uploads.into_iter().map(told).collect()),
            ..ListMultipartUploadsOutput::default()
        })
    }

    /// The first uploads after the markers, in the order of keys, of those of one key the oldest first.
    /// Reads all uploads of the bucket, and holds no more than the limit.
    async fn uploads_after(
        &self,
        input: &ListMultipartUploadsInput,
        limit: usize,
    ) -> S3Result<BTreeMap<(String, s3s::dto::Timestamp, String), Upload>> {
        let marker = match (&input.key_marker, &input.upload_id_marker) {
            (Some(key), Some(id)) => self.time_of(&input.bucket, id, key).await,
            _ => None,
        };
        let after = |key: &(String, s3s::dto::Timestamp, String)| match (&input.key_marker, &marker)
        {
            (Some(_), Some(marker)) => key > marker,
            (Some(marker), None) => key.0 > *marker,
            (None, _) => true,
        };
        let folder = format!("{HIDDEN}/uploads/{}", input.bucket);
        let prefix = Prefix::new(folder).map_err(from_storage)?;
        let mut listed = self.backend.entries(prefix, ListOptions::default());
        let mut uploads = BTreeMap::new();
        while let Some(info) = listed.next().await {
            let id = info.map_err(from_storage)?.path.file_name().to_owned();
            let place = Place::of(&input.bucket, &id)?;
            let Some(upload) = self.json_at::<Upload>(&place.upload()?).await? else {
                continue;
            };
            let key = (upload.key.clone(), upload.initiated.clone(), id);
            let prefix = input.prefix.as_deref().unwrap_or_default();
            if key.0.starts_with(prefix) && after(&key) {
                uploads.insert(key, upload);
            }
            if uploads.len() > limit {
                uploads.pop_last();
            }
        }
        Ok(uploads)
    }

    /// Where an upload that a marker names stands in the order; `None` when it is gone.
    async fn time_of(
        &self,
        bucket: &str,
        id: &str,
        key: &str,
    ) -> Option<(String, s3s::dto::Timestamp, String)> {
        let place = Place::of(bucket, id).ok()?;
        let upload = self.upload_at(&place, key).await.ok()?;
        Some((key.to_owned(), upload.initiated, id.to_owned()))
    }
}

fn algorithm_of(upload: &Upload) -> Option<ChecksumAlgorithm> {
    let name = upload.algorithm.wire_name();
    upload.chosen.then(|| ChecksumAlgorithm::from_static(name))
}
