use std::fmt;

use snap::raw;
use storage_compression::{Encode, Output};
use storage_core::{Error, ErrorKind, Result};

use crate::chunk::{
    BLOCK, CHECKSUM, COMPRESSED, HEADER, MAX_COMPRESSED, STREAM_START, UNCOMPRESSED, masked_crc,
};

/// Writes one Snappy stream. A block that does not get smaller by an eighth is stored as it is.
pub struct SnappyEncoder {
    block: raw::Encoder,
    /// Taken and not yet compressed, less than a block.
    gathered: Vec<u8>,
    /// Chunks that were not all put.
    chunks: Vec<u8>,
    put: usize,
}

impl Default for SnappyEncoder {
    fn default() -> Self {
        Self {
            block: raw::Encoder::new(),
            gathered: Vec::new(),
            chunks: STREAM_START.to_vec(),
            put: 0,
        }
    }
}

impl SnappyEncoder {
    /// Puts what is ready; `true` when nothing is left.
    fn put_chunks(&mut self, output: &mut Output<'_>) -> bool {
        let mut rest = self.chunks.get(self.put..).unwrap_or_default();
        output.put(&mut rest);
        self.put = self.chunks.len() - rest.len();
        if self.put == self.chunks.len() {
            self.chunks.clear();
            self.put = 0;
        }
        self.chunks.is_empty()
    }

    /// Puts what is gathered and ready; `true` when nothing is left.
    fn put_all(&mut self, output: &mut Output<'_>) -> Result<bool> {
        if !self.put_chunks(output) {
            return Ok(false);
        }
        if !self.gathered.is_empty() {
            append_chunk(&mut self.block, &self.gathered, &mut self.chunks)?;
            self.gathered.clear();
        }
        Ok(self.put_chunks(output))
    }
}

/// Appends the chunk of one block.
fn append_chunk(encoder: &mut raw::Encoder, block: &[u8], chunks: &mut Vec<u8>) -> Result<()> {
    let start = chunks.len();
    let body = start + HEADER + CHECKSUM;
    chunks.resize(body + MAX_COMPRESSED, 0);
    let room = chunks.get_mut(body..).unwrap_or_default();
    let compressed = encoder.compress(block, room).map_err(|error| {
        Error::new(ErrorKind::Other, "snappy: compression failed").with_source(error)
    })?;
    let kind = if compressed < block.len() - block.len() / 8 {
        chunks.truncate(body + compressed);
        COMPRESSED
    } else {
        chunks.truncate(body);
        chunks.extend_from_slice(block);
        UNCOMPRESSED
    };
    // At most a block, which fits three bytes.
    let length = (chunks.len() - start - HEADER) as u32;
    let [low, middle, high, _] = length.to_le_bytes();
    let [a, b, c, d] = masked_crc(block).to_le_bytes();
    if let Some(header) = chunks.get_mut(start..body) {
        header.copy_from_slice(&[kind, low, middle, high, a, b, c, d]);
    }
    Ok(())
}

impl Encode for SnappyEncoder {
    fn encode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<()> {
        while !input.is_empty() && self.put_chunks(output) {
            let (now, later) = input.split_at((BLOCK - self.gathered.len()).min(input.len()));
            *input = later;
            if now.len() == BLOCK {
                append_chunk(&mut self.block, now, &mut self.chunks)?;
                continue;
            }
            self.gathered.extend_from_slice(now);
            if self.gathered.len() == BLOCK {
                append_chunk(&mut self.block, &self.gathered, &mut self.chunks)?;
                self.gathered.clear();
            }
        }
        self.put_chunks(output);
        Ok(())
    }

    fn flush(&mut self, output: &mut Output<'_>) -> Result<bool> {
        self.put_all(output)
    }

    fn finish(&mut self, output: &mut Output<'_>) -> Result<bool> {
        self.put_all(output)
    }
}

impl fmt::Debug for SnappyEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnappyEncoder")
            .field("gathered", &self.gathered.len())
            .field("ready", &(self.chunks.len() - self.put))
            .finish_non_exhaustive()
    }
}
