use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use storage_core::{Result, WriteSink, Writer, Written};
use storage_hash::WriteHasher;

use super::format::{FileKey, HEADER, SEGMENT, TAG};

/// Bytes that are encrypted without a pause, and held a second time.
const PIECE: usize = 1 << 20;

/// Encrypts a stream of bytes segment by segment.
pub(super) struct Sealer {
    key: FileKey,
    index: u64,
    /// Bytes of the segment that is not known to be the last yet.
    rest: BytesMut,
}

impl Sealer {
    pub(super) fn new(key: FileKey) -> Self {
        Self {
            key,
            index: 0,
            rest: BytesMut::new(),
        }
    }

    /// Adds bytes; what is certainly not in the last segment goes to `out`.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut BytesMut) -> Result<()> {
        while self.rest.len() + bytes.len() > SEGMENT {
            let (head, tail) = bytes.split_at(SEGMENT - self.rest.len());
            let start = out.len();
            out.reserve(SEGMENT + TAG);
            out.extend_from_slice(&self.rest);
            out.extend_from_slice(head);
            self.rest.clear();
            self.seal(out, start, false)?;
            bytes = tail;
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// The last segment.
    pub(super) fn finish(mut self, out: &mut BytesMut) -> Result<()> {
        let start = out.len();
        out.extend_from_slice(&self.rest);
        self.seal(out, start, true)
    }

    /// Encrypts what `out` has from `start` on.
    fn seal(&mut self, out: &mut BytesMut, start: usize, last: bool) -> Result<()> {
        let tag = self.key.seal(self.index, last, &mut out[start..])?;
        out.extend_from_slice(&tag);
        self.index += 1;
        Ok(())
    }
}

/// Encrypts what is written.
pub(super) struct EncryptingSink {
    inner: Writer,
    sealer: Sealer,
    hasher: WriteHasher,
    /// What goes before the next segment: the header, once.
    out: BytesMut,
}

impl EncryptingSink {
    pub(super) fn new(
        inner: Writer,
        key: FileKey,
        header: &[u8; HEADER],
        hasher: WriteHasher,
    ) -> Self {
        Self {
            inner,
            sealer: Sealer::new(key),
            hasher,
            out: BytesMut::from(&header[..]),
        }
    }
}

#[async_trait]
impl WriteSink for EncryptingSink {
    async fn write(&mut self, mut chunk: Bytes) -> Result<()> {
        while !chunk.is_empty() {
            let piece = chunk.split_to(chunk.len().min(PIECE));
            self.hasher.update(&piece);
            self.sealer.push(&piece, &mut self.out)?;
            let sealed = self.out.split().freeze();
            self.inner.write_bytes(sealed).await?;
            if !chunk.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// The segment begun is held back: whether it is the last one is not known.
    async fn flush(&mut self) -> Result<()> {
        self.inner.flush().await
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let this = *self;
        let (size, mut out, mut inner) = (this.hasher.size(), this.out, this.inner);
        let hashes = this.hasher.finish()?;
        this.sealer.finish(&mut out)?;
        inner.write_bytes(out.freeze()).await?;
        let mut written = inner.finish().await?;
        (written.size, written.hashes) = (size, hashes.reported);
        Ok(written)
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.inner.abort().await
    }
}
