//! What the gzip codec promises.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used)]

#[path = "../../core/tests/suite/mod.rs"]
#[macro_use]
mod suite;

use std::process::Command;

use storage_compression::{Level, Limits};
use storage_core::ErrorKind;
use storage_gzip::{DecodeOptions, EncodeOptions, GzipDecoder, GzipEncoder};
use suite::tools::{contents, is_there, pipe};

struct Gzip;

impl suite::Codec for Gzip {
    type Encoder = GzipEncoder;
    type Decoder = GzipDecoder;

    fn encoder() -> GzipEncoder {
        GzipEncoder::default()
    }

    fn decoder() -> GzipDecoder {
        GzipDecoder::new()
    }
}

suite!(Gzip);

#[test]
fn files_go_to_the_gzip_program_and_back() {
    if !is_there(
        Command::new("gzip").arg("--version"),
        "apt-get install gzip",
    ) {
        return;
    }
    for data in contents() {
        for level in [0, 1, 6, 9] {
            let encoder = EncodeOptions::default()
                .level(level.into())
                .encoder()
                .unwrap();
            let compressed = suite::compress_with(encoder, &data);
            assert!(pipe(Command::new("gzip").arg("-dc"), &compressed) == data);
        }
        for flag in ["-1", "-9"] {
            let compressed = pipe(Command::new("gzip").args(["-c", flag]), &data);
            // Two files in one, as `cat` makes them.
            let (result, error) = suite::decompress::<Gzip>(&compressed.repeat(2));
            assert!(error.is_none() && result == data.repeat(2), "{error:?}");
        }
    }
}

#[test]
fn a_member_with_name_comment_extra_field_and_header_checksum_is_read() {
    let plain = suite::compress::<Gzip>(b"some");
    let fields = [&b"\x03\0abc"[..], b"name\0", b"comment\0"].concat();
    let mut header = b"\x1f\x8b\x08\x1e\x01\x02\x03\x04\0\x03".to_vec();
    header.extend_from_slice(&fields);
    let crc = crc32(&header);
    let with = |checksum: u32| {
        let low = &checksum.to_le_bytes()[..2];
        suite::decompress::<Gzip>(&[&header[..], low, &plain[10..]].concat())
    };
    let (result, error) = with(crc);
    assert!(error.is_none() && result == b"some", "{error:?}");
    let (_, error) = with(crc ^ 1);
    suite::offset_of_corrupt(error);
    // The other flags are reserved.
    let mut reserved = plain;
    reserved[3] = 0x20;
    suite::offset_of_corrupt(suite::decompress::<Gzip>(&reserved).1);
}

/// CRC-32 bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}

#[test]
fn levels_are_honoured_or_refused() {
    let data = suite::sample(400_000, 9);
    let size = |level: Level| {
        let encoder = EncodeOptions::default().level(level).encoder().unwrap();
        let compressed = suite::compress_with(encoder, &data);
        assert!(suite::decompress::<Gzip>(&compressed).0 == data);
        compressed.len()
    };
    assert!(size(0.into()) > data.len());
    assert!(size(Level::Best) < size(Level::Fastest));
    assert_eq!(size(Level::Default), size(6.into()));
    assert!(size(Level::Better) <= size(Level::Default));
    for level in [-1, 10, i32::MAX, i32::MIN] {
        let error = EncodeOptions::default()
            .level(level.into())
            .encoder()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn options_reach_the_reader() {
    let compressed = suite::compress::<Gzip>(b"some");
    let limits = Limits::default().max_output(3);
    let reader = DecodeOptions::default()
        .limits(limits)
        .reader(&compressed[..]);
    let (result, error) = suite::decompress_with(reader);
    assert_eq!(result, b"som");
    assert!(error.unwrap().is_quota_exceeded());
}
