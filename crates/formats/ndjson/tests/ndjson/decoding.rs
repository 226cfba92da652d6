//! The decoder against a model that sees all bytes at once.

use proptest::prelude::*;
use serde_json::value::RawValue;
use storage_core::Bytes;
use storage_ndjson::{Decoder, Error, Options};

/// A record, or the line and offset of one that is too long.
type Outcome = Result<Vec<u8>, (u64, u64)>;

/// What must come out of `input`, written as plainly as possible.
fn model(input: &[u8], max: usize) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut offset = 0;
    for (index, line) in input.split(|byte| *byte == b'\n').enumerate() {
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        if content.len() > max {
            outcomes.push(Err((index as u64 + 1, offset)));
        } else if !content.iter().all(|byte| b" \t\r".contains(byte)) {
            outcomes.push(Ok(content.to_vec()));
        }
        offset += line.len() as u64 + 1;
    }
    outcomes
}

fn outcome(record: Result<&[u8], Error>) -> Outcome {
    match record {
        Ok(record) => Ok(record.to_vec()),
        Err(Error::LineTooLong { line, offset, .. }) => Err((line, offset)),
        Err(error) => panic!("{error}"),
    }
}

fn take(decoder: &mut Decoder, outcomes: &mut Vec<Outcome>) {
    loop {
        match decoder.next_slice() {
            Ok(None) => break,
            Ok(Some(record)) => outcomes.push(outcome(Ok(record))),
            Err(error) => outcomes.push(outcome(Err(error))),
        }
    }
}

fn decode<'a>(chunks: impl Iterator<Item = &'a [u8]>, max: usize) -> Vec<Outcome> {
    let mut decoder = Options::default().max_record(max).decoder();
    let mut outcomes = Vec::new();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        take(&mut decoder, &mut outcomes);
    }
    assert!(decoder.end());
    take(&mut decoder, &mut outcomes);
    assert!(!decoder.end());
    outcomes
}

const TRICKY: &[u8] = b"\n{\"a\":1}\r\n\r\n  \n[1,\t2] \n\r\r\nlonger than ten\n0123456789\r\n\
    0123456789a\r\nx\r\r\n \t \nlast one is too long\r";

