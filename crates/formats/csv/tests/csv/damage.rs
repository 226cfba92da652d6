//! Truncated and malformed input: an intact prefix and then an error that says where.

use storage_csv::{Defect, Error, Options, Ragged};

use crate::{decode, raw, records};

#[test]
fn truncation_at_every_byte_gives_an_intact_prefix() {
    let input = b"k,v\nplain,row\n\"quoted, \"\"row\"\"\",\"x\ny\"\nlast,\"one\"\n";
    let (all, error) = decode(&Options::default(), std::iter::once(&input[..]));
    assert!(error.is_none() && all.len() == 3);
    for cut in 0..input.len() {
        let (rows, error) = decode(&Options::default(), input[..cut].chunks(5));
        let intact = rows
            .iter()
            .zip(&all)
            .take_while(|(row, whole)| row == whole)
            .count();
        // What a cut leaves of an unquoted last field is a field too: no reader can tell.
        assert!(intact == rows.len() || (intact == rows.len() - 1 && error.is_none()));
        if let Some(error) = error {
            assert!(error.is_corrupt(), "{error}");
            let Error::Malformed { offset, .. } = error else {
                panic!("{error}")
            };
            assert!((offset as usize) < cut);
        }
    }
    let (rows, error) = decode(&Options::default(), std::iter::once(&input[..25]));
    assert_eq!(rows.len(), 1);
    let message = "line 3 at byte 14: the row ends inside quotes";
    assert_eq!(error.unwrap().to_string(), message);
}

#[test]
fn open_quotes_are_told_from_closed_ones() {
    for (input, open) in [
        ("\"", true),
        ("\"\"", false),
        ("\"\"\"", true),
        ("a,\"b\n", true),
        ("a\"b", false),
        ("\"a\"b", false),
        ("\"a\\\"", false),
    ] {
        let (rows, error) = decode(&raw(), std::iter::once(input.as_bytes()));
        assert_eq!(error.is_some(), open, "{input:?}");
        assert_eq!(rows.is_empty(), open, "{input:?}");
    }
    let escaped = raw().escape(Some(b'\\'));
    for input in ["\"a\\\"", "\"a\\"] {
        let (rows, error) = decode(&escaped, std::iter::once(input.as_bytes()));
        assert!(rows.is_empty() && error.is_some(), "{input:?}");
    }
}

#[test]
fn limits_hold_to_the_byte_however_it_is_cut() {
    for (input, fits) in [
        ("12345\n", true),
        ("12345", true),
        ("\n\n\n\n\n\n\n12345\r\n\n\n\n\n\n\n\n1\n", true),
        ("123456\n", false),
        ("123456", false),
        ("1\n\"234\"\n1,2,3\n", true),
        ("1\n\"2345\"\n", false),
        ("1\n,,,,,,\n", false),
    ] {
        for size in 1..=input.len() {
            let (rows, error) = decode(&raw().max_record(5), input.as_bytes().chunks(size));
            let too_long = matches!(
                error,
                Some(Error::Malformed {
                    defect: Defect::TooLong { max: 5 },
                    ..
                })
            );
            assert_eq!(too_long, !fits, "{input:?} by {size}: {rows:?}");
            assert_eq!(error.is_none(), fits);
        }
    }
}

#[test]
fn a_limit_below_half_a_byte_order_mark_holds() {
    for max in 0..3 {
        let (rows, error) = decode(&raw().max_record(max), [&b"\xef\xbb"[..], b"x"].into_iter());
        assert!(rows.is_empty());
        assert_eq!(
            error.unwrap().to_string(),
            format!("line 1 at byte 0: the row has more than {max} bytes")
        );
    }
}

#[test]
fn an_endless_row_is_refused_before_it_is_kept_and_stays_so() {
    let mut decoder = raw().max_record(1000).decoder().unwrap();
    let mut errors = 0;
    for _ in 0..1000 {
        decoder.push("\"xxxxxxxxx".into());
        errors += usize::from(decoder.next_row().is_err());
    }
    assert_eq!(errors, 900);
    let error = decoder.next_row().unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1 at byte 0: the row has more than 1000 bytes"
    );
}

#[test]
fn a_ragged_row_is_stepped_over() {
    let input = b"a,b\n1\n1,2\n1,2,3\n3,4\n";
    let expected = [
        Err("line 2 at byte 4: the row has 1 fields instead of 2".to_owned()),
        Ok(r#"{"a":1,"b":2}"#.to_owned()),
        Err("line 4 at byte 10: the row has 3 fields instead of 2".to_owned()),
        Ok(r#"{"a":3,"b":4}"#.to_owned()),
    ];
    assert_eq!(records(&Options::default(), input), expected);
    let accept = Options::default().ragged(Ragged::Accept);
    assert_eq!(records(&accept, input)[0], Ok(r#"{"a":1}"#.to_owned()));
    assert_eq!(records(&accept, input)[1..], expected[1..]);
    let (rows, error) = decode(&accept, std::iter::once(&input[..]));
    assert!(error.is_none());
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 3, 2]);
}

#[test]
fn text_that_is_none_names_its_column() {
    let input = b"a,b\n1,\xff\n2,3\n";
    let expected = [
        Err("line 2 at byte 4: column 2 is not UTF-8".to_owned()),
        Ok(r#"{"a":2,"b":3}"#.to_owned()),
    ];
    assert_eq!(records(&Options::default(), input), expected);
    assert_eq!(
        decode(&Options::default(), std::iter::once(&input[..]))
            .0
            .len(),
        2
    );
}

#[test]
fn a_header_that_loses_values_is_refused_for_records() {
    for (options, input, message) in [
        (
            Options::default(),
            &b"a,b,a\n1,2,3\n"[..],
            "has the name of column 3 twice",
        ),
        (
            Options::default(),
            b"a,\xff\n1,2\n",
            "column 2 is not UTF-8",
        ),
        (
            Options::default().columns(["a", "b"]),
            b"b,a\n1,2\n",
            "the expected columns",
        ),
    ] {
        for _ in 0..2 {
            let records = records(&options, input);
            let error = records[0].as_ref().unwrap_err();
            assert!(error.starts_with("line 1 at byte 0: "), "{error}");
            assert!(error.contains(message), "{error}");
            assert_eq!(records[1], records[0], "the rest is out of reach");
        }
    }
}
