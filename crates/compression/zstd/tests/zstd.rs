//! What the Zstandard codec promises.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used)]

#[path = "../../core/tests/suite/mod.rs"]
#[macro_use]
mod suite;

use std::process::Command;
use std::sync::Arc;

use storage_compression::{Level, Limits};
use storage_core::ErrorKind;
use storage_zstd::{DecodeOptions, EncodeOptions, ZstdDecoder, ZstdEncoder};
use suite::tools::{contents, is_there, pipe};

struct Zstd;

impl suite::Codec for Zstd {
    type Encoder = ZstdEncoder;
    type Decoder = ZstdDecoder;

    fn encoder() -> ZstdEncoder {
        ZstdEncoder::default()
    }

    fn decoder() -> ZstdDecoder {
        ZstdDecoder::default()
    }
}

suite!(Zstd);

#[test]
fn files_go_to_the_zstd_program_and_back() {
    if !is_there(
        Command::new("zstd").arg("--version"),
        "apt-get install zstd",
    ) {
        return;
    }
    for data in contents() {
        for options in [
            EncodeOptions::default(),
            EncodeOptions::default().level((-5).into()),
            EncodeOptions::default()
                .level(Level::Better)
                .threads(2)
                .long_distance(true),
        ] {
            let compressed = suite::compress_with(options.encoder().unwrap(), &data);
            assert!(pipe(Command::new("zstd").arg("-dcq"), &compressed) == data);
        }
        for flags in [
            &["-1", "--no-check"][..],
            &["-12", "-T2"],
            &["-3", "--long=27"],
        ] {
            let compressed = pipe(Command::new("zstd").arg("-cq").args(flags), &data);
            // Two files in one, as `cat` makes them.
            let (result, error) = suite::decompress::<Zstd>(&compressed.repeat(2));
            assert!(error.is_none() && result == data.repeat(2), "{error:?}");
        }
    }
}

#[test]
fn a_dictionary_is_shared_with_the_zstd_program() {
    if !is_there(
        Command::new("zstd").arg("--version"),
        "apt-get install zstd",
    ) {
        return;
    }
    let (dictionary, data) = (suite::sample(20_000, 1), suite::sample(5_000, 2));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &dictionary).unwrap();
    let zstd = |flags: &[&str], input: &[u8]| {
        pipe(
            Command::new("zstd").arg("-D").arg(file.path()).args(flags),
            input,
        )
    };
    let encoder = EncodeOptions::default()
        .dictionary(&dictionary[..])
        .encoder()
        .unwrap();
    let compressed = suite::compress_with(encoder, &data);
    assert!(zstd(&["-dcq"], &compressed) == data);
    let decoder = DecodeOptions::default().dictionary(&dictionary[..]);
    let compressed = zstd(&["-cq"], &data);
    let (result, error) = suite::decompress_with(decoder.reader(&compressed[..]).unwrap());
    assert!(error.is_none() && result == data, "{error:?}");
}

