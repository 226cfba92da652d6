//! Input that is cut, damaged or no stream at all.

use proptest::prelude::*;
use storage_core::{Error, ErrorKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use super::{Codec, block_on, compress, decompress, offset_of_corrupt, sample};

pub(crate) fn a_cut_at_any_byte_is_corrupt_and_says_where<C: Codec>() {
    for (size, seed) in [(0, 0), (1, 1), (700, 2), (150_000, 3)] {
        let data = sample(size, seed);
        let compressed = compress::<C>(&data);
        let unnoticed = C::unnoticed_cuts(&compressed);
        // Every length of a short stream, and of a long one those at its ends and every 97th.
        let near_ends = |at: usize| at < 300 || at + 300 > compressed.len();
        for at in (0..compressed.len()).filter(|at| near_ends(*at) || at % 97 == 0) {
            let (result, error) = decompress::<C>(&compressed[..at]);
            assert!(data.starts_with(&result), "cut at {at}");
            if unnoticed.contains(&at) {
                assert!(
                    error.is_none() && result.len() < data.len().max(1),
                    "cut at {at}: {error:?}"
                );
            } else {
                assert_eq!(offset_of_corrupt(error), at as u64);
            }
        }
    }
}

pub(crate) fn what_comes_before_a_fault_is_handed_out<C: Codec>() {
    let data = sample(4_000_000, 8);
    let compressed = compress::<C>(&data);
    // All but what the codec still held: at most a few blocks.
    let expected = |at: usize| data.len() as u64 * at as u64 / compressed.len() as u64 - 600_000;
    for at in [compressed.len() / 2, compressed.len() - 1] {
        let (result, error) = decompress::<C>(&compressed[..at]);
        assert!(data.starts_with(&result) && result.len() as u64 > expected(at));
        assert_eq!(offset_of_corrupt(error), at as u64);
        // Bytes that are no stream follow instead. It may take a while until they make no sense.
        let noise = [&compressed[..at], &[0xff; 300_000]].concat();
        let (result, error) = decompress::<C>(&noise);
        assert!(result.len() as u64 > expected(at), "{} bytes", result.len());
        let offset = offset_of_corrupt(error);
        assert!(offset + 128 * 1024 >= at as u64, "{offset} for {at}");
    }
}

pub(crate) fn a_cut_between_members_and_garbage_after_them<C: Codec>() {
    let data = sample(1_000, 4);
    let first = compress::<C>(&data);
    let both = [&first[..], &first[..]].concat();
    for at in first.len() + 1..both.len() {
        let (result, error) = decompress::<C>(&both[..at]);
        assert!(result.starts_with(&data));
        let unnoticed = C::unnoticed_cuts(&both[first.len()..]);
        if !unnoticed.contains(&(at - first.len())) {
            assert_eq!(offset_of_corrupt(error), at as u64);
        }
    }
    for garbage in [&b"\0"[..], b"garbage", &[0; 512]] {
        let (result, error) = decompress::<C>(&[&first[..], garbage].concat());
        assert!(result == data);
        let offset = offset_of_corrupt(error);
        assert!(offset >= first.len() as u64, "{offset} of {}", first.len());
    }
}

pub(crate) fn a_flipped_bit_never_passes_for_the_data<C: Codec>() {
    for size in [40, 900] {
        let data = sample(size, 5);
        let compressed = compress::<C>(&data);
        let mut noticed = 0;
        for bit in 0..compressed.len() * 8 {
            let mut damaged = compressed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (result, error) = decompress::<C>(&damaged);
            match error {
                // A few bits of a header mean nothing.
                None => assert!(result == data, "bit {bit} changes the data unnoticed"),
                Some(error) => {
                    noticed += 1;
                    let offset = offset_of_corrupt(Some(error));
                    assert!(offset <= compressed.len() as u64);
                }
            }
        }
        let bits = compressed.len() * 8;
        assert!(noticed * 10 > bits * 7, "{noticed} of {bits} bits");
    }
}

pub(crate) fn random_bytes_are_corrupt<C: Codec>() {
    let start = compress::<C>(&sample(300, 6));
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(500)
    };
    let cases = (0usize..60, proptest::collection::vec(any::<u8>(), 0..400));
    proptest!(config, |((kept, bytes) in cases)| {
        for input in [bytes.clone(), [&start[..kept.min(start.len())], &bytes[..]].concat()] {
            let (_, error) = decompress::<C>(&input);
            if let Some(error) = error {
                prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
            } else {
                prop_assert!(input.starts_with(&start[..3]), "{:?} is taken for a stream", input);
            }
        }
    });
}

pub(crate) fn a_failed_reader_never_ends<C: Codec>() {
    block_on(async {
        let data = sample(400_000, 7);
        let mut compressed = compress::<C>(&data);
        compressed.truncate(compressed.len() - 1);
        let mut reader = C::reader(&compressed[..]);
        let mut result = Vec::new();
        reader.read_to_end(&mut result).await.unwrap_err();
        for _ in 0..3 {
            let error: Error = reader.fill_buf().await.unwrap_err().into();
            assert!(error.is_corrupt(), "{error}");
            reader.read(&mut [0; 100_000]).await.unwrap_err();
            reader.read(&mut [0; 1]).await.unwrap_err();
        }
        // A failure below at a place where the stream may end is no end either.
        let whole = compress::<C>(&data);
        let mut reader = C::reader(tokio::io::BufReader::new((&whole[..]).chain(Fails)));
        let error: Error = reader.read_to_end(&mut result).await.unwrap_err().into();
        assert!(error.is_timeout(), "{error}");
        let error: Error = reader.read_to_end(&mut result).await.unwrap_err().into();
        assert_eq!(error.kind(), ErrorKind::ReaderClosed);
    });
}

/// Fails once, then ends.
struct Fails;

impl tokio::io::AsyncRead for Fails {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Err(Error::new(ErrorKind::Timeout, "").into()))
    }
}
