//! The parts of the framing format.

use crc_fast::CrcAlgorithm;

/// The most bytes that one chunk stands for.
pub(crate) const BLOCK: usize = 1 << 16;

/// Type and length at the front of every chunk.
pub(crate) const HEADER: usize = 4;

/// The checksum at the front of a chunk that holds data.
pub(crate) const CHECKSUM: usize = 4;

/// The most bytes that a block compresses to: what `snap::raw::max_compress_len` says of a block.
pub(crate) const MAX_COMPRESSED: usize = 32 + BLOCK + BLOCK / 6;

/// The chunk that starts every stream.
pub(crate) const STREAM_START: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// Chunk types that hold something.
pub(crate) const COMPRESSED: u8 = 0x00;
pub(crate) const UNCOMPRESSED: u8 = 0x01;
pub(crate) const PADDING: u8 = 0xfe;
pub(crate) const STREAM: u8 = 0xff;

/// The checksum of a block as the format masks it, so that checksums of checksums work.
pub(crate) fn masked_crc(block: &[u8]) -> u32 {
    // A 32-bit algorithm gives 32 bits.
    let crc = crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, block) as u32;
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_sizes_are_those_of_the_format() {
        // CRC-32C of "123456789" is 0xe3069283.
        let masked = 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_crc(b"123456789"), masked);
        assert_eq!(snap::raw::max_compress_len(BLOCK), MAX_COMPRESSED);
    }
}
