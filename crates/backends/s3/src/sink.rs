use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Error, HashType, ObjectPath, Result, WriteMode, WriteParts, WriteSink, Written,
};
use storage_hash::{Hasher, WriteHasher};

use crate::attributes::Attributes;
use crate::multipart::{MAX_PARTS, Upload};

use crate::store::Store;
use crate::text;

/// One write: gathers a part at a time. What fits one part is one request.
pub(crate) struct S3Sink {
    store: Arc<Store>,
    path: ObjectPath,
    parts: WriteParts,
    attributes: Attributes,
    hasher: WriteHasher,
    /// Over all parts, where the store keeps it.
    crc: Option<Hasher>,
    pieces: Vec<Bytes>,
    gathered: u64,
    part_size: u64,
    /// By how much the first part is longer.
    odd: u64,
    upload: Option<Upload>,
}

impl S3Sink {
    /// # Errors
    /// `Unsupported` for what the store cannot keep, as far as that shows yet.
    pub(crate) fn new(store: Arc<Store>, path: ObjectPath, mut parts: WriteParts) -> Result<Self> {
        parts.restrict_to(store.features())?;
        let attributes = Attributes::of(&parts, parts.modified)?;
        let part_size = part_size(store.settings.part_size, parts.size);
        let sink = Self {
            hasher: WriteHasher::new(&parts),
            crc: store
                .capabilities
                .multipart_checksums
                .then(|| Hasher::new(HashType::Crc32c.into())),
            attributes,
            pieces: Vec::new(),
            gathered: 0,
            part_size,
            odd: odd_bytes(matches!(parts.mode, WriteMode::IfVersion(_))),
            upload: None,
            store,
            path,
            parts,
        };
        if sink.parts.size.is_some_and(|size| size > part_size) {
            sink.check_large()?;
        }
        Ok(sink)
    }

    /// Whether the store keeps the condition for an object of several parts.
    fn check_large(&self) -> Result<()> {
        if self.store.keeps_in_multipart(&self.parts.mode) {
            return Ok(());
        }
        let message = format!(
            "the store decides on conditions only of objects up to {} bytes, which one request writes",
            self.part_size
        );
        Err(Error::unsupported(message))
    }

    /// Cuts the gathered pieces after `count` bytes.
    fn cut(&mut self, count: u64) -> Vec<Bytes> {
        let (mut part, mut left) = (Vec::with_capacity(self.pieces.len()), count);
        let mut rest = Vec::new();
        for mut piece in std::mem::take(&mut self.pieces) {
            let length = piece.len() as u64;
            if left >= length {
                left -= length;
                part.push(piece);
                continue;
            }
            // Fits: it is less than the length of the piece.
            let first = piece.split_to(usize::try_from(left).unwrap_or(0));
            left = 0;
            if !first.is_empty() {
                part.push(first);
            }
            rest.push(piece);
        }
        self.pieces = rest;
        self.gathered -= count - left;
        part
    }

    /// Sends a part of the given size, beginning the upload with the first.
    async fn send(&mut self, count: u64) -> Result<()> {
        if self.upload.is_none() {
            self.check_large()?;
            self.attributes.keep(&self.expected());
            self.upload = Some(self.store.begin(&self.path, &self.attributes).await?);
        }
        let part = self.cut(count);
        if let Some(upload) = &mut self.upload {
            upload.send(part).await?;
            self.part_size = grown(self.part_size, upload.next(), self.parts.size);
        }
        Ok(())
    }

    /// The digests to be stored that are known before the bytes are.
    fn expected(&self) -> storage_core::Hashes {
        let mut known = storage_core::Hashes::new();
        for (hash, digest) in self.parts.expected.iter() {
            if self.parts.hashes.contains(hash) {
                let _ = known.insert(hash, digest);
            }
        }
        known
    }

    async fn publish(mut self) -> Result<Written> {
        let hashes = self.hasher.clone().finish()?;
        let Some(_) = &self.upload else {
            self.attributes.keep(&hashes.stored);
            let (store, mode) = (Arc::clone(&self.store), self.parts.mode.clone());
            let mut written = store
                .put(&self.path, &self.pieces, &self.attributes, &mode)
                .await?;
            written.hashes = hashes.reported;
            return Ok(written);
        };
        if self.gathered > 0 {
            self.send(self.gathered).await?;
        }
        let crc = self.crc.take().map(Hasher::finish);
        let crc = crc.and_then(|hashes| hashes.get(HashType::Crc32c).map(text::base64));
        let condition = self.store.condition(&self.path, &self.parts.mode).await?;
        let mut written = match self.upload.take() {
            Some(upload) => upload.complete(&self.attributes, &condition, crc).await?,
            None => Written::default(),
        };
        let late = hashes.stored.types() != self.expected().types();
        if late {
            self.attributes.keep(&hashes.stored);
            written = self
                .store
                .restamp(&self.path, written, &mut self.attributes)
                .await?;
        }
        written.hashes = hashes.reported;
        Ok(written)
    }
}

#[async_trait]
impl WriteSink for S3Sink {
    fn chunk_size(&self) -> usize {
        1 << 20
    }

    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.hasher.update(&chunk);
        if let Some(crc) = &mut self.crc {
            crc.update(&chunk);
        }
        self.gathered += chunk.len() as u64;
        self.pieces.push(chunk);
        // More than a part: what is one part exactly may yet be the whole object.
        while self.gathered > self.part_size + self.odd {
            let odd = std::mem::take(&mut self.odd);
            self.send(self.part_size + odd).await?;
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        self.publish().await
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        match self.upload.take() {
            Some(upload) => upload.abort().await,
            None => Ok(()),
        }
    }
}

/// By how much the first part is longer where a version is replaced. The tag of an object says where
/// its parts end; so the same bytes written again get another one, and of the writers that expect the
/// first version one wins.
pub(crate) fn odd_bytes(replaces: bool) -> u64 {
    if replaces {
        fastrand::u64(1..=1 << 18)
    } else {
        0
    }
}

/// The size of parts with which an object of `size` bytes has no more than it may.
pub(crate) fn part_size(base: u64, size: Option<u64>) -> u64 {
    let least = size.unwrap_or(0).div_ceil(MAX_PARTS as u64);
    base.max(least.next_multiple_of(1 << 20))
}

/// The size of the part `next` of an object whose size is not known: doubled every 950 parts, so
/// that 10,000 hold more than 5 TiB.
fn grown(now: u64, next: i32, size: Option<u64>) -> u64 {
    let doubles = size.is_none() && next > 1 && next % 950 == 1;
    if doubles { (now * 2).min(5 << 30) } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_object_fits() {
        let five = 5u64 << 40;
        for base in [5 << 20, 8 << 20, 64 << 20] {
            let known = part_size(base, Some(five));
            assert!(known * MAX_PARTS as u64 >= five && known <= 5 << 30);
            let (mut size, mut part) = (0u64, base);
            for next in 2..=MAX_PARTS + 1 {
                size += part;
                part = grown(part, next, None);
            }
            assert!(size >= five, "{base}: {size}");
        }
        assert_eq!(part_size(8 << 20, Some(1 << 30)), 8 << 20);
    }
}
