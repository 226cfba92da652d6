//! Memory taken: none for a row inside a chunk once the first have made room.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use allocation_counter::measure;
use storage_core::Bytes;
use storage_csv::Options;

const ROWS: usize = 1000;

fn chunk() -> Bytes {
    let rows = "7,\"quoted \"\"text\"\"\",true\n".repeat(ROWS);
    Bytes::from(rows)
}

#[test]
fn rows_inside_a_chunk_are_read_without_any() {
    let mut decoder = Options::default().decoder().unwrap();
    decoder.push("a,b,c\n1,first row makes room for others,\n".into());
    while decoder.next_row().unwrap().is_some() {}
    decoder.push(chunk());
    let mut count = 0;
    let rows = measure(|| {
        while decoder.next_row().unwrap().is_some() {
            count += 1;
        }
    });
    assert_eq!((rows.count_total, count), (0, ROWS));
}

#[test]
fn rows_become_records_with_one_for_many() {
    let mut decoder = Options::default().decoder().unwrap();
    decoder.push("a,b,c\n1,first row makes room for others,\n".into());
    while decoder.next_record().unwrap().is_some() {}
    decoder.push(chunk());
    let mut count = 0;
    let records = measure(|| {
        while decoder.next_record().unwrap().is_some() {
            count += 1;
        }
    });
    // Strings that are unescaped, and blocks that hold many records.
    assert_eq!(count, ROWS);
    assert!(
        records.count_total < ROWS as u64 / 10,
        "{}",
        records.count_total
    );
}

#[test]
fn rows_become_values_without_any() {
    let mut decoder = Options::default().decoder().unwrap();
    decoder.push("a,b,c\n1,first row makes room for others,false\n".into());
    while decoder.next_typed::<(u8, Skip, bool)>().unwrap().is_some() {}
    decoder.push(chunk());
    let mut count = 0;
    let rows = measure(|| {
        while decoder.next_typed::<(u8, Skip, bool)>().unwrap().is_some() {
            count += 1;
        }
    });
    assert_eq!((rows.count_total, count), (0, ROWS));
}

/// A value that keeps nothing.
type Skip = serde::de::IgnoredAny;

#[test]
fn rows_are_written_without_any() {
    let mut encoder = Options::default().encoder().unwrap();
    let mut buffer = Vec::with_capacity(1 << 20);
    encoder.encode_row(["a", "b", "c"], &mut buffer).unwrap();
    let rows = measure(|| {
        for _ in 0..ROWS {
            encoder
                .encode_row(["7", "a, \"b\"", "true"], &mut buffer)
                .unwrap();
        }
    });
    assert_eq!(rows.count_total, 0);
}
