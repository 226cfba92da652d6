//! The decoder against the `csv` crate's reader, which sees all bytes at once.

use proptest::prelude::*;
use storage_core::Bytes;
use storage_csv::{Defect, Error, Options};

use crate::{Rows, decode, raw};

fn model(input: &[u8], options: &Options) -> Rows {
    let escape = format!("{options:?}")
        .contains("escape: Some(92)")
        .then_some(b'\\');
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).escape(escape);
    let rows = builder.from_reader(input).into_byte_records();
    rows.map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect())
        .collect()
}

/// Every way of cutting gives the same, and but for an unclosed quote the model agrees.
fn check<'a>(input: &'a [u8], chunks: impl Iterator<Item = &'a [u8]>, options: &Options) {
    let expected = model(input, options);
    let (rows, error) = decode(options, chunks);
    match error {
        None => assert_eq!(rows, expected),
        Some(Error::Malformed {
            defect: Defect::UnclosedQuote,
            ..
        }) => {
            assert_eq!(rows, expected[..expected.len() - 1]);
        }
        Some(error) => panic!("{error}"),
    }
}

const TRICKY: &[u8] =
    b"\xef\xbb\xbfa,b\r\n\r\n\"x,\r\n\"\"y\"\"\",\n,\"\"\r\"\"\n\n z ,\"q\"r,s\"t\"\n\"end\",\"\"";

#[test]
fn chunk_boundaries_at_every_byte_change_nothing() {
    let (rows, error) = decode(&raw(), std::iter::once(TRICKY));
    assert!(error.is_none());
    let field = |text: &str| text.as_bytes().to_vec();
    assert_eq!(rows[0], [field("a"), field("b")]);
    assert_eq!(rows[1], [field("x,\r\n\"y\""), field("")]);
    for options in [raw(), raw().escape(Some(b'\\'))] {
        for cut in 0..=TRICKY.len() {
            let (head, tail) = TRICKY.split_at(cut);
            check(
                TRICKY,
                [head, tail].into_iter().filter(|chunk| !chunk.is_empty()),
                &options,
            );
        }
        for size in 1..TRICKY.len() {
            check(TRICKY, TRICKY.chunks(size), &options);
        }
        for end in 0..TRICKY.len() {
            check(&TRICKY[..end], TRICKY[..end].chunks(3), &options);
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_read_as_by_the_csv_crate(
        input in prop::collection::vec(prop::sample::select(&b",,\"\"\n\r\\a "[..]), 0..120),
        size in 1..40usize,
        escape in any::<bool>(),
    ) {
        check(&input, input.chunks(size), &raw().escape(escape.then_some(b'\\')));
    }

    #[test]
    fn any_bytes_are_read_as_by_the_csv_crate(
        mark in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        size in 1..300usize,
    ) {
        let input = [if mark { &b"\xef\xbb\xbf"[..] } else { b"" }, &bytes].concat();
        check(&input, input.chunks(size), &raw());
    }
}

#[test]
fn a_byte_order_mark_is_skipped_once_and_only_whole() {
    for (input, expected) in [
        (&b"\xef\xbb\xbf"[..], None),
        (b"\xef\xbb\xbf\xef\xbb\xbfa", Some(&b"\xef\xbb\xbfa"[..])),
        (b"\xef\xbb", Some(b"\xef\xbb")),
        (b"\xef\xbbx", Some(b"\xef\xbbx")),
        (b"\xef", Some(b"\xef")),
    ] {
        for size in 1..=input.len() {
            let (rows, error) = decode(&raw(), input.chunks(size));
            assert!(error.is_none());
            let first = rows.first().map(|row| &row[0][..]);
            assert_eq!(first, expected, "{input:?} by {size}");
        }
    }
}

#[test]
fn rows_know_where_they_stand() {
    let mut decoder = raw().decoder().unwrap();
    decoder.push("a\n\r\n\"b\nb\",c\r\nd".into());
    decoder.end();
    let mut places = Vec::new();
    while let Some(row) = decoder.next_row().unwrap() {
        places.push((
            row.line(),
            row.offset(),
            row.len(),
            row.get(row.len()).is_none(),
        ));
    }
    assert_eq!(places, [(1, 0, 1, true), (3, 4, 2, true), (5, 13, 1, true)]);
    assert_eq!((decoder.rows(), decoder.offset()), (3, 14));
}

#[test]
fn the_header_is_set_apart() {
    let mut decoder = Options::default().columns(["a", "b"]).decoder().unwrap();
    decoder.push("a,b\n".into());
    assert!(decoder.next_row().unwrap().is_none());
    assert_eq!(decoder.header().unwrap().get(1), Some(&b"b"[..]));
    assert_eq!(decoder.rows(), 0);
}

#[test]
fn pushing_before_all_was_taken_loses_nothing() {
    let mut decoder = raw().decoder().unwrap();
    TRICKY
        .chunks(7)
        .for_each(|chunk| decoder.push(Bytes::copy_from_slice(chunk)));
    decoder.end();
    decoder.push("late".into());
    let mut rows = 0;
    while decoder.next_row().unwrap().is_some() {
        rows += 1;
    }
    assert_eq!(rows, model(TRICKY, &raw()).len());
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let default = Options::default;
    for (options, problem) in [
        (default().delimiter(b'"'), "differ"),
        (default().escape(Some(b',')), "differ"),
        (default().escape(Some(b'"')), "differ"),
        (default().delimiter(b'\n'), "line endings"),
        (default().quote(Some(0xe9)), "ASCII"),
        (
            default().quote(None).escape(Some(b'\\')),
            "an escape needs quotes",
        ),
        (default().columns(["a", "a"]), "different names"),
        (default().columns(Vec::<String>::new()), "must be a column"),
    ] {
        for error in [
            options.decoder().unwrap_err(),
            options.encoder().unwrap_err(),
        ] {
            assert!(error.to_string().contains(problem), "{error}");
            assert_eq!(error.kind(), storage_core::ErrorKind::Config);
        }
    }
}
