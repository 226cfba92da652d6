//! Rows that are written come back; those that would not are refused.

use proptest::prelude::*;
use storage_csv::{Error, Options, Ragged};

use crate::{Rows, decode, raw};

fn dialects() -> Vec<Options> {
    vec![
        raw(),
        raw().crlf(true).delimiter(b'\t'),
        raw().escape(Some(b'\\')).delimiter(b';'),
        raw().quote(Some(b'\'')),
        raw().quote(None),
    ]
}

fn rows() -> impl Strategy<Value = Rows> {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(&b",;\t\"'\\\r\n \xef\xbb\xbfa"[..])
    ];
    let mark = Just(b"\xef\xbb\xbf".to_vec());
    let field = prop_oneof![9 => prop::collection::vec(byte, 0..6), 1 => mark];
    prop::collection::vec(prop::collection::vec(field, 0..4), 0..12)
}

proptest! {
    #[test]
    fn every_row_comes_back_or_is_refused(rows in rows(), dialect in 0..5usize, size in 1..50usize) {
        let options = &dialects()[dialect];
        let mut encoder = options.encoder().unwrap();
        let (mut buffer, mut accepted) = (Vec::new(), Vec::new());
        for row in rows {
            let before = buffer.clone();
            match encoder.encode_row(&row, &mut buffer) {
                Ok(()) => accepted.push(row),
                Err(error) => {
                    prop_assert!(error.is_corrupt());
                    prop_assert!(row.is_empty() || dialect == 4, "{}", error);
                    prop_assert_eq!(&buffer, &before);
                }
            }
        }
        let (decoded, error) = decode(options, buffer.chunks(size));
        prop_assert!(error.is_none());
        prop_assert_eq!(decoded, accepted);
    }
}

#[test]
fn what_needs_no_quotes_gets_none() {
    let mut buffer = Vec::new();
    let mut encoder = raw().encoder().unwrap();
    encoder
        .encode_row(["a b", "", "é", "'"], &mut buffer)
        .unwrap();
    encoder.encode_row([""], &mut buffer).unwrap();
    encoder
        .encode_row(["a,b", "\"", "c\nd", "\re"], &mut buffer)
        .unwrap();
    let expected = "a b,,é,'\n\"\"\n\"a,b\",\"\"\"\",\"c\nd\",\"\re\"\n";
    assert_eq!(String::from_utf8(buffer).unwrap(), expected);
}

#[test]
fn without_quotes_what_needs_them_is_refused() {
    let mut encoder = raw().quote(None).encoder().unwrap();
    let mut buffer = Vec::new();
    let mut refuse = |row: &[&str]| {
        encoder
            .encode_row(row, &mut buffer)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refuse(&["a", "b,"]),
        "record 1, column \"2\": needs quotes, and there are none"
    );
    assert_eq!(
        refuse(&["a\r"]),
        "record 1, column \"1\": needs quotes, and there are none"
    );
    assert_eq!(
        refuse(&[""]),
        "record 1 is one empty field, which needs quotes"
    );
    assert_eq!(refuse(&[]), "record 1 has no fields");
    encoder.encode_row(["\"", ""], &mut buffer).unwrap();
    assert_eq!(buffer, b"\",\n");
}

#[test]
fn ragged_and_long_rows_leave_nothing() {
    let options = Options::default().max_record(8);
    let mut encoder = options.encoder().unwrap();
    let mut buffer = Vec::new();
    encoder.encode_row(["a", "b"], &mut buffer).unwrap();
    let error = encoder.encode_row(["1"], &mut buffer).unwrap_err();
    assert!(
        matches!(
            error,
            Error::RaggedRecord {
                record: 2,
                expected: 2,
                found: 1
            }
        ),
        "{error}"
    );
    encoder.encode_row(["1234", "567"], &mut buffer).unwrap();
    let error = encoder
        .encode_row(["1234", "5678"], &mut buffer)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::RecordTooLong {
                record: 3,
                size: 9,
                max: 8
            }
        ),
        "{error}"
    );
    assert_eq!(buffer, b"a,b\n1234,567\n");
    let mut encoder = options.ragged(Ragged::Accept).encoder().unwrap();
    encoder.encode_row(["a", "b"], &mut buffer).unwrap();
    encoder.encode_row(["1"], &mut buffer).unwrap();
}

#[test]
fn columns_that_are_given_are_written_even_without_rows() {
    let options = Options::default().columns(["b", "a"]);
    assert_eq!(crate::csv(&options, &[]).unwrap(), "b,a\n");
    assert_eq!(
        crate::csv(&options, &[r#"{"a":1,"b":2}"#]).unwrap(),
        "b,a\n2,1\n"
    );
    assert_eq!(
        crate::csv(&options.header(false), &[r#"{"a":1,"b":2}"#]).unwrap(),
        "2,1\n"
    );
    assert_eq!(crate::csv(&Options::default(), &[]).unwrap(), "");
}
