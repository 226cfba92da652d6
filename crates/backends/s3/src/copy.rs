use std::sync::Arc;

use aws_sdk_s3::types::MetadataDirective;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use storage_core::{
    AttributePolicy, Error, ErrorKind, HashTypes, ObjectInfo, ObjectPath, ReadOptions, Result,
    WriteMode, WriteOptions, WriteParts, Written,
};

use crate::attributes::Attributes;
use crate::call::Repeat;
use crate::failure::Failure;
use crate::publish::{Condition, written};
use crate::put::with_attributes;
use crate::sink::part_size;
use crate::store::Store;

/// Largest object that one request copies.
const LARGEST: u64 = 5 << 30;

/// Bytes of a part that the store copies.
const COPIED_PART: u64 = 512 << 20;

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
        let source = self.head(from).await.map_err(Error::from)?;
        if from == to {
            return Ok(told(&source));
        }
        let attributes = self.copied_attributes(&source, &mut parts)?;
        let condition = self.condition(to, &parts.mode).await?;
        let size = source.size.unwrap_or(0);
        let mut done = if condition == Condition::Anything && size <= LARGEST {
            self.copy_at_once(&source, to, &attributes).await?
        } else if self.keeps_in_multipart(&parts.mode) && size > 0 {
            self.copy_in_parts(&source, to, &attributes, &condition)
                .await?
        } else {
            self.copy_through(&source, to, &attributes, &parts.mode)
                .await?
        };
        done.hashes = source.hashes;
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

    async fn copy_at_once(
        &self,
        source: &ObjectInfo,
        to: &ObjectPath,
        attributes: &Attributes,
    ) -> Result<Written> {
        let condition = Condition::Anything;
        let result = self.request_copy(source, to, attributes, None).await;
        let etag = self.judged(to, attributes, &condition, result).await?;
        Ok(written(
            source.size.unwrap_or(0),
            etag.as_deref(),
            attributes,
        ))
    }

    async fn request_copy(
        &self,
        source: &ObjectInfo,
        to: &ObjectPath,
        attributes: &Attributes,
        if_match: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let (key, name) = (self.key(to), self.source(&source.path));
        let reply = self.call("CopyObject", Repeat::Freely, |_| {
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
        let size = source.size.unwrap_or(0);
        let step = part_size(COPIED_PART, Some(size));
        let mut upload = self.begin(to, attributes).await?;
        let mut start = 0;
        while start < size {
            let end = size.min(start + step);
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
        if source.size.unwrap_or(0) > self.settings.part_size {
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

    /// Replaces the attributes of an object and nothing else.
    pub(crate) async fn rewrite(
        self: &Arc<Self>,
        found: &ObjectInfo,
        attributes: &Attributes,
    ) -> Result<Written> {
        if found.size.unwrap_or(0) > LARGEST {
            let condition = Condition::Anything;
            return self
                .copy_in_parts(found, &found.path, attributes, &condition)
                .await;
        }
        let to = &found.path;
        let result = self.request_copy(found, to, attributes, None).await;
        let etag = self
            .judged(to, attributes, &Condition::Anything, result)
            .await?;
        Ok(written(
            found.size.unwrap_or(0),
            etag.as_deref(),
            attributes,
        ))
    }

    /// Adds what became known only with the last byte to an object that was written in parts.
    pub(crate) async fn restamp(
        self: &Arc<Self>,
        path: &ObjectPath,
        done: &Written,
        attributes: &mut Attributes,
    ) -> Result<Written> {
        attributes.renew();
        let mut found = ObjectInfo::new(path.clone()).with_size(done.size);
        found.etag.clone_from(&done.etag);
        self.rewrite(&found, attributes).await
    }

    /// Changes the modified time.
    pub(crate) async fn touch(
        self: &Arc<Self>,
        path: &ObjectPath,
        modified: std::time::SystemTime,
    ) -> Result<()> {
        let found = self.head(path).await.map_err(Error::from)?;
        let options = WriteOptions::default().modified(modified);
        let attributes = self.copied_attributes(&found, &mut options.into_parts())?;
        self.rewrite(&found, &attributes).await.map(drop)
    }
}

fn tag_of(source: &ObjectInfo) -> Option<String> {
    source.etag.as_ref().map(|etag| format!("\"{etag}\""))
}

fn told(source: &ObjectInfo) -> Written {
    let mut done = Written::new(source.size.unwrap_or(0));
    done.version.clone_from(&source.version);
    done.etag.clone_from(&source.etag);
    done.modified = source.modified;
    done
}