#[test]
fn a_dictionary_helps_and_is_needed_and_keeps_the_checksum() {
    let dictionary: Arc<[u8]> = suite::sample(20_000, 1).into();
    let data = &dictionary[3_000..5_000];
    let options = EncodeOptions::default().dictionary(Arc::clone(&dictionary));
    let compressed = suite::compress_with(options.encoder().unwrap(), data);
    assert!(compressed.len() * 4 < suite::compress::<Zstd>(data).len());
    let options = DecodeOptions::default().dictionary(Arc::clone(&dictionary));
    let read = |input: &[u8]| suite::decompress_with(options.clone().reader(input).unwrap());
    let (result, error) = read(&compressed);
    assert!(error.is_none() && result == data, "{error:?}");
    let (result, error) = read(&suite::compress::<Zstd>(data));
    assert!(error.is_none() && result == data, "{error:?}");
    let mut damaged = compressed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(read(&damaged).1.unwrap().to_string().contains("checksum"));
    suite::offset_of_corrupt(suite::decompress::<Zstd>(&compressed).1);
    let other = DecodeOptions::default().dictionary(suite::sample(20_000, 7));
    suite::offset_of_corrupt(suite::decompress_with(other.reader(&compressed[..]).unwrap()).1);
    // What starts like a trained dictionary must be one.
    let broken = EncodeOptions::default().dictionary(&b"\x37\xa4\x30\xec and so on"[..]);
    assert_eq!(broken.encoder().unwrap_err().kind(), ErrorKind::Config);
    let broken = DecodeOptions::default().dictionary(&b"\x37\xa4\x30\xec and so on"[..]);
    assert_eq!(broken.decoder().unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn long_distance_finds_what_lies_far_back_and_windows_are_bounded() {
    // Noise that comes again after more than a default window.
    let noise = &contents()[3];
    let data = [&noise[..], &vec![0; 12 << 20], noise].concat();
    let compress = |options: EncodeOptions| suite::compress_with(options.encoder().unwrap(), &data);
    let near = compress(EncodeOptions::default());
    let far = compress(EncodeOptions::default().long_distance(true));
    assert!(
        far.len() < near.len() * 6 / 10,
        "{} and {}",
        far.len(),
        near.len()
    );
    let (result, error) = suite::decompress::<Zstd>(&far);
    assert!(error.is_none() && result == data, "{error:?}");
    let small = DecodeOptions::default()
        .max_window_log(26)
        .reader(&far[..])
        .unwrap();
    let (_, error) = suite::decompress_with(small);
    assert!(
        error
            .as_ref()
            .unwrap()
            .to_string()
            .contains("too much memory"),
        "{error:?}"
    );
    suite::offset_of_corrupt(error);

    let huge = compress(EncodeOptions::default().window_log(28));
    suite::offset_of_corrupt(suite::decompress::<Zstd>(&huge).1);
    let large = DecodeOptions::default()
        .max_window_log(28)
        .reader(&huge[..])
        .unwrap();
    assert!(suite::decompress_with(large).0 == data);
    for log in [0, 9, 31, u32::MAX] {
        let error = EncodeOptions::default()
            .window_log(log)
            .encoder()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let error = DecodeOptions::default()
            .max_window_log(log)
            .decoder()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

struct Threaded;

impl suite::Codec for Threaded {
    type Encoder = ZstdEncoder;
    type Decoder = ZstdDecoder;

    fn encoder() -> ZstdEncoder {
        EncodeOptions::default().threads(2).encoder().unwrap()
    }

    fn decoder() -> ZstdDecoder {
        ZstdDecoder::default()
    }
}

mod threaded {
    use super::{Threaded, suite};

    suite!(Threaded:
        random_data_round_trips_over_any_pieces,
        a_flush_makes_what_was_written_readable,
        flushes_without_data_cost_nothing,
        cancelled_calls_lose_nothing,
        a_shutdown_publishes_and_a_drop_does_not,
        a_failure_below_publishes_nothing,
    );
}

#[test]
fn threads_share_out_more_than_one_job() {
    let data = suite::sample(20 << 20, 8);
    let options = EncodeOptions::default().level(Level::Fastest);
    let encoder = options.clone().threads(2).encoder().unwrap();
    let compressed = suite::compress_with(encoder, &data);
    // Jobs know little of each other, so the result differs from that of one thread.
    assert!(compressed != suite::compress_with(options.encoder().unwrap(), &data));
    let (result, error) = suite::decompress::<Zstd>(&compressed);
    assert!(error.is_none() && result == data, "{error:?}");
    let error = EncodeOptions::default().threads(257).encoder().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn levels_are_honoured_or_refused() {
    let data = suite::sample(400_000, 9);
    let size = |level: Level| {
        let encoder = EncodeOptions::default().level(level).encoder().unwrap();
        let compressed = suite::compress_with(encoder, &data);
        assert!(suite::decompress::<Zstd>(&compressed).0 == data);
        compressed.len()
    };
    assert!(size(Level::Best) < size(Level::Fastest));
    assert!(size((-100).into()) > size(Level::Fastest));
    assert_eq!(size(Level::Default), size(3.into()));
    assert_eq!(size(Level::Default), suite::compress::<Zstd>(&data).len());
    for level in [23, i32::MAX, -131_073] {
        let error = EncodeOptions::default()
            .level(level.into())
            .encoder()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[test]
fn every_frame_has_a_checksum_and_skippable_frames_are_skipped() {
    let compressed = suite::compress::<Zstd>(b"some");
    // Bit 2 of the frame header descriptor.
    assert_eq!(compressed[4] & 0b100, 0b100);
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    let around = [&skippable[..], &compressed, skippable].concat();
    let (result, error) = suite::decompress::<Zstd>(&around);
    assert!(error.is_none() && result == b"some", "{error:?}");
    suite::offset_of_corrupt(suite::decompress::<Zstd>(&around[..around.len() - 1]).1);
}

#[test]
fn options_reach_the_reader() {
    let compressed = suite::compress::<Zstd>(b"some");
    let limits = Limits::default().max_output(3);
    let reader = DecodeOptions::default()
        .limits(limits)
        .reader(&compressed[..])
        .unwrap();
    let (result, error) = suite::decompress_with(reader);
    assert_eq!(result, b"som");
    assert!(error.unwrap().is_quota_exceeded());
}
