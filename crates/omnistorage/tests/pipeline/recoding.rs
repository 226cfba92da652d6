//! Trees that are compressed or decompressed on the way, and come back.

use std::sync::Arc;

use omnistorage::compression::{Compression, Level, Limits};
use omnistorage::memory::MemoryBackend;
use omnistorage::pipeline::{Compress, Decompress, pipeline};
use omnistorage::sync::{Command, Job, Options, Summary, SyncError, Transform, Tree};
use omnistorage::{Backend, BackendExt, Prefix};

fn tree(store: &Arc<dyn Backend>, prefix: &str) -> Tree {
    Tree::new(Arc::clone(store), Prefix::new(prefix).unwrap())
}

async fn run(
    command: Command,
    store: &Arc<dyn Backend>,
    (from, to): (&str, &str),
    transform: impl Transform,
) -> Result<Summary, SyncError> {
    let source = tree(store, from).transformed(Arc::new(transform));
    let job = Job::new(command, source, tree(store, to), Options::default())?;
    job.run().summary().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_goes_compressed_and_comes_back_and_second_runs_send_nothing() {
    for compression in [Compression::Gzip, Compression::Snappy, Compression::Zstd] {
        let store: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
        let big: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
        store.put("plain/a.txt", "hello").await.unwrap();
        store.put("plain/a", "").await.unwrap();
        store.put("plain/d/big", big.clone()).await.unwrap();
        store.put("plain/done.gz", "is left alone").await.unwrap();
        let compress = || Compress::new(compression, Level::Default).unwrap();
        let there = ("plain", "packed");
        let first = run(Command::Sync, &store, there, compress()).await.unwrap();
        assert_eq!(first.created, 4);
        assert!(
            first.bytes < big.len() as u64 / 4,
            "{compression}: {}",
            first.bytes
        );
        let packed = format!("packed/d/big.{}", compression.extension());
        let read = pipeline(&*store, packed).detect().reader().await.unwrap();
        assert_eq!(read.bytes().await.unwrap(), big);
        assert_eq!(store.get("packed/done.gz").await.unwrap(), "is left alone");
        let second = run(Command::Sync, &store, there, compress()).await.unwrap();
        assert_eq!((second.skipped, second.bytes, second.deleted), (4, 0, 0));
        assert!(
            run(Command::Check, &store, there, compress())
                .await
                .unwrap()
                .is_clean()
        );
        store.remove("packed/done.gz").await.unwrap();

        let back = ("packed", "again");
        let decompress = || Decompress::new(Limits::default());
        assert_eq!(
            run(Command::Sync, &store, back, decompress())
                .await
                .unwrap()
                .created,
            3
        );
        assert_eq!(store.get("again/d/big").await.unwrap(), big);
        assert_eq!(store.get("again/a").await.unwrap(), "");
        assert_eq!(
            run(Command::Sync, &store, back, decompress())
                .await
                .unwrap()
                .bytes,
            0
        );
    }
}

#[tokio::test]
async fn what_cannot_be_decompressed_is_a_failure_of_that_object() {
    let store: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    store.put("in/bad.gz", "no gzip at all").await.unwrap();
    store.put("in/good", "as it is").await.unwrap();
    let ran = run(Command::Copy, &store, ("in", "out"), Decompress::default()).await;
    let Err(SyncError::Incomplete(summary)) = ran else {
        panic!("{ran:?}");
    };
    assert_eq!((summary.errors, summary.created), (1, 1));
    assert!(!store.has("out/bad").await.unwrap());
}

#[tokio::test]
async fn a_plain_and_a_compressed_object_of_one_name_collide() {
    let store: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    store.put("in/a.gz", "").await.unwrap();
    store.put("in/a", "1").await.unwrap();
    let compress = Compress::new(Compression::Gzip, Level::Default).unwrap();
    let ran = run(Command::Sync, &store, ("in", "out"), compress).await;
    assert!(ran.unwrap_err().to_string().contains("the same new name"));
    assert!(
        Compress::new(Compression::Snappy, Level::Best).is_err(),
        "it has no levels"
    );
}
