//! Framed Snappy.

use storage_snappy::{SnappyDecoder, SnappyEncoder};

use crate::codec;

/// Checks decoder and encoder.
///
/// # Panics
/// When one of them breaks a promise.
pub fn check(data: &[u8]) {
    codec::check(
        data,
        SnappyEncoder::default,
        SnappyDecoder::default,
        ends_with_a_chunk,
    );
}

/// Whether it ends exactly behind a chunk: the format has no mark for the end of a stream.
fn ends_with_a_chunk(mut stream: &[u8]) -> bool {
    let mut chunks = 0;
    while let [_, low, middle, high, rest @ ..] = stream {
        let length = u32::from_le_bytes([*low, *middle, *high, 0]) as usize;
        let Some(rest) = rest.get(length..) else {
            return false;
        };
        (stream, chunks) = (rest, chunks + 1);
    }
    stream.is_empty() && chunks > 0
}
