//! Truncated, flipped and random bytes: an intact prefix and then an error that says where.

use proptest::prelude::*;
use storage_core::Bytes;
use storage_length_prefixed::{Defect, Error, Options, Prefix};

use crate::round_trip::{decode, encode, layouts};

fn records() -> Vec<Vec<u8>> {
    [0, 1, 2, 130, 0, 5]
        .map(|n| vec![n ^ 0x5a; n.into()])
        .to_vec()
}

#[test]
fn truncation_at_every_byte_is_corrupt_unless_between_records() {
    for options in layouts() {
        let records = records();
        let bytes = encode(&options, &records);
        let ends: Vec<_> = (0..=records.len())
            .map(|n| encode(&options, &records[..n]).len())
            .collect();
        for cut in 0..=bytes.len() {
            let complete = ends.iter().rposition(|end| *end <= cut).unwrap();
            let (decoded, error) = decode(&options, bytes[..cut].chunks(50));
            assert_eq!(decoded, records[..complete]);
            let Some(error) = error else {
                assert_eq!(cut, ends[complete], "{options:?} cut at {cut}");
                continue;
            };
            assert!(error.is_corrupt());
            let Error::Malformed {
                record,
                offset,
                defect: Defect::Truncated { have, need },
            } = error
            else {
                panic!("{error}")
            };
            assert_eq!(
                (record, offset),
                (complete as u64 + 1, ends[complete] as u64)
            );
            assert_eq!(have, (cut - ends[complete]) as u64);
            let total = (ends[complete + 1] - ends[complete]) as u64;
            assert!(
                need.is_none_or(|need| need == total),
                "{need:?}, not {total}"
            );
        }
    }
}

#[test]
fn with_a_checksum_every_flipped_bit_is_found() {
    for options in layouts()
        .into_iter()
        .filter(|options| format!("{options:?}").contains("crc32c: true"))
    {
        let records = records();
        let bytes = encode(&options, &records);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (decoded, error) = decode(&options, flipped.chunks(40));
            assert!(
                error.is_some_and(|error| error.is_corrupt()),
                "{options:?} bit {bit}"
            );
            assert_eq!(decoded, records[..decoded.len()], "{options:?} bit {bit}");
        }
    }
}

#[test]
fn zeros_at_the_end_are_no_records_with_a_checksum() {
    for options in layouts() {
        let (decoded, error) = decode(&options, [&[0; 64][..]].into_iter());
        let checked = format!("{options:?}").contains("crc32c: true");
        assert_eq!(error.is_some(), checked);
        assert_eq!(decoded.is_empty(), checked);
    }
}

proptest! {
    /// What is taken from random bytes is what stands there: written again, it gives those bytes.
    #[test]
    fn random_bytes_never_panic_and_are_never_misread(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..4u8], 0..200),
        size in 1..100usize,
        layout in 0..6usize,
    ) {
        let options = &layouts()[layout];
        let (decoded, error) = decode(options, bytes.chunks(size));
        let again = encode(options, &decoded);
        prop_assert!(bytes.starts_with(&again));
        match error {
            None => prop_assert_eq!(again.len(), bytes.len()),
            Some(Error::Malformed { record, offset, .. }) => {
                prop_assert_eq!((record, offset), (decoded.len() as u64 + 1, again.len() as u64));
            }
            Some(error) => prop_assert!(false, "{}", error),
        }
    }
}

#[test]
fn a_huge_length_is_refused_before_anything_is_kept() {
    for (prefix, length) in [
        (Prefix::Varint, &[0x80, 0x80, 0x80, 0x80, 0x10][..]), // 4 GiB
        (
            Prefix::Varint,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ),
        (Prefix::U32Be, &[0xff; 4]),
        (Prefix::U32Le, &[1, 0, 0, 4]), // 64 MiB and a byte
    ] {
        let mut decoder = Options::default().prefix(prefix).decoder();
        decoder.push(Bytes::copy_from_slice(length));
        for _ in 0..2 {
            let error = decoder.next_slice().unwrap_err();
            let Error::Malformed {
                record: 1,
                offset: 0,
                defect: Defect::TooLong { size, max },
            } = error
            else {
                panic!("{error}")
            };
            assert!(size > max && max == 64 << 20);
            decoder.push("\x01a".into());
        }
    }
}

#[test]
fn limits_hold_to_the_byte_both_ways() {
    for options in layouts() {
        let options = options.max_record(10);
        let bytes = encode(&options, &[vec![1; 10]]);
        assert_eq!(decode(&options, bytes.chunks(3)).0.len(), 1);
        let stricter = options.clone().max_record(9);
        let error = decode(&stricter, bytes.chunks(3)).1.unwrap();
        assert_eq!(
            error.to_string(),
            "record 1 at byte 0 has 10 bytes, more than 9"
        );
        let mut buffer = b"before".to_vec();
        let error = stricter
            .encoder()
            .encode(&[1; 10], &mut buffer)
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::RecordTooLong {
                    record: 1,
                    size: 10,
                    max: 9
                }
            ),
            "{error}"
        );
        assert_eq!(buffer, b"before");
    }
}

#[test]
fn an_overlong_length_is_accepted_on_request_alone() {
    let bytes = b"\x81\x80\x00a";
    let error = decode(&Options::default(), bytes.chunks(2)).1.unwrap();
    assert_eq!(
        error.to_string(),
        "record 1 at byte 0 has an overlong length"
    );
    let (decoded, error) = decode(&Options::default().overlong(true), bytes.chunks(2));
    assert!(error.is_none());
    assert_eq!(decoded, [b"a"]);
}
