//! What the encoder takes comes back; what would not, it refuses.

use proptest::prelude::*;
use serde::Serialize;
use serde_json::value::RawValue;
use storage_ndjson::{Error, Options};

fn decode(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let mut decoder = Options::default().decoder();
    decoder.push(bytes.into());
    decoder.end();
    std::iter::from_fn(|| decoder.next_slice().unwrap().map(<[u8]>::to_vec)).collect()
}

proptest! {
    #[test]
    fn every_record_comes_back_or_is_refused(
        records in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..50),
                prop::collection::vec(prop::sample::select(&b"\r\n \tx"[..]), 0..5),
            ],
            0..20,
        ),
    ) {
        let mut encoder = Options::default().encoder();
        let (mut buffer, mut accepted) = (Vec::new(), Vec::new());
        for record in records {
            let before = buffer.clone();
            let refuse = record.contains(&b'\n')
                || record.ends_with(b"\r")
                || record.iter().all(|byte| b" \t\r".contains(byte));
            match encoder.encode(&record, &mut buffer) {
                Ok(()) => accepted.push(record),
                Err(error) => {
                    prop_assert!(error.is_corrupt());
                    prop_assert_eq!(&buffer, &before);
                }
            }
            prop_assert_eq!(buffer == before, refuse);
        }
        prop_assert_eq!(decode(buffer), accepted);
    }

    #[test]
    fn every_value_comes_back(values in prop::collection::vec(any::<(String, i64, Option<bool>)>(), 0..20)) {
        let mut encoder = Options::default().validate(true).encoder();
        let mut buffer = Vec::new();
        for value in &values {
            encoder.encode_json(value, &mut buffer).unwrap();
        }
        let mut decoder = Options::default().validate(true).decoder();
        decoder.push(buffer.into());
        let back: Vec<(String, i64, Option<bool>)> =
            std::iter::from_fn(|| decoder.next_json().unwrap()).collect();
        prop_assert_eq!(back, values);
    }
}

#[test]
fn refusals_say_which_record_and_why() {
    let mut encoder = Options::default().max_record(8).validate(true).encoder();
    let mut buffer = Vec::new();
    encoder.encode(b"12345678", &mut buffer).unwrap();
    let mut refuse = |record: &[u8]| encoder.encode(record, &mut buffer).unwrap_err().to_string();
    assert_eq!(refuse(b"123456789"), "record 2 has 9 bytes, more than 8");
    assert_eq!(refuse(b"1\n"), "record 2 has a raw newline");
    assert_eq!(refuse(b"1\r"), "record 2 ends with a carriage return");
    assert_eq!(refuse(b" "), "record 2 is blank");
    assert_eq!(refuse(b""), "record 2 is blank");
    assert!(refuse(b"{").starts_with("record 2: EOF"));
    assert_eq!(buffer, b"12345678\n");
}

/// Fails in the middle.
struct Half;

impl Serialize for Half {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeSeq};
        let mut sequence = serializer.serialize_seq(None)?;
        sequence.serialize_element(&1)?;
        Err(S::Error::custom("no more"))
    }
}

#[test]
fn a_value_that_fails_or_brings_a_newline_leaves_nothing() {
    let mut encoder = Options::default().encoder();
    let mut buffer = b"before\n".to_vec();
    let error = encoder.encode_json(&Half, &mut buffer).unwrap_err();
    assert!(matches!(error, Error::NotJson { record: 1, .. }), "{error}");
    let raw = RawValue::from_string("[1,\n2]".into()).unwrap();
    let error = encoder.encode_json(&raw, &mut buffer).unwrap_err();
    assert!(
        matches!(error, Error::Unwritable { record: 1, .. }),
        "{error}"
    );
    assert_eq!(buffer, b"before\n");
}
