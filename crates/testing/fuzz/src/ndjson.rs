//! NDJSON.

use bytes::Bytes;
use storage_ndjson::{Decoder, Error, Options};

use crate::cuts::Cuts;

/// A record; or line and offset of one that is too long or, with `true`, no JSON.
type Outcome = Result<Vec<u8>, (u64, u64, bool)>;

/// Checks the decoder against a plain reading of the format, and the encoder against the decoder.
///
/// # Panics
/// When one of them breaks a promise.
pub fn check(data: &[u8]) {
    let Some((input, cuts)) = Cuts::split(data) else {
        return;
    };
    let max = if cuts.option(0) {
        cuts.below(40, 1)
    } else {
        1 << 20
    };
    let validate = cuts.option(1);
    let options = Options::default().max_record(max).validate(validate);
    let whole = decode(&options, [Bytes::copy_from_slice(input)].into_iter());
    assert_eq!(
        whole,
        decode(&options, cuts.chunks(input)),
        "cut into chunks"
    );
    if validate {
        // Whether a record is JSON is serde_json's to say; all else must be as without asking it.
        let lax = decode(&options.clone().validate(false), cuts.chunks(input));
        assert_eq!(whole.len(), lax.len());
        for (strict, lax) in whole.iter().zip(lax) {
            assert!(
                *strict == lax || matches!(strict, Err((_, _, true))),
                "{strict:?}"
            );
        }
    } else {
        assert_eq!(whole, plainly(input, max), "a plain reading");
    }
    check_encoder(&options, input, cuts);
}

/// Lines between line endings, as plainly as it can be said.
fn plainly(input: &[u8], max: usize) -> Vec<Outcome> {
    let (mut outcomes, mut offset) = (Vec::new(), 0);
    for (line, number) in input.split(|byte| *byte == b'\n').zip(1..) {
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        if content.len() > max {
            outcomes.push(Err((number, offset, false)));
        } else if !content.iter().all(|byte| b" \t\r".contains(byte)) {
            outcomes.push(Ok(content.to_vec()));
        }
        offset += line.len() as u64 + 1;
    }
    outcomes
}

fn decode(options: &Options, chunks: impl Iterator<Item = Bytes>) -> Vec<Outcome> {
    let mut decoder = options.decoder();
    let mut outcomes = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        take(&mut decoder, &mut outcomes);
    }
    assert!(decoder.end());
    take(&mut decoder, &mut outcomes);
    outcomes
}

fn take(decoder: &mut Decoder, outcomes: &mut Vec<Outcome>) {
    loop {
        // Both ways to take a record, in turns.
        let next = match outcomes.len() % 2 {
            0 => decoder
                .next_slice()
                .map(|record| record.map(<[u8]>::to_vec)),
            _ => decoder.next_record().map(|record| record.map(Vec::from)),
        };
        outcomes.push(match next {
            Ok(Some(record)) => Ok(record),
            Ok(None) => break,
            Err(Error::LineTooLong { line, offset, .. }) => Err((line, offset, false)),
            Err(Error::InvalidJson { line, offset, .. }) => Err((line, offset, true)),
            Err(error) => panic!("{error}"),
        });
    }
}

/// Takes `input` for records and writes them.
fn check_encoder(options: &Options, input: &[u8], cuts: Cuts) {
    let mut encoder = options.encoder();
    let (mut buffer, mut accepted) = (Vec::new(), Vec::new());
    for record in cuts.pieces(input) {
        let before = buffer.len();
        match encoder.encode(record, &mut buffer) {
            Ok(()) => accepted.push(Ok(record.to_vec())),
            Err(error) => {
                assert!(error.is_corrupt());
                assert_eq!(buffer.len(), before, "a refused record leaves nothing");
            }
        }
    }
    assert_eq!(
        decode(options, cuts.chunks(&buffer)),
        accepted,
        "what was written"
    );
    let cut = cuts.below(buffer.len() + 1, 2);
    let whole = buffer[..cut].iter().filter(|byte| **byte == b'\n').count();
    let torn = decode(options, cuts.chunks(&buffer[..cut]));
    assert_eq!(torn[..whole], accepted[..whole], "cut at {cut}");
}
