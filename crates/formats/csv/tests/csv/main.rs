//! CSV as its users see it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod layers;
mod python;
mod reading;
mod records;
mod writing;

use storage_core::Bytes;
use storage_csv::{Decoder, Error, Options};

/// Rows of fields.
type Rows = Vec<Vec<Vec<u8>>>;

/// All rows, and the error that ended them.
fn decode<'a>(options: &Options, chunks: impl Iterator<Item = &'a [u8]>) -> (Rows, Option<Error>) {
    let mut decoder = options.decoder().unwrap();
    let mut rows = Vec::new();
    let mut take = |decoder: &mut Decoder| loop {
        match decoder.next_row() {
            Ok(Some(row)) => rows.push(row.iter().map(<[u8]>::to_vec).collect()),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        if let Some(error) = take(&mut decoder) {
            return (rows, Some(error));
        }
    }
    assert!(decoder.end());
    let error = take(&mut decoder);
    (rows, error)
}

/// Rows as they are, without a header.
fn raw() -> Options {
    Options::default()
        .header(false)
        .ragged(storage_csv::Ragged::Accept)
}

/// Records from CSV, or the error in place of one.
fn records(options: &Options, input: &[u8]) -> Vec<Result<String, String>> {
    let mut decoder = options.decoder().unwrap();
    decoder.push(Bytes::copy_from_slice(input));
    decoder.end();
    let next = || match decoder.next_record() {
        Ok(record) => record.map(|record| Ok(String::from_utf8(record.to_vec()).unwrap())),
        Err(error) => Some(Err(error.to_string())),
    };
    std::iter::from_fn(next).take(100).collect()
}

/// CSV from records.
fn csv(options: &Options, records: &[&str]) -> Result<String, Error> {
    let mut encoder = options.encoder().unwrap();
    let mut buffer = Vec::new();
    for record in records {
        encoder.encode(record.as_bytes(), &mut buffer)?;
    }
    encoder.finish(&mut buffer)?;
    Ok(String::from_utf8(buffer).unwrap())
}
