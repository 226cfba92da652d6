use std::sync::Arc;

use aws_sdk_s3::operation::upload_part::builders::UploadPartInputBuilder;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use storage_core::{Error, ErrorKind, HashType, ObjectPath, Result, Written};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinSet;

use crate::attributes::Attributes;
use crate::body::{body, joined, length};
use crate::call::Repeat;
use crate::failure::{Certainty, Failure};
use crate::publish::{Condition, written};
use crate::put::{crc_of, repeated_tag, with_attributes};
use crate::signature::Payload;
use crate::store::Store;

/// Most parts of an upload.
pub(crate) const MAX_PARTS: i32 = 10_000;

/// An upload in parts. Dropped before it is complete, it is aborted in the background.
pub(crate) struct Upload {
    store: Arc<Store>,
    path: ObjectPath,
    id: String,
    in_flight: JoinSet<Result<CompletedPart>>,
    parts: Vec<CompletedPart>,
    next: i32,
    size: u64,
    /// Whether a part was on its way when the tasks were stopped, so that it may arrive later.
    stray: bool,
    ended: bool,
}

impl Upload {
    /// Starts one. Where the call is dropped before the store's reply, the upload is aborted once the
    /// reply comes.
    pub(crate) async fn create(
        store: Arc<Store>,
        path: &ObjectPath,
        attributes: &Attributes,
    ) -> Result<Self> {
        let (sender, receiver) = oneshot::channel();
        let (owner, path, attributes) = (Arc::clone(&store), path.clone(), attributes.clone());
        let started = owner.background.start(async move {
            // Dropping what nobody waits for aborts it.
            let _ = sender.send(Self::request(store, path, &attributes).await);
        });
        if !started {
            return Err(Error::new(ErrorKind::Other, "no runtime is left"));
        }
        receiver
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Other, "the runtime ended")))
    }

    async fn request(store: Arc<Store>, path: ObjectPath, attributes: &Attributes) -> Result<Self> {
        let key = store.key(&path);
        let summed = store.capabilities.multipart_checksums;
        let reply = store.call("CreateMultipartUpload", Repeat::Freely, |_| {
            let request = store
                .client
                .create_multipart_upload()
                .bucket(&store.bucket)
                .key(&key);
            let request = with_attributes!(request, attributes, store.settings)
                .set_checksum_algorithm(summed.then_some(ChecksumAlgorithm::Crc32C))
                .set_checksum_type(summed.then_some(ChecksumType::FullObject));
            async move { request.send().await.map_err(Failure::from) }
        });
        let id = reply.await.map_err(Error::from)?.upload_id;
        let id = id.ok_or_else(|| Error::new(ErrorKind::Other, "the store named no upload"))?;
        Ok(Self {
            store,
            path,
            id,
            in_flight: JoinSet::new(),
            parts: Vec::new(),
            next: 1,
            size: 0,
            stray: false,
            ended: false,
        })
    }

    /// The number of the next part, from 1.
    pub(crate) fn next(&self) -> i32 {
        self.next
    }

    /// Sends the next part in the background, once there is room for it or no other part of this
    /// upload is in flight. The failure of an earlier part shows here or in
    /// [`complete`](Self::complete).
    pub(crate) async fn send(&mut self, mut pieces: Vec<Bytes>) -> Result<()> {
        let size = length(&pieces);
        if self.store.joins() {
            // In one piece here, so that both are not held for the time of the request.
            pieces = vec![joined(&pieces)];
        }
        while self.in_flight.len() >= self.store.settings.concurrency {
            self.join().await?;
        }
        let number = self.number()?;
        let room = self.room(size).await?;
        let (store, key, id) = (
            Arc::clone(&self.store),
            self.store.key(&self.path),
            self.id.clone(),
        );
        self.size += size;
        self.in_flight.spawn(async move {
            let _room = room;
            part(&store, &key, &id, number, &pieces)
                .await
                .map_err(Error::from)
        });
        Ok(())
    }

    /// Makes the next part of a range of another object, of which the tag is given.
    pub(crate) async fn send_copy(
        &mut self,
        source: String,
        etag: Option<String>,
        range: std::ops::Range<u64>,
    ) -> Result<()> {
        while self.in_flight.len() >= self.store.settings.concurrency {
            self.join().await?;
        }
        let number = self.number()?;
        let (store, key, id) = (
            Arc::clone(&self.store),
            self.store.key(&self.path),
            self.id.clone(),
        );
        self.size += range.end - range.start;
        self.in_flight.spawn(async move {
            copied_part(&store, [&key, &id, &source], number, etag, range)
                .await
                .map_err(Error::from)
        });
        Ok(())
    }

    /// Room for a part; none where nothing of this upload takes any. Only its own parts are waited for:
    /// what others hold may be ranges of a reader that goes on only once this part is taken.
    async fn room(&mut self, bytes: u64) -> Result<Option<OwnedSemaphorePermit>> {
        loop {
            let room = self.store.budget.try_take(bytes);
            if room.is_some() || !self.join().await? {
                return Ok(room);
            }
        }
    }

    fn number(&mut self) -> Result<i32> {
        let number = self.next;
        if number > MAX_PARTS {
            let message = "the object needs more than 10,000 parts";
            return Err(Error::new(ErrorKind::QuotaExceeded, message));
        }
        self.next += 1;
        Ok(number)
    }

    /// Waits for one part in flight.
    async fn join(&mut self) -> Result<bool> {
        match self.in_flight.join_next().await {
            None => Ok(false),
            Some(Ok(part)) => {
                self.parts.push(part?);
                Ok(true)
            }
            Some(Err(error)) => {
                Err(Error::new(ErrorKind::Other, "a part's task ended").with_source(error))
            }
        }
    }

    /// Publishes the object once all parts are there. On failure nothing is left, unless the error
    /// says that the outcome is not known.
    pub(crate) async fn complete(
        mut self,
        attributes: &Attributes,
        condition: &Condition,
        crc: Option<String>,
    ) -> Result<Written> {
        while self.join().await? {}
        self.parts.sort_by_key(CompletedPart::part_number);
        if let Condition::Version(_, expected) = condition
            && tag_of(&self.parts).is_some_and(|tag| tag == expected.trim_matches('"'))
        {
            let _ = self.abort().await;
            return Err(repeated_tag());
        }
        let result = self.request_completion(condition, crc).await;
        let (path, store) = (self.path.clone(), Arc::clone(&self.store));
        let outcome = store.judged(&path, attributes, condition, result).await;
        match outcome {
            Ok(etag) => {
                self.ended = true;
                Ok(written(self.size, etag.as_deref(), attributes))
            }
            Err(error) => {
                let _ = self.abort().await;
                Err(error)
            }
        }
    }

    async fn request_completion(
        &self,
        condition: &Condition,
        crc: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let (store, key) = (&self.store, self.store.key(&self.path));
        let crc = crc.filter(|_| store.capabilities.multipart_checksums);
        let kind = crc.as_ref().map(|_| ChecksumType::FullObject);
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(self.parts.clone()))
            .build();
        let reply = store.call("CompleteMultipartUpload", condition.repeat(), |_| {
            let request = store
                .client
                .complete_multipart_upload()
                .bucket(&store.bucket);
            let request = request
                .key(&key)
                .upload_id(&self.id)
                .multipart_upload(parts.clone());
            let request = request
                .set_checksum_crc32_c(crc.clone())
                .set_checksum_type(kind.clone())
                .set_if_none_match(condition.if_none_match())
                .set_if_match(condition.if_match());
            async move { request.send().await.map_err(Failure::from) }
        });
        let mut result = reply.await.map(|reply| reply.e_tag);
        if let Err(failure) = &mut result
            && failure.code == "NoSuchUpload"
        {
            // An attempt before may have completed it.
            failure.certainty = Certainty::Unknown;
        }
        result
    }

    /// Aborts and waits until nothing is left. What fails, or is dropped meanwhile, is tried once more
    /// in the background.
    pub(crate) async fn abort(mut self) -> Result<()> {
        self.stray = !self.in_flight.is_empty();
        self.in_flight.shutdown().await;
        let key = self.store.key(&self.path);
        abort(&self.store, &key, &self.id, self.stray).await?;
        self.ended = true;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let had_parts = self.stray || !self.in_flight.is_empty();
        self.in_flight.abort_all();
        let (store, key, id) = (
            Arc::clone(&self.store),
            self.store.key(&self.path),
            self.id.clone(),
        );
        let owner = Arc::clone(&self.store);
        let started = owner.background.start(async move {
            if let Err(failure) = abort(&store, &key, &id, had_parts).await {
                tracing::warn!(key, error = %failure.error, "an unfinished upload is left");
            }
        });
        if !started {
            tracing::warn!(
                path = self.path.as_str(),
                "an unfinished upload is left: no runtime"
            );
        }
    }
}

