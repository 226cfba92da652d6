//! What every codec of this folder promises, as functions over a [`Codec`]. The codecs' own test
//! programs include this module and run it with [`suite!`].

// A test's helper fails the test by panicking, and no program uses every helper.
#![allow(clippy::expect_used, clippy::unwrap_used, dead_code)]

mod broken;
mod layers;
mod limits;
mod round_trip;
mod streams;
pub(crate) mod tools;

use std::future::Future;
use std::task::{Context, Poll, Waker};

use storage_compression::{CompressWriter, Decode, DecodeError, DecompressReader, Encode, Limits};
use storage_core::{Error, ErrorKind};
use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWriteExt};

pub(crate) use broken::*;
pub(crate) use layers::*;
pub(crate) use limits::*;
pub(crate) use round_trip::*;
pub(crate) use streams::{Pieces, Trickle};

/// A codec under test.
pub(crate) trait Codec {
    type Encoder: Encode + 'static;
    type Decoder: Decode + 'static;

    fn encoder() -> Self::Encoder;
    fn decoder() -> Self::Decoder;

    /// The lengths, short of all, at which a cut stream cannot be told from a whole one.
    fn unnoticed_cuts(_compressed: &[u8]) -> Vec<usize> {
        Vec::new()
    }

    fn reader<R: AsyncBufRead + Unpin>(inner: R) -> DecompressReader<R, Self::Decoder> {
        DecompressReader::new(inner, Self::decoder())
    }

    fn writer<W>(inner: W) -> CompressWriter<W, Self::Encoder> {
        CompressWriter::new(inner, Self::encoder())
    }
}

/// Makes a test of each function of the suite.
#[allow(unused_macros)]
macro_rules! suite {
    ($codec:ty: $($name:ident,)+) => {
        $(#[test]
        fn $name() {
            suite::$name::<$codec>();
        })+
    };
    ($codec:ty) => {
        suite!($codec:
            random_data_round_trips_over_any_pieces,
            every_split_point_gives_the_same,
            nothing_compresses_to_a_stream_of_nothing,
            members_that_follow_each_other_are_one_stream,
            a_flush_makes_what_was_written_readable,
            flushes_without_data_cost_nothing,
            every_way_of_reading_gives_the_same,
            a_cut_at_any_byte_is_corrupt_and_says_where,
            what_comes_before_a_fault_is_handed_out,
            a_cut_between_members_and_garbage_after_them,
            a_flipped_bit_never_passes_for_the_data,
            random_bytes_are_corrupt,
            a_failed_reader_never_ends,
            a_bomb_stops_at_the_limit,
            a_ratio_stops_a_bomb,
            a_shutdown_publishes_and_a_drop_does_not,
            a_failure_below_publishes_nothing,
            a_crash_at_any_step_publishes_nothing,
            cancelled_calls_lose_nothing,
            a_closed_writer_takes_nothing,
        );
    };
}
#[allow(unused_imports)]
pub(crate) use suite;

/// Runs a future that needs no timers and no I/O but that of the test, also within another.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..100_000_000u64 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("the future waits for ever");
}

pub(crate) fn compress<C: Codec>(data: &[u8]) -> Vec<u8> {
    compress_with(C::encoder(), data)
}

pub(crate) fn compress_with(encoder: impl Encode, data: &[u8]) -> Vec<u8> {
    let mut writer = CompressWriter::new(Vec::new(), encoder);
    block_on(async {
        writer.write_all(data).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    writer.into_inner()
}

/// What comes out, and the error it ends with.
pub(crate) fn decompress<C: Codec>(compressed: &[u8]) -> (Vec<u8>, Option<Error>) {
    decompress_with(C::reader(compressed))
}

pub(crate) fn decompress_with<R: AsyncBufRead + Unpin, D: Decode>(
    mut reader: DecompressReader<R, D>,
) -> (Vec<u8>, Option<Error>) {
    let mut data = Vec::new();
    let result = block_on(reader.read_to_end(&mut data));
    (data, result.err().map(Error::from))
}

pub(crate) fn limited<C: Codec>(compressed: &[u8], limits: Limits) -> (Vec<u8>, Option<Error>) {
    decompress_with(C::reader(compressed).with_limits(limits))
}

#[track_caller]
pub(crate) fn offset_of_corrupt(error: Option<Error>) -> u64 {
    let error = error.expect("the input is wrong");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    DecodeError::of(&error)
        .expect("a DecodeError is the source")
        .offset()
}

/// Bytes that compress somewhat, the same for the same seed.
pub(crate) fn sample(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut data = Vec::with_capacity(length + 64);
    while data.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match state >> 62 {
            0 => data.extend_from_slice(b"a line that comes again and again\n"),
            1 => data.extend_from_slice(&state.to_le_bytes()),
            2 => data.extend_from_slice(&[b'x'; 50]),
            _ => data.extend_from_slice((state >> 40).to_string().as_bytes()),
        }
    }
    data.truncate(length);
    data
}
