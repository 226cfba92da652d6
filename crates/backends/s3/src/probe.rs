//! What a store can do, found out by doing it.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use storage_core::{Error, Result};

use crate::Capabilities;
use crate::body::body;
use crate::call::{Progress, Repeat};
use crate::failure::Failure;
use crate::put::crc_of;
use crate::store::Store;

const CONTENT: Bytes = Bytes::from_static(b"omnistorage finds out what this store can do");

/// Tries each capability with an object of its own, which it deletes. Without permission to write
/// nothing is claimed.
pub(crate) async fn probe(store: &Store) -> Result<Capabilities> {
    let key = format!(
        "{}.omnistorage-probe-{:016x}",
        store.settings.prefix,
        fastrand::u64(..)
    );
    let probe = Probe { store, key };
    let found = probe.all().await;
    let cleaned = probe.delete(None).await;
    let found = match found {
        Err(failure) if matches!(failure.status, 401 | 403 | 405) => {
            tracing::debug!(error = %failure.error, "may not write, so nothing is claimed");
            return Ok(Capabilities::NONE);
        }
        found => found.map_err(Error::from)?,
    };
    cleaned.map_err(Error::from)?;
    tracing::debug!(capabilities = ?found, "probed");
    Ok(found)
}

struct Probe<'a> {
    store: &'a Store,
    key: String,
}

/// Whether a request was refused for its condition, which a store that has none cannot.
fn refused<T>(result: Result<T, Failure>) -> Result<bool, Failure> {
    match result {
        Ok(_) => Ok(false),
        Err(failure) if matches!(failure.status, 404 | 409 | 412) => Ok(true),
        // Says itself that it has no such thing.
        Err(failure) if matches!(failure.status, 400 | 501) => Ok(false),
        Err(failure) => Err(failure),
    }
}

