//! NDJSON framing beside a bare scan for newlines and `tokio_util`'s `LinesCodec`.
//!
//! `cargo bench -p storage-ndjson` takes the runs in turns and prints the fastest of each.
#![allow(clippy::unwrap_used, missing_docs, reason = "a program that measures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use memchr::{memchr, memchr_iter};
use storage_ndjson::Options;
use tokio_util::codec::{Decoder, LinesCodec};

const CHUNK: usize = 256 << 10;
const ROUNDS: usize = 15;

/// About 64 MiB of lines around `length` bytes long.
fn input(length: usize) -> Bytes {
    let mut state = 7u64;
    let mut all = Vec::with_capacity(65 << 20);
    while all.len() < 64 << 20 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let spread = (state >> 33) as usize % (length / 2 + 1);
        all.resize(all.len() + length * 3 / 4 + spread, b'x');
        all.push(b'\n');
    }
    all.into()
}

fn chunks(input: &Bytes) -> impl Iterator<Item = Bytes> {
    (0..input.len())
        .step_by(CHUNK)
        .map(|at| input.slice(at..(at + CHUNK).min(input.len())))
}

/// One search after another, as a loop over lines does it.
fn scan(input: &Bytes) -> usize {
    let mut sum = 0;
    for chunk in chunks(input) {
        let mut rest = &chunk[..];
        while let Some(at) = memchr(b'\n', rest) {
            sum += black_box(&rest[..at]).len();
            rest = &rest[at + 1..];
        }
    }
    sum
}

fn scan_iter(input: &Bytes) -> usize {
    let mut sum = 0;
    for chunk in chunks(input) {
        let mut start = 0;
        for at in memchr_iter(b'\n', &chunk) {
            sum += black_box(&chunk[start..at]).len();
            start = at + 1;
        }
    }
    sum
}

fn slices(input: &Bytes) -> usize {
    let mut decoder = Options::default().decoder();
    let mut sum = 0;
    for chunk in chunks(input) {
        decoder.push(chunk);
        while let Some(record) = decoder.next_slice().unwrap() {
            sum += black_box(record).len();
        }
    }
    sum
}

fn shared(input: &Bytes) -> usize {
    let mut decoder = Options::default().decoder();
    let mut sum = 0;
    for chunk in chunks(input) {
        decoder.push(chunk);
        while let Some(record) = decoder.next_record().unwrap() {
            sum += black_box(record).len();
        }
    }
    sum
}

/// The asynchronous shell, a chunk at a time.
fn reader(input: &Bytes) -> usize {
    let stream = stream::iter(chunks(input).map(Ok::<_, storage_core::Error>));
    let mut reader = storage_ndjson::from_chunks(stream);
    runtime().block_on(async {
        let mut sum = 0;
        while reader.fill().await.unwrap() {
            while let Some(record) = reader.next_slice().unwrap() {
                sum += black_box(record).len();
            }
        }
        sum
    })
}

/// The asynchronous shell, a record at a time.
fn reader_each(input: &Bytes) -> usize {
    let stream = stream::iter(chunks(input).map(Ok::<_, storage_core::Error>));
    let mut reader = storage_ndjson::from_chunks(stream);
    runtime().block_on(async {
        let mut sum = 0;
        while let Some(record) = reader.read().await.unwrap() {
            sum += black_box(record).len();
        }
        sum
    })
}

fn codec(input: &Bytes) -> usize {
    let mut codec = LinesCodec::new();
    let mut buffer = BytesMut::new();
    let mut sum = 0;
    for chunk in chunks(input) {
        buffer.extend_from_slice(&chunk);
        while let Some(line) = codec.decode(&mut buffer).unwrap() {
            sum += black_box(line).len();
        }
    }
    sum
}

fn encoder(input: &Bytes) -> usize {
    let mut encoder = Options::default().encoder();
    let mut buffer = Vec::with_capacity(CHUNK * 2);
    let mut sum = 0;
    for chunk in chunks(input) {
        let mut start = 0;
        for at in memchr_iter(b'\n', &chunk) {
            if at > start {
                encoder.encode(&chunk[start..at], &mut buffer).unwrap();
            }
            start = at + 1;
        }
        sum += black_box(&buffer).len();
        buffer.clear();
    }
    sum
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

type Contender = (&'static str, fn(&Bytes) -> usize);

const CONTENDERS: [Contender; 8] = [
    ("memchr, call by call", scan),
    ("memchr_iter", scan_iter),
    ("Decoder::next_slice", slices),
    ("Decoder::next_record", shared),
    ("NdjsonReader::fill, next_slice", reader),
    ("NdjsonReader::read", reader_each),
    ("LinesCodec", codec),
    ("memchr_iter and Encoder::encode", encoder),
];

fn main() {
    for length in [30, 100, 150, 200, 300, 1000] {
        let input = input(length);
        let mut best = [Duration::MAX; CONTENDERS.len()];
        for _ in 0..ROUNDS {
            for (best, (_, run)) in best.iter_mut().zip(CONTENDERS) {
                let start = Instant::now();
                black_box(run(&input));
                *best = start.elapsed().min(*best);
            }
        }
        println!("lines of about {length} bytes, {} MiB", input.len() >> 20);
        for ((name, _), time) in CONTENDERS.iter().zip(best) {
            let speed = input.len() as f64 / time.as_secs_f64() / 1e9;
            let ratio = time.as_secs_f64() / best[0].as_secs_f64();
            println!("  {name:<32}{speed:>7.2} GB/s {ratio:>7.2} × memchr");
        }
    }
}