/// Aborts an upload. A part that was on its way may arrive after that and stay; so the store is asked
/// again until it does not know the upload.
pub(crate) async fn abort(
    store: &Store,
    key: &str,
    id: &str,
    had_parts: bool,
) -> Result<(), Failure> {
    for attempt in 1..=3 {
        let result = store.call("AbortMultipartUpload", Repeat::Freely, |_| async {
            let request = store.client.abort_multipart_upload().bucket(&store.bucket);
            request
                .key(key)
                .upload_id(id)
                .send()
                .await
                .map_err(Failure::from)
        });
        match result.await {
            Err(failure) if failure.status == 404 => return Ok(()),
            Err(failure) => return Err(failure),
            Ok(_) if !had_parts => return Ok(()),
            Ok(_) => tokio::time::sleep(crate::call::backoff(attempt)).await,
        }
    }
    Ok(())
}

/// The tag that an object of these parts gets where tags are digests: the MD5 of those of the parts,
/// and how many there are.
fn tag_of(parts: &[CompletedPart]) -> Option<String> {
    let mut hasher = storage_hash::Hasher::new(HashType::Md5.into());
    for part in parts {
        let tag = part.e_tag()?.trim_matches('"');
        let mut digest = storage_core::Hashes::new();
        digest.insert_hex(HashType::Md5, tag).ok()?;
        hasher.update(digest.get(HashType::Md5)?);
    }
    let digest = hasher.finish().get_hex(HashType::Md5)?;
    Some(format!("{digest}-{}", parts.len()))
}