#[test]
fn chunk_boundaries_at_every_byte_change_nothing() {
    for max in [0, 1, 9, 10, 11, 1000] {
        let expected = model(TRICKY, max);
        for cut in 0..=TRICKY.len() {
            let (head, tail) = TRICKY.split_at(cut);
            assert_eq!(
                decode([head, tail].into_iter(), max),
                expected,
                "cut at {cut}, max {max}"
            );
        }
        for size in 1..TRICKY.len() {
            assert_eq!(
                decode(TRICKY.chunks(size), max),
                expected,
                "chunks of {size}, max {max}"
            );
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_decoded_as_the_model_says(
        input in prop::collection::vec(prop::sample::select(&b"\n\n\r \ta{"[..]), 0..120),
        size in 1..40usize,
        max in 0..12usize,
    ) {
        prop_assert_eq!(decode(input.chunks(size), max), model(&input, max));
    }

    #[test]
    fn any_bytes_are_decoded_as_the_model_says(
        input in prop::collection::vec(any::<u8>(), 0..600),
        size in 1..300usize,
    ) {
        prop_assert_eq!(decode(input.chunks(size), 50), model(&input, 50));
    }
}

proptest! {
    #[test]
    fn lines_of_all_lengths_are_decoded_as_the_model_says(
        lengths in prop::collection::vec(prop_oneof![0..100usize, 0..2000usize], 0..20),
        size in 1..3000usize,
    ) {
        let lines = lengths.iter().flat_map(|length| [vec![b'x'; *length], b"\n".to_vec()]);
        let input = lines.collect::<Vec<_>>().concat();
        prop_assert_eq!(decode(input.chunks(size), 1500), model(&input, 1500));
    }
}

#[test]
fn pushing_before_all_was_taken_loses_nothing() {
    let mut decoder = Options::default().decoder();
    TRICKY
        .chunks(7)
        .for_each(|chunk| decoder.push(Bytes::copy_from_slice(chunk)));
    decoder.end();
    decoder.push("late\n".into());
    let mut outcomes = Vec::new();
    take(&mut decoder, &mut outcomes);
    assert_eq!(outcomes, model(TRICKY, 1000));
    assert_eq!(decoder.offset(), TRICKY.len() as u64);
}

#[test]
fn records_inside_a_chunk_are_slices_of_it() {
    let chunk = Bytes::from(b"one\ntwo\r\n[3]\n".to_vec());
    let within = |record: &[u8]| chunk.as_ptr_range().contains(&record.as_ptr());
    let mut decoder = Options::default().decoder();
    decoder.push(chunk.clone());
    assert!(within(&decoder.next_record().unwrap().unwrap()));
    assert!(within(decoder.next_slice().unwrap().unwrap()));
    let text: &RawValue = decoder.next_json().unwrap().unwrap();
    assert!(within(text.get().as_bytes()));
    assert_eq!(decoder.line(), 3);
}

#[test]
fn an_endless_line_is_refused_before_it_is_kept() {
    let mut decoder = Options::default().max_record(1000).decoder();
    decoder.push("1\n".into());
    assert!(decoder.next_slice().unwrap().is_some());
    let mut errors = 0;
    for _ in 0..10_000 {
        decoder.push(Bytes::from_static(&[b'x'; 100]));
        match decoder.next_slice() {
            Ok(record) => assert!(record.is_none()),
            Err(error) => {
                assert_eq!(
                    error.to_string(),
                    "line 2 at byte 2 has more than 1000 bytes"
                );
                assert_eq!(decoder.line(), 2);
                errors += 1;
            }
        }
    }
    assert_eq!(errors, 1);
    decoder.push("\n3\n".into());
    assert_eq!(decoder.next_slice().unwrap(), Some(&b"3"[..]));
    assert_eq!(decoder.line(), 3);
}

#[test]
fn validation_names_the_line_and_goes_on() {
    let input = b"{\"a\":1}\n{\"a\":\n\"\xff\"\n1 2\n[true]\n";
    let mut decoder = Options::default().validate(true).decoder();
    decoder.push(Bytes::from_static(input));
    assert!(decoder.next_slice().unwrap().is_some());
    for (line, offset) in [(2, 8), (3, 14), (4, 18)] {
        let error = decoder.next_slice().unwrap_err();
        assert!(error.is_corrupt());
        let Error::InvalidJson {
            line: l, offset: o, ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!((l, o), (line, offset));
    }
    assert_eq!(decoder.next_slice().unwrap(), Some(&b"[true]"[..]));
}

#[test]
fn truncated_input_gives_an_intact_prefix_and_then_an_error_or_less() {
    let input = b"{\"k\":\"one\"}\n[1,2,3]\n\"three\"\n{\"four\":null}\n";
    let all = model(input, 1000);
    for cut in 0..input.len() {
        let mut decoder = Options::default().validate(true).decoder();
        decoder.push(Bytes::from_static(&input[..cut]));
        decoder.end();
        let mut taken = 0;
        while let Ok(Some(record)) = decoder.next_slice() {
            assert_eq!(Ok(record.to_vec()), all[taken]);
            taken += 1;
        }
        let complete = input[..=cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(taken, complete, "cut at {cut}");
    }
}

#[test]
fn values_that_do_not_fit_name_their_line() {
    let mut decoder = Options::default().decoder();
    decoder.push("1\n\n\"two\"\n3".into());
    decoder.end();
    assert_eq!(decoder.next_json::<u8>().unwrap(), Some(1));
    let error = decoder.next_json::<u8>().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("line 3 at byte 3: invalid type: string"),
        "{error}"
    );
    assert!(storage_core::Error::from(error).is_corrupt());
    assert_eq!(decoder.next_json::<u8>().unwrap(), Some(3));
    assert_eq!(decoder.next_json::<u8>().unwrap(), None);
}
