use std::sync::Arc;

use aws_sdk_s3::operation::put_object::builders::PutObjectInputBuilder;
use aws_sdk_s3::types::ChecksumAlgorithm;
use bytes::Bytes;
use storage_core::{Error, HashType, ObjectPath, Result, WriteMode, Written};
use storage_hash::Hasher;

use crate::attributes::Attributes;
use crate::body::{body, length};
use crate::failure::Failure;
use crate::multipart::Upload;
use crate::publish::{Condition, written};
use crate::signature::Payload;
use crate::store::Store;
use crate::text;

/// Sets what an object carries on a request that creates one.
macro_rules! with_attributes {
    ($request:expr, $attributes:expr, $settings:expr) => {
        $request
            .content_type(
                $attributes
                    .content_type
                    .as_deref()
                    .unwrap_or($crate::attributes::DEFAULT_TYPE),
            )
            .set_cache_control($attributes.cache_control.clone())
            .set_metadata(Some($attributes.metadata.clone()))
            .set_content_encoding($attributes.extras.content_encoding.clone())
            .set_content_disposition($attributes.extras.content_disposition.clone())
            .set_content_language($attributes.extras.content_language.clone())
            .set_expires($attributes.extras.expires)
            .set_website_redirect_location($attributes.extras.website_redirect.clone())
            .set_storage_class($attributes.extras.storage_class(&$settings).map(Into::into))
            .set_server_side_encryption($attributes.extras.encryption(&$settings).0.map(Into::into))
            .set_ssekms_key_id(
                $attributes
                    .extras
                    .encryption(&$settings)
                    .1
                    .map(str::to_owned),
            )
    };
}
pub(crate) use with_attributes;

/// The CRC-32C of the pieces as headers carry it.
pub(crate) async fn crc_of(pieces: &[Bytes]) -> Option<String> {
    let hashes = digest(Hasher::new(HashType::Crc32c.into()), pieces).await;
    hashes.get(HashType::Crc32c).map(text::base64)
}

/// The digests of the pieces, which may be long: others get their turn now and then.
async fn digest(mut hasher: Hasher, pieces: &[Bytes]) -> storage_core::Hashes {
    in_turns(pieces, |piece| hasher.update(piece)).await;
    hasher.finish()
}

/// Hands over all bytes of the pieces, and yields after each megabyte.
pub(crate) async fn in_turns(pieces: &[Bytes], mut work: impl FnMut(&[u8])) {
    const TURN: usize = 1 << 20;
    let mut done = 0;
    for slice in pieces.iter().flat_map(|piece| piece.chunks(TURN)) {
        if done >= TURN {
            tokio::task::yield_now().await;
            done = 0;
        }
        work(slice);
        done += slice.len();
    }
}

/// The refusal of a write whose bytes would get the tag that it expects, so that the condition held
/// for every other such writer too.
pub(crate) fn repeated_tag() -> Error {
    Error::unsupported("replacing a version by the same bytes, which the store does not tell apart")
}

impl Store {
    /// Writes an object by one request.
    pub(crate) async fn put(
        self: &Arc<Self>,
        path: &ObjectPath,
        pieces: &[Bytes],
        attributes: &Attributes,
        mode: &WriteMode,
    ) -> Result<Written> {
        let condition = self.condition(path, mode).await?;
        if let Condition::Version(_, etag) = &condition
            && is_digest_of(etag, pieces).await
        {
            return self.put_as_part(path, pieces, attributes, &condition).await;
        }
        let crc = if self.capabilities.checksums {
            crc_of(pieces).await
        } else {
            None
        };
        let result = self
            .send_put(path, pieces, attributes, &condition, crc)
            .await;
        let etag = self.judged(path, attributes, &condition, result).await?;
        Ok(written(length(pieces), etag.as_deref(), attributes))
    }

    async fn send_put(
        &self,
        path: &ObjectPath,
        pieces: &[Bytes],
        attributes: &Attributes,
        condition: &Condition,
        crc: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let key = self.key(path);
        let size = i64::try_from(length(pieces)).unwrap_or(i64::MAX);
        let payload = Payload::of(pieces, self.signs_payload);
        let reply = self.call("PutObject", condition.repeat(), |progress| {
            let request = PutObjectInputBuilder::default();
            let request = request.bucket(&self.bucket).key(&key);
            let request = with_attributes!(request, attributes, self.settings)
                .body(body(pieces, self.joins(), &progress))
                .content_length(size)
                .set_checksum_algorithm(crc.as_ref().map(|_| ChecksumAlgorithm::Crc32C))
                .set_checksum_crc32_c(crc.clone())
                .set_if_none_match(condition.if_none_match())
                .set_if_match(condition.if_match());
            self.send(request, &payload)
        });
        Ok(reply.await?.e_tag)
    }

    /// Writes the bytes that are there already. By one request their tag would be the same again, and
    /// a condition on it would hold for every other writer that expects the same; as a part of an
    /// upload they get another one.
    async fn put_as_part(
        self: &Arc<Self>,
        path: &ObjectPath,
        pieces: &[Bytes],
        attributes: &Attributes,
        condition: &Condition,
    ) -> Result<Written> {
        if !self.capabilities.if_version_multipart {
            return Err(repeated_tag());
        }
        let mut upload = self.begin(path, attributes).await?;
        upload.send(pieces.to_vec()).await?;
        let crc = crc_of(pieces).await;
        upload.complete(attributes, condition, crc).await
    }

    /// Starts an upload in parts.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        path: &ObjectPath,
        attributes: &Attributes,
    ) -> Result<Upload> {
        Upload::create(Arc::clone(self), path, attributes).await
    }
}

/// Whether a tag is the MD5 of the bytes, as it is of objects that were written by one request.
async fn is_digest_of(etag: &str, pieces: &[Bytes]) -> bool {
    let etag = etag.trim_matches('"');
    if etag.len() != 32 {
        return false;
    }
    let hashes = digest(Hasher::new(HashType::Md5.into()), pieces).await;
    hashes.get_hex(HashType::Md5).as_deref() == Some(etag)
}
