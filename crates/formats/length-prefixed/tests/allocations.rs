//! Memory taken: none for a record inside a chunk, little for a length that lies.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use allocation_counter::measure;
use storage_core::Bytes;
use storage_length_prefixed::{Options, Prefix};

const RECORDS: usize = 1000;

#[test]
fn records_inside_a_chunk_are_read_and_written_without_any() {
    for options in [Options::default(), Options::default().crc32c(true)] {
        let (mut encoder, mut buffer) = (options.encoder(), Vec::with_capacity(1 << 20));
        let written = measure(|| {
            for _ in 0..RECORDS {
                encoder.encode(b"some record", &mut buffer).unwrap();
            }
        });
        assert_eq!(written.count_total, 0);
        // Static, so that sharing it does not begin with an allocation.
        let chunk = Bytes::from_static(buffer.leak());
        let (mut decoder, mut count) = (options.decoder(), 0);
        decoder.push(chunk.clone());
        let slices = measure(|| {
            while decoder.next_slice().unwrap().is_some() {
                count += 1;
            }
        });
        decoder.push(chunk);
        let shared = measure(|| {
            while decoder.next_record().unwrap().is_some() {
                count += 1;
            }
        });
        assert_eq!((slices.count_total, shared.count_total), (0, 0));
        assert_eq!(count, 2 * RECORDS);
    }
}

#[test]
fn a_length_of_four_gibibytes_is_refused_before_it_takes_memory() {
    for (prefix, length) in [
        (Prefix::Varint, &[0x80, 0x80, 0x80, 0x80, 0x10][..]),
        (Prefix::U32Be, &[0xff; 4]),
        (Prefix::U32Le, &[0xff; 4]),
    ] {
        let mut decoder = Options::default().prefix(prefix).decoder();
        let chunk = Bytes::from_static(length);
        let taken = measure(|| {
            decoder.push(chunk);
            decoder.next_slice().unwrap_err();
        });
        assert!(taken.bytes_total < 1000, "{} bytes", taken.bytes_total);
    }
}

#[test]
fn a_length_within_the_limit_takes_memory_as_its_bytes_arrive() {
    let mut decoder = Options::default().max_record(1 << 30).decoder();
    let prefix = Bytes::from_static(&[0x80, 0x80, 0x80, 0x80, 0x04]); // 1 GiB
    let taken = measure(|| {
        decoder.push(prefix);
        assert!(decoder.next_slice().unwrap().is_none());
    });
    assert!(taken.bytes_total < 2 << 20, "{} bytes", taken.bytes_total);
}
