//! What a store can do, found out by doing it.

use std::sync::Arc;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use storage_core::Result;

use crate::Capabilities;
use crate::body::body;
use crate::call::{Progress, Repeat};
use crate::failure::Failure;
use crate::multipart::abort;
use crate::put::crc_of;
use crate::store::Store;

const CONTENT: Bytes = Bytes::from_static(b"omnistorage finds out what this store can do");

/// What the last segment of a probe's key starts with, before 16 hexadecimal digits.
const NAME: &str = ".omnistorage-probe-";

/// Whether a key is that of a probe: one that another opening has not deleted yet, or that a killed
/// process left.
pub(crate) fn is_probe(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.strip_prefix(NAME)
        .is_some_and(|id| id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Tries each capability with an object of its own, which it deletes; in the background when the call
/// is dropped. Without permission to write nothing is claimed.
pub(crate) async fn probe(store: &Arc<Store>) -> Result<Capabilities> {
    let mut probe = Probe {
        store: Arc::clone(store),
        key: format!("{}{NAME}{:016x}", store.settings.prefix, fastrand::u64(..)),
        upload: None,
        left: true,
    };
    let found = probe.all().await;
    if let Err(failure) = &found
        && matches!(failure.status, 401 | 403 | 405)
    {
        tracing::debug!(error = %failure.error, "may not write, so nothing is claimed");
        return Ok(Capabilities::NONE);
    }
    let found = found?;
    clean(store, &probe.key, probe.upload.as_deref()).await?;
    probe.left = false;
    tracing::debug!(capabilities = ?found, "probed");
    Ok(found)
}

struct Probe {
    store: Arc<Store>,
    key: String,
    /// The upload that is neither completed nor aborted.
    upload: Option<String>,
    /// Whether there may be something to delete.
    left: bool,
}

impl Drop for Probe {
    fn drop(&mut self) {
        if !self.left {
            return;
        }
        let (store, key) = (Arc::clone(&self.store), std::mem::take(&mut self.key));
        let upload = self.upload.take();
        let started = self.store.background.start(async move {
            if let Err(failure) = clean(&store, &key, upload.as_deref()).await {
                tracing::debug!(key, error = %failure.error, "a probe may be left");
            }
        });
        if !started {
            tracing::debug!("a probe may be left: no runtime");
        }
    }
}

/// Removes what a probe made.
async fn clean(store: &Store, key: &str, upload: Option<&str>) -> Result<(), Failure> {
    if let Some(id) = upload {
        abort(store, key, id, false).await?;
    }
    delete(store, key, None).await
}

async fn delete(store: &Store, key: &str, if_match: Option<&str>) -> Result<(), Failure> {
    let reply = store.call("DeleteObject", Repeat::Freely, |_| {
        let request = store.client.delete_object().bucket(&store.bucket).key(key);
        let request = request.set_if_match(if_match.map(str::to_owned));
        async move { request.send().await.map_err(Failure::from) }
    });
    reply.await.map(drop)
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

impl Probe {
    async fn all(&mut self) -> Result<Capabilities, Failure> {
        let mut found = Capabilities::NONE;
        let tells = refused(delete(&self.store, &self.key, Some("*")).await)?;
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
        found.delete_existing = tells && !refused(delete(&self.store, &self.key, Some("*")).await)?;
        Ok(found)
    }

    async fn multipart(&mut self, found: &mut Capabilities, wrong: &str) -> Result<(), Failure> {
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
        let store = &self.store;
        let crc = crc_of(&[CONTENT]).await;
        let reply = store.call("PutObject", Repeat::Freely, |_| {
            let request = store
                .client
                .put_object()
                .bucket(&store.bucket)
                .key(&self.key);
            let request = request
                .body(body(&[CONTENT], true, &Progress::default()))
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

    /// An upload of one part; none where the store does not take the checksums.
    async fn upload(&mut self, summed: bool) -> Result<Option<Begun>, Failure> {
        let store = &self.store;
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
        self.upload = Some(id.clone());
        let crc = if summed {
            crc_of(&[CONTENT]).await
        } else {
            None
        };
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
                .body(body(&[CONTENT], true, &Progress::default()));
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
        &mut self,
        upload: &Begun,
        if_none_match: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<bool, Failure> {
        let store = &self.store;
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
        self.upload = None;
        Ok(upload.crc.is_some() && reply.checksum_crc32_c == upload.crc)
    }
}

struct Begun {
    id: String,
    part: CompletedPart,
    crc: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_probes_are_probes() {
        for probe in [
            ".omnistorage-probe-0123456789abcdef",
            "a/.omnistorage-probe-0123456789abcdef",
        ] {
            assert!(is_probe(probe), "{probe}");
        }
        for other in [
            "",
            ".omnistorage-probe-",
            ".omnistorage-probe-0123456789abcdefg",
            ".omnistorage-probe-0123456789abcdeg",
            ".omnistorage-probe-0123456789abcdef/x",
            "x.omnistorage-probe-0123456789abcdef",
        ] {
            assert!(!is_probe(other), "{other}");
        }
    }
}
