//! CSV.

use bytes::Bytes;
use storage_csv::{Cells, Decoder, Error, Options, Ragged};

use crate::cuts::Cuts;

type Row = Vec<Vec<u8>>;

/// Checks that chunks change nothing, the decoder against the `csv` crate, and the encoder against
/// the decoder.
///
/// # Panics
/// When one of them breaks a promise.
pub fn check(data: &[u8]) {
    let Some((input, cuts)) = Cuts::split(data) else {
        return;
    };
    let options = options(cuts);
    let whole = || [Bytes::copy_from_slice(input)].into_iter();
    // Not all at once: making a parser takes longer than using it here.
    if cuts.option(7) {
        let records = decode(&options, whole(), record);
        assert_eq!(
            records,
            decode(&options, cuts.chunks(input), record),
            "records cut into chunks"
        );
        check_records(&records, cuts);
    } else {
        let rows = decode(&options, whole(), row);
        let lax = options.ragged(Ragged::Accept).header(false);
        let lax = lax.max_record(1 << 20);
        check_peer(&lax, input, cuts);
        check_rows(&lax, input, cuts);
        let options = self::options(cuts);
        assert_eq!(
            rows,
            decode(&options, cuts.chunks(input), row),
            "rows cut into chunks"
        );
    }
}

fn options(cuts: Cuts) -> Options {
    let options = Options::default()
        .header(cuts.option(0))
        .escape(cuts.option(2).then_some(b'\\'))
        .delimiter(if cuts.option(3) { b'\t' } else { b',' })
        .crlf(cuts.option(4));
    let options = match cuts.option(1) {
        true => options.ragged(Ragged::Accept),
        false => options,
    };
    let options = match cuts.option(5) {
        true => options.cells(Cells::Text),
        false => options,
    };
    match cuts.option(6) {
        true => options.max_record(cuts.below(60, 1)),
        false => options,
    }
}

fn row(decoder: &mut Decoder) -> Result<Option<Row>, Error> {
    let row = decoder.next_row()?;
    Ok(row.map(|row| row.iter().map(<[u8]>::to_vec).collect()))
}

fn record(decoder: &mut Decoder) -> Result<Option<String>, Error> {
    let record = decoder.next_record()?;
    Ok(record.map(|record| String::from_utf8(record.to_vec()).expect("JSON is text")))
}

/// Everything that comes out; an error that repeats itself ends it.
fn decode<T: Clone + PartialEq>(
    options: &Options,
    chunks: impl Iterator<Item = Bytes>,
    next: impl Fn(&mut Decoder) -> Result<Option<T>, Error>,
) -> Vec<Result<T, String>> {
    let mut decoder = options.decoder().expect("the options agree");
    let (mut found, mut chunks) = (Vec::new(), chunks.map(Some).chain([None]));
    loop {
        match next(&mut decoder) {
            Ok(Some(item)) => found.push(Ok(item)),
            Ok(None) => match chunks.next() {
                Some(Some(chunk)) => decoder.push(chunk),
                Some(None) => assert!(decoder.end()),
                None => return found,
            },
            Err(error) => {
                assert!(error.is_corrupt(), "{error}");
                let error = Err(error.to_string());
                if found.last() == Some(&error) {
                    return found;
                }
                found.push(error);
            }
        }
    }
}

/// Whatever is read without an error is what the `csv` crate reads.
fn check_peer(options: &Options, input: &[u8], cuts: Cuts) {
    let ours: Result<Vec<Row>, _> = decode(options, cuts.chunks(input), row)
        .into_iter()
        .collect();
    let Ok(ours) = ours else {
        return;
    };
    let mut peer = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .escape(cuts.option(2).then_some(b'\\'))
        .delimiter(if cuts.option(3) { b'\t' } else { b',' })
        .from_reader(input);
    let theirs = peer
        .byte_records()
        .map(|row| row.expect("no error is possible"));
    let theirs: Vec<Row> = theirs
        .map(|row| row.iter().map(<[u8]>::to_vec).collect())
        .collect();
    assert_eq!(ours, theirs);
}

/// Takes `input` for fields and writes them.
fn check_rows(options: &Options, input: &[u8], cuts: Cuts) {
    let mut encoder = options.encoder().expect("the options agree");
    let fields: Vec<&[u8]> = cuts.pieces(input).collect();
    let (mut buffer, mut written) = (Vec::new(), Vec::new());
    for row in fields.chunks(1 + cuts.below(4, 2)) {
        let row = row.to_vec();
        encoder
            .encode_row(&row, &mut buffer)
            .expect("every field can be quoted");
        written.push(Ok(row.into_iter().map(<[u8]>::to_vec).collect()));
    }
    assert_eq!(decode(options, cuts.chunks(&buffer), row), written);
}

/// Records that were read can be written, and come back.
fn check_records(records: &[Result<String, String>], cuts: Cuts) {
    let options = Options::default()
        .header(cuts.option(0))
        .ragged(Ragged::Accept);
    let mut encoder = options.encoder().expect("the options agree");
    let (mut buffer, mut written) = (Vec::new(), Vec::new());
    for record in records.iter().flatten() {
        if encoder.encode(record.as_bytes(), &mut buffer).is_ok() {
            written.push(Ok(record.clone()));
        }
    }
    assert_eq!(decode(&options, cuts.chunks(&buffer), record), written);
}
