//! Memory taken: none for a record inside a chunk, little for what a limit refuses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use futures_util::stream;
use storage_core::{Bytes, RecordReader, RecordWriter, Result};
use storage_ndjson::Options;

const RECORDS: u64 = 1000;

/// One chunk of whole lines. Static, so that sharing it does not begin with an allocation.
fn chunk() -> Bytes {
    let line = "{\"a\":[1,2,3],\"b\":\"some text\"}\n";
    Bytes::from_static(line.repeat(RECORDS as usize).leak().as_bytes())
}

fn chunks() -> stream::Iter<std::vec::IntoIter<Result<Bytes>>> {
    stream::iter(vec![Ok(chunk()), Ok(chunk())])
}

/// What must not wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn records_inside_a_chunk_are_read_without_any() {
    let chunk = chunk();
    let (mut decoder, mut count) = (Options::default().decoder(), 0);
    decoder.push(chunk.clone());
    let slices = measure(|| {
        while decoder.next_slice().unwrap().is_some() {
            count += 1;
        }
    });
    decoder.push(chunk);
    let shared = measure(|| {
        while decoder.next_record().unwrap().is_some() {
            count += 1;
        }
    });
    assert_eq!((slices.count_total, shared.count_total), (0, 0));
    assert_eq!(count, 2 * RECORDS);

    let mut reader = storage_ndjson::from_chunks(chunks());
    let read = measure(|| while ready(reader.read()).unwrap().is_some() {});
    // The stream of chunks gives its own memory back, and takes none.
    assert_eq!(read.count_total, 0);

    let mut reader = storage_ndjson::from_chunks(chunks());
    let reader: &mut dyn RecordReader = &mut reader;
    let read = measure(|| {
        while ready(reader.read()).unwrap().is_some() {
            while reader.try_read().unwrap().is_some() {}
        }
    });
    assert_eq!(
        read.count_total, 3,
        "a boxed future a chunk, and at the end"
    );
}

#[test]
fn records_are_written_without_any() {
    let (mut encoder, mut buffer) = (Options::default().encoder(), Vec::with_capacity(1 << 20));
    let encoded = measure(|| {
        for _ in 0..RECORDS {
            encoder.encode(b"{\"a\":1}", &mut buffer).unwrap();
            encoder.encode_json(&(1, "two"), &mut buffer).unwrap();
        }
    });
    assert_eq!(encoded.count_total, 0);

    let mut writer = storage_ndjson::writer(tokio::io::sink());
    // The first records make the buffer that gathers.
    let mut write = |records: u64| {
        measure(|| {
            for _ in 0..records {
                ready(writer.write(b"{\"a\":[1,2,3],\"b\":\"some text\"}")).unwrap();
            }
        })
        .count_total
    };
    write(5000);
    assert_eq!(write(20_000), 0);

    let writer: &mut dyn RecordWriter = &mut writer;
    let written = measure(|| {
        for _ in 0..RECORDS {
            if !writer.try_write(b"{\"a\":1}").unwrap() {
                ready(writer.write(b"{\"a\":1}")).unwrap();
            }
        }
    });
    assert!(
        written.count_total <= 1,
        "a boxed future when the buffer is full"
    );
}

#[test]
fn an_endless_line_takes_no_more_than_its_limit() {
    let mut decoder = Options::default().max_record(10_000).decoder();
    let endless = Bytes::from_static(&[b'x'; 1000]);
    let taken = measure(|| {
        for _ in 0..10_000 {
            decoder.push(endless.clone());
            let _ = decoder.next_slice();
        }
    });
    assert!(taken.bytes_max < 50_000, "{}", taken.bytes_max);
}
