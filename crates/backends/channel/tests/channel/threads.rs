use storage_channel::{ChannelBackend, Mode};
use storage_core::{Backend, BackendExt};
use tokio::task::JoinSet;

use crate::{count, drain, numbers, path, reader, streams, writer};

const WRITERS: u32 = 4;
const MESSAGES: u32 = 5_000;

/// Lets real threads write and read; the messages of every reader.
async fn exchange(mode: Mode, readers: usize) -> Vec<Vec<u32>> {
    let backend = streams(mode, 8);
    let (mut reading, mut writing) = (JoinSet::new(), JoinSet::new());
    for _ in 0..readers {
        let reader = reader(&backend, "a");
        reading.spawn(drain(reader));
    }
    let writers: Vec<_> = (0..WRITERS).map(|_| writer(&backend, "a")).collect();
    for (writer, index) in writers.into_iter().zip(0..) {
        writing.spawn(count(writer, index * MESSAGES..(index + 1) * MESSAGES));
    }
    for written in writing.join_all().await {
        written.unwrap();
    }
    let mut all = Vec::new();
    for (messages, error) in reading.join_all().await {
        assert!(error.is_none(), "{error:?}");
        all.push(numbers(&messages));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_queue_between_threads_loses_and_repeats_nothing() {
    let mut taken: Vec<u32> = exchange(Mode::Queue, 16).await.concat();
    taken.sort_unstable();
    assert!(taken.into_iter().eq(0..WRITERS * MESSAGES));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broadcast_between_threads_is_the_same_for_all() {
    for mode in [Mode::Broadcast, Mode::Replay] {
        let mut got = exchange(mode, 4).await;
        got.dedup();
        assert_eq!(got.len(), 1, "{mode:?}");
        got[0].sort_unstable();
        assert!(got[0].iter().copied().eq(0..WRITERS * MESSAGES), "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_of_different_names_do_not_meet() {
    let backend = ChannelBackend::new();
    let mut tasks = JoinSet::new();
    for index in 0..64u32 {
        let backend = backend.clone();
        tasks.spawn(async move {
            let name = format!("dir/{index}");
            backend.put(&name, index.to_string()).await.unwrap();
            assert_eq!(backend.get(&name).await.unwrap(), index.to_string());
            assert_eq!(backend.stats(&path(&name)), None);
            backend.close().await.unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!(format!("{backend:?}").matches("streams: 0").count(), 1);
}
