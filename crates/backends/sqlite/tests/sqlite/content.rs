//! Content of sizes around those of chunks, parts and sweeps.

use storage_core::{
    AttributePolicy, Backend, BackendExt, ByteRange, ExtendedBackend, ReadOptions, WriteOptions,
};

use crate::{count, fresh, path, swept};

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + at / 251) as u8).collect()
}

const CHUNK: usize = 64 << 10;

#[tokio::test]
async fn every_range_across_chunks_is_right() {
    let (_folder, _file, backend) = fresh().await;
    for size in [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, (2 << 20) + 7] {
        let content = pattern(size);
        backend.put("a", content.clone()).await.unwrap();
        assert_eq!(backend.get("a").await.unwrap(), content);
        for start in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, size - 1] {
            for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, size] {
                let end = (start + len).min(size);
                let wanted = &content[start.min(end)..end];
                let range = ByteRange::Bounded(start as u64, (start + len) as u64);
                let options = ReadOptions::from(range);
                let read = backend.read(&path("a"), options.clone()).await.unwrap();
                assert_eq!(read, wanted, "{start} {len} of {size}");
                let reader = backend.reader(&path("a"), options).await.unwrap();
                assert_eq!(reader.bytes().await.unwrap(), wanted);
            }
        }
    }
}

#[tokio::test]
async fn appends_of_every_size_fill_chunks() {
    let (_folder, file, backend) = fresh().await;
    let mut all = Vec::new();
    for size in [0, 10, CHUNK - 11, 1, 1, CHUNK, 3, (3 << 20) + 5, 0, 100_000] {
        let more = pattern(size);
        let written = backend.append("log", more.clone()).await.unwrap();
        all.extend_from_slice(&more);
        assert_eq!(written.size, all.len() as u64);
        assert_eq!(backend.get("log").await.unwrap(), all, "after {size} bytes");
    }
    swept(&file).await;
    assert_eq!(
        count(&file, "objects_chunks"),
        all.len().div_ceil(CHUNK) as i64
    );
}

#[tokio::test]
async fn a_slow_reader_keeps_its_object_through_replacement_and_deletion() {
    let (_folder, file, backend) = fresh().await;
    let old = pattern(20 << 20);
    for delete in [false, true] {
        backend.put("a", old.clone()).await.unwrap();
        let mut reader = backend
            .reader(&path("a"), ReadOptions::default())
            .await
            .unwrap();
        let first = reader.chunk().await.unwrap().unwrap();
        if delete {
            assert!(backend.delete(&path("a")).await.unwrap());
        } else {
            backend.put("a", "new").await.unwrap();
        }
        swept(&file).await;
        assert!(
            count(&file, "objects_chunks") <= 1,
            "the old chunks are gone"
        );
        let mut read = first.to_vec();
        while let Some(chunk) = reader.chunk().await {
            read.extend_from_slice(&chunk.unwrap());
        }
        assert!(read == old);
    }
}

/// The store is not locked while a writer's caller takes its time.
#[tokio::test]
async fn others_write_while_a_large_write_is_under_way() {
    let (_folder, file, backend) = fresh().await;
    let other = crate::open(&file).await;
    let options = WriteOptions::default();
    let mut writer = backend.writer(&path("large"), options).await.unwrap();
    let content = pattern(5 << 20);
    for chunk in content.chunks(1 << 19) {
        writer.write_bytes(chunk.to_vec().into()).await.unwrap();
        other.put("small", "x").await.unwrap();
        assert!(!other.exists(&path("large")).await.unwrap());
    }
    writer.finish().await.unwrap();
    assert!(other.get("large").await.unwrap() == content);
}

#[tokio::test]
async fn copies_small_and_large_are_whole_and_apart() {
    let (_folder, file, backend) = fresh().await;
    for size in [0, 5, CHUNK + 5, 17 << 20] {
        let content = pattern(size);
        backend.put("a", content.clone()).await.unwrap();
        let copied = backend
            .copy(&path("a"), &path("b"), WriteOptions::default())
            .await;
        assert_eq!(copied.unwrap().size, size as u64);
        backend.append("a", "more").await.unwrap();
        assert!(backend.get("b").await.unwrap() == content);
    }
    backend.delete(&path("a")).await.unwrap();
    backend.delete(&path("b")).await.unwrap();
    swept(&file).await;
    assert_eq!(count(&file, "objects_chunks"), 0);
}

#[tokio::test]
async fn a_rename_takes_attributes_as_they_are_supported() {
    let (_folder, _file, backend) = fresh().await;
    backend.put("a", "content").await.unwrap();
    for policy in [AttributePolicy::IfSupported, AttributePolicy::Required] {
        let options = WriteOptions::default().attributes(policy);
        let renamed = backend.rename(&path("a"), &path("b"), options).await;
        renamed.unwrap();
        backend
            .copy(&path("b"), &path("a"), WriteOptions::default())
            .await
            .unwrap();
    }
}

/// A draft that was flushed before it filled a chunk has a number and no chunk.
#[tokio::test]
async fn two_instances_never_give_one_number_to_two_objects() {
    let (_folder, file, backend) = fresh().await;
    let other = crate::open(&file).await;
    let options = WriteOptions::default();
    let mut writer = backend.writer(&path("slow"), options).await.unwrap();
    writer.write_bytes("begun".into()).await.unwrap();
    writer.flush().await.unwrap();
    other.put("quick", "another").await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(backend.get("quick").await.unwrap(), "another");
    assert_eq!(backend.get("slow").await.unwrap(), "begun");
}

/// Here nobody can sweep until the caller has its answer.
#[test]
fn an_answer_does_not_wait_for_what_is_swept_after_it() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (_folder, file, backend) = fresh().await;
        backend.put("large", vec![1; 40 << 20]).await.unwrap();
        let (go_on, blocked) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || blocked.recv());
        let polled = std::pin::pin!(async {
            backend.delete(&path("large")).await.unwrap();
        });
        storage_core::allow_blocking(|| {
            let waker = std::task::Waker::noop();
            let polled = polled.poll(&mut std::task::Context::from_waker(waker));
            assert!(polled.is_ready());
        });
        assert_eq!(count(&file, "objects_pending"), 1);
        drop(go_on);
        assert!(busy.await.unwrap().is_err());
        swept(&file).await;
        assert_eq!(count(&file, "objects_chunks"), 0);
    });
}

#[tokio::test]
async fn what_is_written_over_an_object_leaves_nothing_of_it() {
    let (_folder, file, backend) = fresh().await;
    let sizes = [
        0,
        1,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        5 * CHUNK + 7,
        (2 << 20) + 3,
    ];
    for before in sizes {
        for after in sizes {
            backend.put("a", vec![7; before]).await.unwrap();
            let content = pattern(after);
            backend.put("a", content.clone()).await.unwrap();
            assert!(
                backend.get("a").await.unwrap() == content,
                "{before} {after}"
            );
            let chunks = after.div_ceil(CHUNK) as i64;
            assert_eq!(count(&file, "objects_chunks"), chunks, "{before} {after}");
        }
    }
}
