use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::types::MetadataDirective;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use storage_core::{
    AttributePolicy, Error, ErrorKind, HashTypes, ObjectInfo, ObjectPath, ReadOptions, Result,
    WriteMode, WriteOptions, WriteParts, Written,
};

use crate::attributes::Attributes;
use crate::call::{Patience, Repeat, backoff};
use crate::extras::Extras;
use crate::failure::Failure;
use crate::publish::{Condition, size_of, written};
use crate::put::with_attributes;
use crate::sink::{odd_bytes, part_size};
use crate::store::Store;

/// Largest object that one request copies.
const LARGEST: u64 = 5 << 30;

/// Bytes of a part that the store copies.
const COPIED_PART: u64 = 512 << 20;

/// Bytes that any store copies within a second.
const COPIED_A_SECOND: u64 = 10 << 20;

/// What a source's name keeps as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Store {
    /// Copies within the bucket, without the bytes passing through here where the store can.
    pub(crate) async fn copied(
        self: &Arc<Self>,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let mut parts = options.into_parts();
        parts.restrict_to(self.features())?;
        let (mut source, mut extras) = self.found(from).await?;
        if from == to {
            return told(&source);
        }
        let mut attempts = 1;
        loop {
            let result = self
                .copy_of(&source, extras.clone().elsewhere(), to, parts.clone())
                .await;
            if attempts >= self.patience.max_attempts || !is_unmet(&result) {
                return result;
            }
            let replaced = self.found(from).await?;
            if replaced.0.version == source.version {
                return result;
            }
            (source, extras) = replaced;
            attempts += 1;
        }
    }

    /// Copies one version of an object.
    async fn copy_of(
        self: &Arc<Self>,
        source: &ObjectInfo,
        extras: Extras,
        to: &ObjectPath,
        mut parts: WriteParts,
    ) -> Result<Written> {
        let mut attributes = self.copied_attributes(source, &mut parts)?;
        attributes.extras = extras;
        let condition = self.condition(to, &parts.mode).await?;
        let size = size_of(source)?;
        let mut done = if condition == Condition::Anything && size <= LARGEST {
            self.copy_at_once(source, to, &attributes, None).await?
        } else if self.keeps_in_multipart(&parts.mode) && size > 0 {
            self.copy_in_parts(source, to, &attributes, &condition)
                .await?
        } else {
            self.copy_through(source, to, &attributes, &parts.mode)
                .await?
        };
        done.hashes = source.hashes.clone();
        Ok(done)
    }

    /// The attributes of a copy: those of the source, but for what the options say.
    fn copied_attributes(&self, source: &ObjectInfo, parts: &mut WriteParts) -> Result<Attributes> {
        if parts.size.is_some_and(|size| Some(size) != source.size) {
            let message = "the source has another size than was announced";
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        if !parts.verify.is_empty() || !parts.expected.is_empty() {
            return Err(Error::unsupported(
                "checking the bytes of a copy, which are not seen",
            ));
        }
        let missing = parts
            .hashes
            .iter()
            .any(|hash| source.hashes.get(hash).is_none());
        if missing && parts.attributes == AttributePolicy::Required {
            return Err(Error::unsupported(
                "hashes of a copy that its source does not keep",
            ));
        }
        parts.hashes = HashTypes::NONE;
        parts.content_type = parts
            .content_type
            .take()
            .or_else(|| source.content_type.clone());
        parts.cache_control = parts
            .cache_control
            .take()
            .or_else(|| source.cache_control.clone());
        if parts.metadata.is_empty() {
            parts.metadata.clone_from(&source.metadata);
        }
        let modified = match self.settings.server_modified {
            true => None,
            false => parts.modified.or(source.modified),
        };
        let mut attributes = Attributes::of(parts, modified)?;
        attributes.keep(&source.hashes);
        Ok(attributes)
    }

    /// The source of a copy as the header has it.
    fn source(&self, path: &ObjectPath) -> String {
        format!(
            "{}/{}",
            self.bucket,
            utf8_percent_encode(&self.key(path), KEPT)
        )
    }

    /// Copies by one request; `if_match`: onto an object with this tag alone.
    async fn copy_at_once(
        &self,
        source: &ObjectInfo,
        to: &ObjectPath,
        attributes: &Attributes,
        if_match: Option<String>,
    ) -> Result<Written> {
        let condition = Condition::Anything;
        let result = self.request_copy(source, to, attributes, if_match).await;
        let etag = self.judged(to, attributes, &condition, result).await?;
        Ok(written(size_of(source)?, etag.as_deref(), attributes))
    }

    async fn request_copy(
        &self,
        source: &ObjectInfo,
        to: &ObjectPath,
        attributes: &Attributes,
        if_match: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let size = source.size.unwrap_or(0);
        let (key, name) = (self.key(to), self.source(&source.path));
        // The store says nothing before it is done, so its time grows with the size.
        let patience = Patience {
            timeout: self.patience.timeout + Duration::from_secs(size / COPIED_A_SECOND),
            ..self.patience
        };
        let reply = patience.call("CopyObject", Repeat::Freely, |_| {
            let request = self.client.copy_object().bucket(&self.bucket).key(&key);
            let request = with_attributes!(request, attributes, self.settings)
                .copy_source(&name)
                .set_copy_source_if_match(tag_of(source))
                .set_if_match(if_match.clone())
                .metadata_directive(MetadataDirective::Replace);
            async move { request.send().await.map_err(Failure::from) }
        });
        Ok(reply
            .await?
            .copy_object_result
            .and_then(|result| result.e_tag))
    }

    async fn copy_in_parts(
        self: &Arc<Self>,
        source: &ObjectInfo,
        to: &ObjectPath,
        attributes: &Attributes,
        condition: &Condition,
    ) -> Result<Written> {
        let size = size_of(source)?;
        let step = part_size(COPIED_PART, Some(size));
        let mut upload = self.begin(to, attributes).await?;
        let (mut start, mut more) = (0, odd_bytes(condition.if_match().is_some()));
        while start < size {
            let end = size.min(start + step + std::mem::take(&mut more));
            upload
                .send_copy(self.source(&source.path), tag_of(source), start..end)
                .await?;
            start = end;
        }
        upload.complete(attributes, condition, None).await
    }

    /// Copies under a condition that the store keeps for uploads of one request alone.
    async fn copy_through(
        self: &Arc<Self>,
        source: &ObjectInfo,
        to: &ObjectPath,
        attributes: &Attributes,
        mode: &WriteMode,
    ) -> Result<Written> {
        if size_of(source)? > self.settings.part_size {
            let message =
                "the store decides on the condition only of objects that one request writes";
            return Err(Error::unsupported(message));
        }
        let mut options = ReadOptions::default();
        if let Some(version) = &source.version {
            options = options.if_version(version.clone());
        }
        let bytes = self.open(&source.path, options).await?.bytes().await?;
        self.put(to, &[bytes], attributes, mode).await
    }

    /// Replaces the attributes of an object and nothing else: where the store can tell, only if it is
    /// still the one that was found.
    async fn rewrite(
        self: &Arc<Self>,
        found: &ObjectInfo,
        attributes: &Attributes,
    ) -> Result<Written> {
        let (to, tag) = (&found.path, tag_of(found));
        if size_of(found)? <= LARGEST {
            let tag = tag.filter(|_| self.capabilities.if_version);
            let conditional = tag.is_some();
            let result = self.copy_at_once(found, to, attributes, tag).await;
            return match result {
                // Some keep the condition for what is put, and refuse it for copies.
                Err(error) if conditional && error.kind() == ErrorKind::Unsupported => {
                    self.copy_at_once(found, to, attributes, None).await
                }
                result => result,
            };
        }
        let condition = match (tag, &found.version) {
            (Some(tag), Some(version)) if self.capabilities.if_version_multipart => {
                Condition::Version(version.clone(), tag)
            }
            _ => Condition::Anything,
        };
        self.copy_in_parts(found, to, attributes, &condition).await
    }

    /// Adds what became known only with the last byte to an object that was written in parts. One
    /// that was replaced since stays as it is.
    pub(crate) async fn restamp(
        self: &Arc<Self>,
        path: &ObjectPath,
        done: Written,
        attributes: &mut Attributes,
    ) -> Result<Written> {
        attributes.renew();
        let mut found = ObjectInfo::new(path.clone()).with_size(done.size);
        found.etag.clone_from(&done.etag);
        found.version.clone_from(&done.version);
        match self.rewrite(&found, attributes).await {
            Ok(stamped) => Ok(stamped),
            Err(error) if is_replaced(&error) => Ok(done),
            Err(error) => {
                let message = format!(
                    "the object is written, its digests are not: {}",
                    error.message()
                );
                let failed = Error::new(error.kind(), message);
                Err(failed
                    .with_transient(error.is_transient())
                    .with_outcome_unknown())
            }
        }
    }

    /// Changes the modified time.
    pub(crate) async fn touch(
        self: &Arc<Self>,
        path: &ObjectPath,
        modified: std::time::SystemTime,
    ) -> Result<()> {
        let mut attempts = 1;
        loop {
            let (found, extras) = self.found(path).await?;
            let options = WriteOptions::default().modified(modified);
            let mut attributes = self.copied_attributes(&found, &mut options.into_parts())?;
            attributes.extras = extras.in_place(&self.settings);
            let result = self.rewrite(&found, &attributes).await;
            if attempts >= self.patience.max_attempts || !is_unmet(&result) {
                return result.map(drop);
            }
            // Somebody replaced it meanwhile: then that is what gets the time.
            tokio::time::sleep(backoff(attempts)).await;
            attempts += 1;
        }
    }
}

/// Whether nothing was written, for what was found is not there any more.
fn is_unmet(result: &Result<Written>) -> bool {
    let error = result.as_ref().err();
    error.is_some_and(|error| error.is_precondition_failed() && !error.outcome_unknown())
}

fn is_replaced(error: &Error) -> bool {
    let gone = error.is_precondition_failed() || error.kind() == ErrorKind::NotFound;
    gone && !error.outcome_unknown()
}

fn tag_of(source: &ObjectInfo) -> Option<String> {
    source.etag.as_ref().map(|etag| format!("\"{etag}\""))
}

fn told(source: &ObjectInfo) -> Result<Written> {
    let mut done = Written::new(size_of(source)?);
    done.version.clone_from(&source.version);
    done.etag.clone_from(&source.etag);
    done.modified = source.modified;
    Ok(done)
}
