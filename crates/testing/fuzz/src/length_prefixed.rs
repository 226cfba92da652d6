//! Records behind their length.

use bytes::Bytes;
use storage_length_prefixed::{Defect, Error, Options, Prefix};

use crate::cuts::Cuts;

/// Records, and the error that ended them.
type Outcome = (Vec<Vec<u8>>, Option<(u64, u64, Defect)>);

/// Checks that what is decoded is what stands there, and the encoder against the decoder.
///
/// # Panics
/// When one of them breaks a promise.
pub fn check(data: &[u8]) {
    let Some((input, cuts)) = Cuts::split(data) else {
        return;
    };
    let options = options(cuts);
    let whole = decode(&options, [Bytes::copy_from_slice(input)].into_iter());
    assert_eq!(
        whole,
        decode(&options, cuts.chunks(input)),
        "cut into chunks"
    );
    let (records, error) = whole;
    let again = encode(&options, records.iter().map(Vec::as_slice));
    match error {
        None if cuts.option(3) => assert!(again.len() <= input.len()),
        None => assert_eq!(again, input, "nothing is left out in silence"),
        Some((record, offset, _)) => {
            assert_eq!(record, records.len() as u64 + 1);
            assert!(offset <= input.len() as u64);
            assert!(
                cuts.option(3) || input[..offset as usize] == again,
                "an intact prefix"
            );
        }
    }
    check_encoder(&options, input, cuts);
}

fn options(cuts: Cuts) -> Options {
    let prefix = match cuts.options & 3 {
        0 | 3 => Prefix::Varint,
        1 => Prefix::U32Be,
        _ => Prefix::U32Le,
    };
    let options = Options::default().prefix(prefix).crc32c(cuts.option(2));
    let options = options.overlong(cuts.option(3));
    match cuts.option(4) {
        true => options.max_record(cuts.below(300, 1)),
        false => options,
    }
}

fn decode(options: &Options, chunks: impl Iterator<Item = Bytes>) -> Outcome {
    let mut decoder = options.decoder();
    let mut records = Vec::new();
    let mut chunks = chunks.map(Some).chain([None]);
    loop {
        let next = match records.len() % 2 {
            0 => decoder
                .next_slice()
                .map(|record| record.map(<[u8]>::to_vec)),
            _ => decoder.next_record().map(|record| record.map(Vec::from)),
        };
        match next {
            Ok(Some(record)) => records.push(record),
            Ok(None) => match chunks.next() {
                Some(Some(chunk)) => decoder.push(chunk),
                Some(None) => assert!(decoder.end()),
                None => return (records, None),
            },
            Err(Error::Malformed {
                record,
                offset,
                defect,
            }) => {
                assert!(
                    decoder.next_slice().is_err(),
                    "nothing follows a malformed record"
                );
                return (records, Some((record, offset, defect)));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn encode<'a>(options: &Options, records: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut encoder, mut buffer) = (options.encoder(), Vec::new());
    for record in records {
        let before = buffer.len();
        if encoder.encode(record, &mut buffer).is_err() {
            assert_eq!(buffer.len(), before, "a refused record leaves nothing");
        }
    }
    buffer
}

/// Takes `input` for records and writes them, cuts them off and flips a bit.
fn check_encoder(options: &Options, input: &[u8], cuts: Cuts) {
    let options = options.clone().max_record(1 << 20);
    let records: Vec<_> = cuts.pieces(input).map(<[u8]>::to_vec).collect();
    let mut written = encode(&options, records.iter().map(Vec::as_slice));
    assert_eq!(
        decode(&options, cuts.chunks(&written)),
        (records.clone(), None)
    );
    if written.is_empty() {
        return;
    }
    let cut = cuts.below(written.len(), 2);
    let (torn, error) = decode(&options, cuts.chunks(&written[..cut]));
    assert!(records.starts_with(&torn), "cut at {cut}");
    let whole = encode(&options, torn.iter().map(Vec::as_slice)).len();
    match error {
        None => assert_eq!(whole, cut, "a cut inside a record is told"),
        Some((_, offset, Defect::Truncated { have, .. })) => {
            assert_eq!((offset, have), (whole as u64, (cut - whole) as u64));
        }
        Some(other) => panic!("cut at {cut}: {other:?}"),
    }
    if cuts.option(2) {
        written[cut] ^= 1 << (cuts.below(8, 3));
        let (prefix, error) = decode(&options, cuts.chunks(&written));
        assert!(
            records.starts_with(&prefix) && error.is_some(),
            "a flipped bit is found"
        );
    }
}
