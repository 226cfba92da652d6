//! How much of an object is held while it is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use storage_core::{
    Backend, ByteStream, ObjectPath, Payload, PayloadSource, ReadOptions, WriteOptions,
};

use crate::bucket::Bucket;

const CHUNK: usize = 1 << 20;

/// Bytes that exist now, and the most that ever did.
#[derive(Default)]
struct Held {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Bytes that are counted as long as anybody holds them.
struct Counted(Arc<Held>, Vec<u8>);

impl Counted {
    fn bytes(held: &Arc<Held>, byte: u8) -> Bytes {
        let now = held.now.fetch_add(CHUNK, Ordering::SeqCst) + CHUNK;
        held.most.fetch_max(now, Ordering::SeqCst);
        Bytes::from_owner(Self(Arc::clone(held), vec![byte; CHUNK]))
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.1
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.now.fetch_sub(CHUNK, Ordering::SeqCst);
    }
}

/// Makes its chunks when they are asked for.
struct Generated(Arc<Held>, usize);

impl PayloadSource for Generated {
    fn len(&self) -> u64 {
        (self.1 * CHUNK) as u64
    }

    fn stream(&self) -> ByteStream {
        let held = Arc::clone(&self.0);
        Box::pin(stream::iter(0..self.1).map(move |n| Ok(Counted::bytes(&held, n as u8))))
    }
}

#[test]
fn a_large_write_holds_no_more_than_the_budget_and_a_part() {
    let Some(address) = storage_conformance::server("rgw") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let bucket = Bucket::create(&address).await.unwrap();
        let (budget, part, chunks) = (10 << 20, 5 << 20, 64);
        let builder = bucket
            .builder()
            .sign_payload(false)
            .memory_limit(budget)
            .part_size(part);
        let backend = builder.open().await.unwrap();
        let (held, path) = (Arc::new(Held::default()), ObjectPath::new("large").unwrap());
        let payload = Payload::from_source(Arc::new(Generated(Arc::clone(&held), chunks)));
        backend
            .write(&path, payload, WriteOptions::default())
            .await
            .unwrap();
        let most = held.most.load(Ordering::SeqCst) as u64;
        // What is in flight, the part being gathered and the next chunk, which ends no part.
        assert!(
            most <= budget + 2 * part + 2 * CHUNK as u64,
            "{most} bytes were held"
        );
        assert_eq!(held.now.load(Ordering::SeqCst), 0, "some are still held");
        let mut reader = backend.reader(&path, ReadOptions::default()).await.unwrap();
        let mut position = 0;
        while let Some(chunk) = reader.chunk().await {
            for byte in chunk.unwrap() {
                assert_eq!(usize::from(byte), position / CHUNK, "at {position}");
                position += 1;
            }
        }
        assert_eq!(position, chunks * CHUNK);
    });
}
