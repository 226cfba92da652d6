//! Records found in memory, without a look at what is in them.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use memchr::{memchr, memchr_iter};
use omnistorage::length_prefixed::{self, Prefix};
use omnistorage::ndjson::Options;
use tokio_util::codec::{Decoder, LengthDelimitedCodec, LinesCodec};

use super::input::{chunks, framed, lines, ndjson};
use super::race::Race;
use crate::Result;

const BYTES: usize = 64 << 20;

const MEMCHR: &str = "memchr, line by line";
const CODEC: &str = "tokio_util LinesCodec";
const DELIMITED: &str = "tokio_util LengthDelimitedCodec";

/// Lines on which both bars are to hold: those of the events, and shorter ones.
const BOTH: &[(&str, f64)] = &[(MEMCHR, 1.3), (CODEC, 0.2)];
/// From some 200 bytes on memchr itself takes more than a fifth of the time of LinesCodec.
const SCAN: &[(&str, f64)] = &[(MEMCHR, 1.3)];

pub(super) fn races() -> Result<Vec<Race>> {
    let events = ndjson(BYTES)?;
    let framed = framed(&events)?;
    Ok(vec![
        newlines("lines of events, about 150 bytes", &events, BOTH),
        newlines("lines of about 30 bytes", &lines(30, BYTES), BOTH),
        newlines("lines of about 100 bytes", &lines(100, BYTES), BOTH),
        newlines("lines of about 200 bytes", &lines(200, BYTES), SCAN),
        newlines("lines of about 300 bytes", &lines(300, BYTES), SCAN),
        newlines("lines of about 1,000 bytes", &lines(1000, BYTES), SCAN),
        lengths(&framed),
    ])
}

fn newlines(title: &str, input: &Bytes, bars: &'static [(&'static str, f64)]) -> Race {
    let with = |count: fn(&Bytes) -> Result<u64>| {
        let input = input.clone();
        move || count(&input)
    };
    Race::new(format!("NDJSON framing, {title}"), input.len(), bars)
        .enter("storage-ndjson, decoder", with(slices))
        .enter("storage-ndjson, reader, chunk by chunk", with(filled))
        .enter("storage-ndjson, reader, record by record", with(read))
        .enter(MEMCHR, with(scan))
        .enter("memchr_iter", with(scan_iter))
        .enter(CODEC, with(codec))
}

/// One search after another, as a loop over lines does it.
fn scan(input: &Bytes) -> Result<u64> {
    let mut sum = 0;
    for chunk in chunks(input) {
        let mut rest = &chunk[..];
        while let Some(at) = memchr(b'\n', rest) {
            black_box(&rest[..at]);
            sum += 1;
            rest = &rest[at + 1..];
        }
    }
    Ok(sum)
}

fn scan_iter(input: &Bytes) -> Result<u64> {
    let mut sum = 0;
    for chunk in chunks(input) {
        let mut start = 0;
        for at in memchr_iter(b'\n', &chunk) {
            black_box(&chunk[start..at]);
            sum += 1;
            start = at + 1;
        }
    }
    Ok(sum)
}

fn slices(input: &Bytes) -> Result<u64> {
    let (mut decoder, mut sum) = (Options::default().decoder(), 0);
    for chunk in chunks(input) {
        decoder.push(chunk);
        while let Some(record) = decoder.next_slice()? {
            black_box(record);
            sum += 1;
        }
    }
    Ok(sum)
}

fn filled(input: &Bytes) -> Result<u64> {
    let stream = stream::iter(chunks(input).map(Ok::<_, storage_core::Error>));
    let (mut reader, mut sum) = (omnistorage::ndjson::from_chunks(stream), 0);
    super::block_on(async {
        while reader.fill().await? {
            while let Some(record) = reader.next_slice()? {
                black_box(record);
                sum += 1;
            }
        }
        Ok(sum)
    })
}

fn read(input: &Bytes) -> Result<u64> {
    let stream = stream::iter(chunks(input).map(Ok::<_, storage_core::Error>));
    let (mut reader, mut sum) = (omnistorage::ndjson::from_chunks(stream), 0);
    super::block_on(async {
        while let Some(record) = reader.read().await? {
            black_box(record);
            sum += 1;
        }
        Ok(sum)
    })
}

fn codec(input: &Bytes) -> Result<u64> {
    count_decoded(input, LinesCodec::new())
}

fn count_decoded<D>(input: &Bytes, mut codec: D) -> Result<u64>
where
    D: Decoder,
    D::Error: std::error::Error + Send + Sync + 'static,
{
    let (mut buffer, mut sum) = (BytesMut::new(), 0);
    for chunk in chunks(input) {
        buffer.extend_from_slice(&chunk);
        while let Some(record) = codec.decode(&mut buffer)? {
            black_box(record);
            sum += 1;
        }
    }
    Ok(sum)
}

fn lengths(input: &Bytes) -> Race {
    let (ours, theirs) = (input.clone(), input.clone());
    Race::new(
        "Length-prefixed framing, events behind 32-bit lengths",
        input.len(),
        &[(DELIMITED, 1.0)],
    )
    .enter("storage-length-prefixed", move || {
        let options = length_prefixed::Options::default().prefix(Prefix::U32Be);
        let (mut decoder, mut sum) = (options.decoder(), 0);
        for chunk in chunks(&ours) {
            decoder.push(chunk);
            while let Some(record) = decoder.next_record()? {
                black_box(record);
                sum += 1;
            }
        }
        Ok(sum)
    })
    .enter(DELIMITED, move || {
        count_decoded(&theirs, LengthDelimitedCodec::new())
    })
}
