//! What the Snappy codec promises.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used)]

#[path = "../../core/tests/suite/mod.rs"]
#[macro_use]
mod suite;

use std::io::{Read as _, Write as _};
use std::process::Command;

use storage_compression::Limits;
use storage_snappy::{DecodeOptions, SnappyDecoder, SnappyEncoder};
use suite::tools::{contents, is_there, pipe};

struct Snappy;

impl suite::Codec for Snappy {
    type Encoder = SnappyEncoder;
    type Decoder = SnappyDecoder;

    fn encoder() -> SnappyEncoder {
        SnappyEncoder::default()
    }

    fn decoder() -> SnappyDecoder {
        SnappyDecoder::default()
    }

    /// The format has no end mark: after the stream identifier and after every chunk.
    fn unnoticed_cuts(compressed: &[u8]) -> Vec<usize> {
        let mut ends = Vec::new();
        let mut at = 0;
        while let [_, low, middle, high, ..] = compressed[at..] {
            at += 4 + u32::from_le_bytes([low, middle, high, 0]) as usize;
            ends.push(at);
        }
        ends.pop();
        ends
    }
}

suite!(Snappy);

/// A Python that has `snappy`: that of the virtual environment in the target folder, or the system's.
fn python() -> Option<&'static str> {
    let ours = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../target/python/bin/python"
    );
    let name = if std::path::Path::new(ours).exists() {
        ours
    } else {
        "python3"
    };
    let install = "python3 -m venv target/python && target/python/bin/pip install python-snappy";
    is_there(Command::new(name).args(["-c", "import snappy"]), install).then_some(name)
}

#[test]
fn files_go_to_python_and_back() {
    let Some(python) = python() else { return };
    let run = |function: &str, input: &[u8]| {
        let script =
            format!("import sys, snappy; snappy.{function}(sys.stdin.buffer, sys.stdout.buffer)");
        pipe(Command::new(python).args(["-c", &script]), input)
    };
    for data in contents() {
        assert!(run("stream_decompress", &suite::compress::<Snappy>(&data)) == data);
        let compressed = run("stream_compress", &data);
        read_twice(&compressed, &data);
    }
}

#[test]
fn files_go_to_the_snap_crate_and_back() {
    for data in contents() {
        let compressed = suite::compress::<Snappy>(&data);
        let mut result = Vec::new();
        snap::read::FrameDecoder::new(&compressed[..])
            .read_to_end(&mut result)
            .unwrap();
        assert!(result == data);
        let mut theirs = snap::write::FrameEncoder::new(Vec::new());
        theirs.write_all(&data).unwrap();
        read_twice(&theirs.into_inner().unwrap(), &data);
    }
}

/// Reads two files in one, as `cat` makes them.
fn read_twice(compressed: &[u8], data: &[u8]) {
    let (result, error) = suite::decompress::<Snappy>(&compressed.repeat(2));
    if compressed.is_empty() {
        // What others write for no data cannot be told from a file that lost everything.
        assert!(data.is_empty() && suite::offset_of_corrupt(error) == 0);
    } else {
        assert!(error.is_none() && result == data.repeat(2), "{error:?}");
    }
}

/// A chunk with its header.
fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_le_bytes();
    [&[kind], &length[..3], body].concat()
}

/// The masked CRC-32C of `data` and then `data`.
fn checked(data: &[u8]) -> Vec<u8> {
    // Of nothing the CRC is 0.
    let mut checksum = 0xa282_ead8_u32.to_le_bytes().to_vec();
    if !data.is_empty() {
        checksum = suite::compress::<Snappy>(data)[14..18].to_vec();
    }
    [&checksum, data].concat()
}

const START: &[u8] = b"\xff\x06\x00\x00sNaPpY";

#[test]
fn chunks_are_read_as_the_format_says() {
    let some = chunk(1, &checked(b"some"));
    let read = |chunks: &[&[u8]]| suite::decompress::<Snappy>(&chunks.concat());
    let padding = chunk(0xfe, &[0; 70_000]);
    let (result, error) = read(&[START, &padding, &some, &chunk(0xfe, b""), START, &some]);
    assert!(error.is_none() && result == b"somesome", "{error:?}");
    let none = chunk(1, &checked(b""));
    assert!(read(&[START, &none]).1.is_none());

    for wrong in [
        &some[..],
        &padding,
        &[START, &chunk(2, b"")].concat(),
        &[START, &chunk(0x7f, &checked(b"some"))].concat(),
        &[START, &chunk(0xfd, b"")].concat(),
        &[START, &chunk(1, b"abc")].concat(),
        &[START, &chunk(0, b"abc")].concat(),
        &[START, &chunk(0, b"abcd")].concat(),
        &[START, &chunk(1, &[0; 65_541])].concat(),
        &[START, &chunk(1, b"crc!some")].concat(),
        &chunk(0xff, b"sNaPpy"),
        &chunk(0xff, b"sNaPpYs"),
        &[START, &chunk(0xff, b"sNaPpy")].concat(),
    ] {
        let (_, error) = suite::decompress::<Snappy>(wrong);
        let offset = suite::offset_of_corrupt(error);
        assert!(offset <= wrong.len() as u64);
    }
}

#[test]
fn no_chunk_stands_for_more_than_64_kib() {
    let block = |size: usize| {
        let data = vec![0; size];
        let compressed = snap::raw::Encoder::new().compress_vec(&data).unwrap();
        // The checksum does not matter for the one that is too long.
        let checksum = checked(&data[..size.min(60_000)]);
        let body = [&checksum[..4], &compressed].concat();
        suite::decompress::<Snappy>(&[START, &chunk(0, &body)].concat())
    };
    let (result, error) = block(60_000);
    assert!(error.is_none() && result.len() == 60_000, "{error:?}");
    let (result, error) = block(65_537);
    assert!(error.unwrap().to_string().contains("64 KiB") && result.is_empty());
}

#[test]
fn unknown_chunks_are_skipped_on_request_alone() {
    let some = chunk(1, &checked(b"some"));
    for kind in [0x80, 0xa0, 0xfd] {
        let input = [START, &chunk(kind, &[9; 100_000]), &some].concat();
        suite::offset_of_corrupt(suite::decompress::<Snappy>(&input).1);
        let reader = DecodeOptions::default()
            .skip_unknown(true)
            .reader(&input[..]);
        let (result, error) = suite::decompress_with(reader);
        assert!(error.is_none() && result == b"some", "{error:?}");
        let cut = &input[..input.len() - some.len() - 1];
        let reader = DecodeOptions::default().skip_unknown(true).reader(cut);
        suite::offset_of_corrupt(suite::decompress_with(reader).1);
    }
}

#[test]
fn options_reach_the_reader() {
    let compressed = suite::compress::<Snappy>(b"some");
    let limits = Limits::default().max_output(3);
    let reader = DecodeOptions::default()
        .limits(limits)
        .reader(&compressed[..]);
    let (result, error) = suite::decompress_with(reader);
    assert_eq!(result, b"som");
    assert!(error.unwrap().is_quota_exceeded());
}