async fn part(
    store: &Store,
    key: &str,
    id: &str,
    number: i32,
    pieces: &[Bytes],
) -> Result<CompletedPart, Failure> {
    let size = i64::try_from(length(pieces)).unwrap_or(i64::MAX);
    let crc = if store.capabilities.multipart_checksums {
        crc_of(pieces).await
    } else {
        None
    };
    let payload = Payload::of(pieces, store.signs_payload);
    let reply = store.call("UploadPart", Repeat::Freely, |progress| {
        let request = UploadPartInputBuilder::default();
        let request = request
            .bucket(&store.bucket)
            .key(key)
            .upload_id(id)
            .part_number(number)
            .content_length(size)
            .set_checksum_crc32_c(crc.clone())
            .body(body(pieces, store.joins(), &progress));
        store.send(request, &payload)
    });
    let etag = reply.await?.e_tag;
    let part = CompletedPart::builder().part_number(number).set_e_tag(etag);
    Ok(part.set_checksum_crc32_c(crc).build())
}

async fn copied_part(
    store: &Store,
    [key, id, source]: [&str; 3],
    number: i32,
    etag: Option<String>,
    range: std::ops::Range<u64>,
) -> Result<CompletedPart, Failure> {
    let bytes = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
    let reply = store.call("UploadPartCopy", Repeat::Freely, |_| {
        let request = store
            .client
            .upload_part_copy()
            .bucket(&store.bucket)
            .key(key);
        let request = request
            .upload_id(id)
            .part_number(number)
            .copy_source(source);
        let request = request
            .copy_source_range(&bytes)
            .set_copy_source_if_match(etag.clone());
        async move { request.send().await.map_err(Failure::from) }
    });
    let result = reply.await?.copy_part_result;
    let part = CompletedPart::builder().part_number(number);
    let etag = result.as_ref().and_then(|part| part.e_tag.clone());
    let crc = result.and_then(|part| part.checksum_crc32_c);
    Ok(part.set_e_tag(etag).set_checksum_crc32_c(crc).build())
}