impl Probe<'_> {
    async fn all(&self) -> Result<Capabilities, Failure> {
        let mut found = Capabilities::NONE;
        let tells = refused(self.delete(Some("*")).await)?;
        let etag = match self.put(None, None).await {
            Ok((etag, summed)) => {
                found.checksums = summed;
                etag
            }
            Err(failure) => return Err(failure),
        };
        found.create_new = refused(self.put(Some("*"), None).await)?;
        let wrong = "\"00000000000000000000000000000000\"";
        if refused(self.put(None, Some(wrong)).await)? {
            found.if_version = !refused(self.put(None, etag.as_deref()).await)?;
        }
        self.multipart(&mut found, wrong).await?;
        // Some take `*` for a tag that no object has.
        found.delete_existing = tells && !refused(self.delete(Some("*")).await)?;
        Ok(found)
    }

    async fn multipart(&self, found: &mut Capabilities, wrong: &str) -> Result<(), Failure> {
        for summed in [found.checksums, false] {
            let Some(upload) = self.upload(summed).await? else {
                continue;
            };
            let result = self.complete(&upload, Some("*"), None).await;
            found.create_new_multipart = refused(self.noted(found, result))?;
            if !found.create_new_multipart {
                return Ok(());
            }
            let result = self.complete(&upload, None, Some(wrong)).await;
            let kept = refused(self.noted(found, result))?;
            found.if_version_multipart = kept && found.if_version;
            if kept {
                let result = self.complete(&upload, None, None).await;
                self.noted(found, result)?;
            }
            return Ok(());
        }
        Ok(())
    }

    /// Notes of an upload that was completed whether the sum of its parts came back.
    fn noted(
        &self,
        found: &mut Capabilities,
        completed: Result<bool, Failure>,
    ) -> Result<(), Failure> {
        completed.map(|summed| found.multipart_checksums = summed)
    }

    async fn put(
        &self,
        if_none_match: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<(Option<String>, bool), Failure> {
        let store = self.store;
        let crc = crc_of(&[CONTENT]);
        let reply = store.call("PutObject", Repeat::Freely, |_| {
            let request = store
                .client
                .put_object()
                .bucket(&store.bucket)
                .key(&self.key);
            let request = request
                .body(body(&[CONTENT], store.signs_payload, &Progress::default()))
                .content_length(CONTENT.len() as i64)
                .checksum_algorithm(ChecksumAlgorithm::Crc32C)
                .set_checksum_crc32_c(crc.clone())
                .set_if_none_match(if_none_match.map(str::to_owned))
                .set_if_match(if_match.map(str::to_owned));
            async move { request.send().await.map_err(Failure::from) }
        });
        let reply = reply.await?;
        Ok((reply.e_tag, reply.checksum_crc32_c == crc))
    }

    async fn delete(&self, if_match: Option<&str>) -> Result<(), Failure> {
        let store = self.store;
        let reply = store.call("DeleteObject", Repeat::Freely, |_| {
            let request = store
                .client
                .delete_object()
                .bucket(&store.bucket)
                .key(&self.key);
            let request = request.set_if_match(if_match.map(str::to_owned));
            async move { request.send().await.map_err(Failure::from) }
        });
        reply.await.map(drop)
    }

    /// An upload of one part; none where the store does not take the checksums.
    async fn upload(&self, summed: bool) -> Result<Option<Begun>, Failure> {
        let store = self.store;
        let reply = store.call("CreateMultipartUpload", Repeat::Freely, |_| {
            let request = store
                .client
                .create_multipart_upload()
                .bucket(&store.bucket)
                .key(&self.key);
            let request = request
                .set_checksum_algorithm(summed.then_some(ChecksumAlgorithm::Crc32C))
                .set_checksum_type(summed.then_some(ChecksumType::FullObject));
            async move { request.send().await.map_err(Failure::from) }
        });
        let id = match reply.await {
            Ok(reply) => reply.upload_id.unwrap_or_default(),
            Err(failure) if summed && matches!(failure.status, 400 | 501) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let crc = if summed { crc_of(&[CONTENT]) } else { None };
        let reply = store.call("UploadPart", Repeat::Freely, |_| {
            let request = store
                .client
                .upload_part()
                .bucket(&store.bucket)
                .key(&self.key);
            let request = request
                .upload_id(&id)
                .part_number(1)
                .content_length(CONTENT.len() as i64)
                .set_checksum_crc32_c(crc.clone())
                .body(body(&[CONTENT], store.signs_payload, &Progress::default()));
            async move { request.send().await.map_err(Failure::from) }
        });
        let part = CompletedPart::builder()
            .part_number(1)
            .set_e_tag(reply.await?.e_tag);
        let part = part.set_checksum_crc32_c(crc.clone()).build();
        Ok(Some(Begun { id, part, crc }))
    }

    /// Whether the checksum of a completed upload came back.
    async fn complete(
        &self,
        upload: &Begun,
        if_none_match: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<bool, Failure> {
        let store = self.store;
        let parts = CompletedMultipartUpload::builder()
            .parts(upload.part.clone())
            .build();
        let kind = upload.crc.as_ref().map(|_| ChecksumType::FullObject);
        let reply = store.call("CompleteMultipartUpload", Repeat::IfNotDone, |_| {
            let request = store
                .client
                .complete_multipart_upload()
                .bucket(&store.bucket);
            let request = request.key(&self.key).upload_id(&upload.id);
            let request = request
                .multipart_upload(parts.clone())
                .set_checksum_crc32_c(upload.crc.clone())
                .set_checksum_type(kind.clone())
                .set_if_none_match(if_none_match.map(str::to_owned))
                .set_if_match(if_match.map(str::to_owned));
            async move { request.send().await.map_err(Failure::from) }
        });
        let reply = reply.await?;
        Ok(upload.crc.is_some() && reply.checksum_crc32_c == upload.crc)
    }
}

struct Begun {
    id: String,
    part: CompletedPart,
    crc: Option<String>,
}
