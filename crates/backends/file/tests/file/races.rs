use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storage_core::{Backend, BackendExt, Payload, WriteMode, WriteOptions};

use crate::{children, fresh, path, temporary_files};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_64_creators_wins() {
    let (dir, backend) = fresh().await;
    for round in 0..20 {
        let key = path(&format!("d/{round}"));
        let tasks: Vec<_> = (0..64)
            .map(|task: usize| {
                let (backend, key) = (backend.clone(), key.clone());
                tokio::spawn(async move {
                    let content = Payload::from(vec![task as u8; 1000]);
                    backend
                        .write(&key, content, WriteMode::CreateNew.into())
                        .await
                })
            })
            .collect();
        let mut winners = Vec::new();
        for (task, handle) in tasks.into_iter().enumerate() {
            match handle.await.unwrap() {
                Ok(_) => winners.push(task as u8),
                Err(error) => assert!(error.is_already_exists(), "{error}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(backend.get(&key).await.unwrap(), vec![winners[0]; 1000]);
    }
    assert_eq!(temporary_files(&dir.path().join("d")), [""; 0]);
}

#[tokio::test]
async fn eight_processes_lose_no_increment() {
    let (dir, backend) = fresh().await;
    backend.put("number", "0").await.unwrap();
    children::run_many(8, "increment", dir.path());
    assert_eq!(backend.get("number").await.unwrap(), "4000");
    assert_eq!(temporary_files(dir.path()), [""; 0]);
}

#[tokio::test]
async fn eight_processes_append_whole_lines() {
    let (dir, backend) = fresh().await;
    children::run_many(8, "append", dir.path());
    let log = backend.get("log").await.unwrap();
    let mut next: HashMap<&str, usize> = HashMap::new();
    for line in std::str::from_utf8(&log).unwrap().lines() {
        let fields: Vec<_> = line.split(' ').collect();
        let [id, number, _, same_id, same_number] = fields[..] else {
            panic!("a torn line");
        };
        assert_eq!((id, number), (same_id, same_number));
        let expected = next.entry(id).or_default();
        assert_eq!(number.parse(), Ok(*expected), "out of order or lost");
        *expected += 1;
    }
    assert_eq!(next.len(), 8);
    assert!(next.values().all(|count| *count == 200));
}

/// Readers beside a writer of 64 MiB see one of its objects, never a mix, through every way to read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_beside_a_writer_sees_no_mix() {
    const SIZE: usize = 64 << 20;
    let (_dir, backend) = fresh().await;
    backend.put("big", vec![0; SIZE]).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let (writing, finished) = (backend.clone(), Arc::clone(&done));
    let writer = tokio::spawn(async move {
        for round in 1..=6u8 {
            let options = WriteOptions::default();
            let mut writer = writing.writer(&path("big"), options).await.unwrap();
            for _ in 0..64 {
                writer
                    .write_bytes(vec![round; 1 << 20].into())
                    .await
                    .unwrap();
            }
            writer.finish().await.unwrap();
        }
        finished.store(true, Ordering::Release);
    });
    let mut seen = Vec::new();
    while !done.load(Ordering::Acquire) {
        let mut reader = backend.open("big").await.unwrap();
        let mut first = None;
        let mut size = 0;
        while let Some(chunk) = reader.chunk().await {
            let chunk = chunk.unwrap();
            let first = *first.get_or_insert(chunk[0]);
            assert!(chunk.iter().all(|byte| *byte == first), "a mix");
            size += chunk.len();
        }
        assert_eq!(size, SIZE);
        let whole = backend.get("big").await.unwrap();
        assert_eq!(whole.len(), SIZE);
        assert!(whole.iter().all(|byte| *byte == whole[0]), "a mix");
        seen.extend([first.unwrap(), whole[0]]);
    }
    writer.await.unwrap();
    assert!(seen.is_sorted(), "an old object came back: {seen:?}");
}

/// An append that was given up is not made later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_was_given_up_adds_nothing_later() {
    let (_dir, backend) = fresh().await;
    let large = bytes::Bytes::from(vec![1; 32 << 20]);
    let mut size = 0;
    for round in 0..16 {
        let options = WriteOptions::default().mode(WriteMode::Append);
        let key = path("log");
        let append = backend.write(&key, large.clone().into(), options);
        let wait = std::time::Duration::from_millis(2 * round);
        let _ = tokio::time::timeout(wait, append).await;
        let seen = backend.try_stat("log").await.unwrap();
        let seen = seen.map_or(0, |info| info.size.unwrap());
        assert!(
            seen == size || seen == size + (32 << 20),
            "{seen} of {size}"
        );
        size = seen;
        // Long enough for the append to end, were it still under way.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let later = backend.try_stat("log").await.unwrap();
        assert_eq!(later.map_or(0, |info| info.size.unwrap()), size);
        if size > 64 << 20 {
            backend.delete(&key).await.unwrap();
            size = 0;
        }
    }
}

/// A write that was given up must not come late and replace what was written after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_was_given_up_replaces_nothing_later() {
    let (dir, backend) = fresh().await;
    let large = bytes::Bytes::from(vec![1; 32 << 20]);
    for round in 0..16 {
        let key = path(&format!("{round}"));
        let write = backend.write(&key, large.clone().into(), WriteOptions::default());
        let wait = std::time::Duration::from_millis(round);
        let finished = tokio::time::timeout(wait, write).await.is_ok();
        backend.put(&key, "newer").await.unwrap();
        // Long enough for the large write to end, were it still under way.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(
            backend.get(&key).await.unwrap(),
            "newer",
            "finished: {finished}"
        );
    }
    assert_eq!(temporary_files(dir.path()), [""; 0]);
}
