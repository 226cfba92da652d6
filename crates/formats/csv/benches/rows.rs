//! CSV rows beside the `csv` crate's own reader, and records as JSON.
//!
//! `cargo bench -p storage-csv` takes the runs in turns and prints the fastest of each.
#![allow(clippy::unwrap_used, missing_docs, reason = "a program that measures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use storage_csv::{Cells, Options};

const CHUNK: usize = 256 << 10;
const ROUNDS: usize = 10;

/// About 32 MiB of rows of seven fields, some of them quoted.
fn input() -> Bytes {
    let mut all = b"id,name,city,amount,date,flag,note\n".to_vec();
    let mut id = 0u32;
    while all.len() < 32 << 20 {
        id += 1;
        let note = if id.is_multiple_of(4) {
            "\"quoted, with \"\"quotes\"\"\""
        } else {
            "plain note"
        };
        let row = format!(
            "{id},Some Name {id},Springfield,{}.50,2026-11-21,true,{note}\n",
            id % 1000
        );
        all.extend_from_slice(row.as_bytes());
    }
    all.into()
}

fn chunks(input: &Bytes) -> impl Iterator<Item = Bytes> {
    (0..input.len())
        .step_by(CHUNK)
        .map(|at| input.slice(at..(at + CHUNK).min(input.len())))
}

fn peer(input: &Bytes) -> usize {
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(CHUNK)
        .from_reader(&input[..]);
    let mut record = csv::ByteRecord::new();
    let mut fields = 0;
    while reader.read_byte_record(&mut record).unwrap() {
        fields += black_box(&record).len();
    }
    fields
}

fn rows(input: &Bytes) -> usize {
    let mut decoder = Options::default().decoder().unwrap();
    let mut fields = 0;
    for chunk in chunks(input) {
        decoder.push(chunk);
        while let Some(row) = decoder.next_row().unwrap() {
            fields += black_box(row).len();
        }
    }
    fields
}

fn records(input: &Bytes, cells: Cells) -> usize {
    let mut decoder = Options::default().cells(cells).decoder().unwrap();
    let mut bytes = 0;
    for chunk in chunks(input) {
        decoder.push(chunk);
        while let Some(record) = decoder.next_record().unwrap() {
            bytes += black_box(record).len();
        }
    }
    bytes
}

type Contender = (&'static str, fn(&Bytes) -> usize);

const CONTENDERS: [Contender; 4] = [
    ("csv::Reader::read_byte_record", peer),
    ("Decoder::next_row", rows),
    ("Decoder::next_record, typed", |input| {
        records(input, Cells::Typed)
    }),
    ("Decoder::next_record, text", |input| {
        records(input, Cells::Text)
    }),
];

fn main() {
    let input = input();
    let mut best = [Duration::MAX; CONTENDERS.len()];
    for _ in 0..ROUNDS {
        for (best, (_, run)) in best.iter_mut().zip(CONTENDERS) {
            let start = Instant::now();
            black_box(run(&input));
            *best = start.elapsed().min(*best);
        }
    }
    for ((name, _), time) in CONTENDERS.iter().zip(best) {
        let speed = input.len() as f64 / time.as_secs_f64() / 1e6;
        let ratio = time.as_secs_f64() / best[0].as_secs_f64();
        println!("{name:<32}{speed:>7.0} MB/s {ratio:>6.2} × csv");
    }
}
