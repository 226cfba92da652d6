//! Every record comes back, in every layout and however the bytes arrive.

use proptest::prelude::*;
use storage_core::Bytes;
use storage_length_prefixed::{Decoder, Error, Options, Prefix};

pub(crate) fn layouts() -> Vec<Options> {
    let prefixes = [Prefix::Varint, Prefix::U32Be, Prefix::U32Le].into_iter();
    prefixes
        .flat_map(|prefix| [false, true].map(|crc| Options::default().prefix(prefix).crc32c(crc)))
        .collect()
}

pub(crate) fn encode(options: &Options, records: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = options.encoder();
    let mut buffer = Vec::new();
    for record in records {
        encoder.encode(record, &mut buffer).unwrap();
    }
    buffer
}

/// All records up to the end or the first error.
pub(crate) fn decode<'a>(
    options: &Options,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Option<Error>) {
    let mut decoder = options.decoder();
    let mut records = Vec::new();
    let mut take = |decoder: &mut Decoder| loop {
        match decoder.next_slice() {
            Ok(Some(record)) => records.push(record.to_vec()),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        if let Some(error) = take(&mut decoder) {
            return (records, Some(error));
        }
    }
    assert!(decoder.end());
    let error = take(&mut decoder);
    (records, error)
}

#[test]
fn chunk_boundaries_at_every_byte_change_nothing() {
    let records = [&b""[..], b"a", &[7; 127], &[8; 128], b"", &[9; 300], b"\0"].map(<[u8]>::to_vec);
    for options in layouts() {
        let bytes = encode(&options, &records);
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            let (decoded, error) = decode(&options, [head, tail].into_iter());
            assert!(error.is_none(), "{options:?} cut at {cut}: {error:?}");
            assert_eq!(decoded, records, "{options:?} cut at {cut}");
        }
        for size in 1..20 {
            assert_eq!(
                decode(&options, bytes.chunks(size)).0,
                records,
                "{options:?} by {size}"
            );
        }
    }
}

proptest! {
    #[test]
    fn random_records_come_back(
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        size in 1..700usize,
        layout in 0..6usize,
    ) {
        let options = &layouts()[layout];
        let bytes = encode(options, &records);
        let (decoded, error) = decode(options, bytes.chunks(size));
        prop_assert!(error.is_none());
        prop_assert_eq!(decoded, records);
    }
}

#[test]
fn layouts_are_the_documented_ones() {
    let record = [b"123".to_vec()];
    let layout = |prefix, crc| encode(&Options::default().prefix(prefix).crc32c(crc), &record);
    assert_eq!(layout(Prefix::Varint, false), b"\x03123");
    assert_eq!(layout(Prefix::U32Be, false), b"\0\0\0\x03123");
    assert_eq!(layout(Prefix::U32Le, false), b"\x03\0\0\x00123");
    let whole = *b"123456789";
    let payload = &whole[1..];
    let mut expected = vec![8];
    expected.extend_from_slice(payload);
    expected.extend_from_slice(&crc_of(&expected).to_le_bytes());
    assert_eq!(crc_of(&whole), 0xe306_9283, "the algorithm's check value");
    assert_eq!(
        encode(&Options::default().crc32c(true), &[payload.to_vec()]),
        expected
    );
}

/// CRC-32C bit by bit, as RFC 3720 defines it.
fn crc_of(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn records_inside_a_chunk_are_slices_of_it() {
    for options in layouts() {
        let chunk = Bytes::from(encode(&options, &[b"one".to_vec(), b"two".to_vec()]));
        let within = |record: &[u8]| chunk.as_ptr_range().contains(&record.as_ptr());
        let mut decoder = options.decoder();
        decoder.push(chunk.clone());
        assert!(within(&decoder.next_record().unwrap().unwrap()));
        assert!(within(decoder.next_slice().unwrap().unwrap()));
        assert_eq!(
            (decoder.records(), decoder.offset()),
            (2, chunk.len() as u64)
        );
    }
}

#[test]
fn pushing_before_all_was_taken_loses_nothing() {
    let records: Vec<_> = (0..50).map(|n| vec![n; n.into()]).collect();
    for options in layouts() {
        let mut decoder = options.decoder();
        encode(&options, &records)
            .chunks(7)
            .for_each(|chunk| decoder.push(Bytes::copy_from_slice(chunk)));
        decoder.end();
        decoder.push("late".into());
        let taken = std::iter::from_fn(|| decoder.next_record().unwrap().map(Vec::from))
            .collect::<Vec<_>>();
        assert_eq!(taken, records);
    }
}

#[cfg(feature = "json")]
#[test]
fn values_come_back_and_others_are_named() {
    let mut encoder = Options::default().encoder();
    let mut buffer = Vec::new();
    encoder.encode_json(&("a\nb", 1), &mut buffer).unwrap();
    encoder.encode(b"{", &mut buffer).unwrap();
    encoder.encode_json(&("c", 2), &mut buffer).unwrap();
    let refused = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = encoder.encode_json(&refused, &mut buffer).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("record 4: key must be a string"),
        "{error}"
    );
    let mut decoder = Options::default().decoder();
    decoder.push(buffer.into());
    assert_eq!(
        decoder.next_json::<(String, u8)>().unwrap(),
        Some(("a\nb".into(), 1))
    );
    let error = decoder.next_json::<(String, u8)>().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("record 2 at byte 11: invalid type: map"),
        "{error}"
    );
    assert!(storage_core::Error::from(error).is_corrupt());
    assert_eq!(
        decoder.next_json::<(String, u8)>().unwrap(),
        Some(("c".into(), 2))
    );
    assert_eq!(decoder.next_json::<u8>().unwrap(), None);
}
