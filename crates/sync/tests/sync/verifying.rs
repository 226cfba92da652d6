use std::sync::Arc;

use storage_core::{
    Backend, BackendExt, ByteStream, Bytes, ListOptions, ListPage, ObjectPath, Operation, Payload,
    Prefix, ReadOptions, Reader, Result, WriteOptions, WriteSink, Writer, Written, async_trait,
};
use storage_faults::{Call, Intercept, Point, Recording, Slow, Step};
use storage_memory::MemoryBackend;
use storage_sync::{Command, Fsync, Options, SyncError, Verify};

use crate::trees::{FILLED, Store, failures, fill, memory, objects, put, run, run_failing};

/// A basic backend that flips a bit of what it stores and reports what it was given or what it has.
#[derive(Debug)]
struct Corrupting {
    inner: MemoryBackend,
    /// Whether it claims the digests of the bytes it was given, as a disk that lies.
    lies: bool,
}

fn flipped(chunk: &Bytes) -> Bytes {
    let mut bytes = chunk.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    bytes.into()
}

#[async_trait]
impl Backend for Corrupting {
    fn name(&self) -> &'static str {
        "corrupting"
    }
    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.inner.reader(path, options).await
    }
    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        let parts = options.into_parts();
        let sink = CorruptingSink {
            hasher: storage_hash::Hasher::new(parts.verify),
            writer: self
                .inner
                .writer(path, WriteOptions::default().verify(parts.verify))
                .await?,
            lies: self.lies,
        };
        Ok(Writer::new("corrupting", path.clone(), sink))
    }
    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.inner.delete(path).await
    }
    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.inner.list(prefix, options).await
    }
    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

struct CorruptingSink {
    writer: Writer,
    hasher: storage_hash::Hasher,
    lies: bool,
}

#[async_trait]
impl WriteSink for CorruptingSink {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.hasher.update(&chunk);
        self.writer.write_bytes(flipped(&chunk)).await
    }
    async fn finish(mut self: Box<Self>) -> Result<Written> {
        let mut written = self.writer.finish().await?;
        if self.lies {
            written.hashes = self.hasher.finish();
        }
        Ok(written)
    }
}

fn corrupting(lies: bool) -> Store {
    Arc::new(Corrupting {
        inner: MemoryBackend::new(),
        lies,
    })
}

#[tokio::test(start_paused = true)]
async fn verification_catches_a_destination_that_corrupts() {
    let from = memory();
    fill(&from, "src/").await;
    for (verify, lies, caught) in [
        (Verify::Hash, false, true),
        (Verify::ReadBack, false, true),
        (Verify::ReadBack, true, true),
        (Verify::Hash, true, false),
        (Verify::Size, false, false),
    ] {
        let to = corrupting(lies);
        let options = Options::default().verify(verify);
        if !caught {
            run(Command::Copy, &from, &to, options).await.unwrap();
            continue;
        }
        let summary = run_failing(Command::Copy, &from, &to, options).await;
        // One object is empty and has nothing to corrupt.
        assert_eq!(summary.errors, FILLED - 1, "{verify:?} {lies}");
        for failure in &summary.failures {
            assert!(
                matches!(*failure.error, SyncError::NotVerified { .. }),
                "{failure}"
            );
        }
        assert_eq!(
            objects(&to, "dst").await.into_keys().collect::<Vec<_>>(),
            ["empty"],
            "what is wrong does not stay"
        );
    }
}

#[tokio::test]
async fn a_move_keeps_the_source_of_what_arrived_wrong() {
    let (from, to) = (memory(), corrupting(false));
    put(&from, "src/a", "x", 1).await;
    let options = Options::default().tries(1u32);
    run_failing(Command::Move, &from, &to, options).await;
    assert_eq!(from.get("src/a").await.unwrap(), "x");
}

/// Replaces `src/` objects in the store below at the given step of reading them.
#[derive(Debug, Clone)]
struct ChangeAt {
    store: Store,
    step: Step,
    times: Arc<std::sync::atomic::AtomicU32>,
}

#[async_trait]
impl Intercept for ChangeAt {
    async fn before(&self, call: &mut Call<'_>) -> Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let meant = call.operation() == Operation::Read && call.step() == self.step;
        let used = u32::from(meant);
        let left = self
            .times
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(used));
        if let (true, Ok(left)) = (meant, left) {
            let seconds = 1000 + u64::from(left);
            put(&self.store, call.path(), vec![8u8; 2 << 20], seconds).await;
        }
        Ok(())
    }
    fn watches_readers(&self) -> bool {
        true
    }
}

async fn changing(step: Step, times: u32) -> (Store, Store) {
    let below = memory();
    put(&below, "src/a", vec![7u8; 3 << 20], 1).await;
    let change = ChangeAt {
        store: Arc::clone(&below),
        step,
        times: Arc::new(times.into()),
    };
    (below.clone(), Arc::new(change.over(below)))
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changes_while_it_is_read_is_an_error() {
    for step in [Step::Open, Step::Chunk] {
        let (_, from) = changing(step, u32::MAX).await;
        let to = memory();
        put(&to, "dst/a", "old", 1).await;
        let summary = run_failing(Command::Sync, &from, &to, Options::default()).await;
        let error = &summary.failures[0].error;
        assert!(
            matches!(**error, SyncError::SourceChanged { .. }),
            "{step:?} {error}"
        );
        assert_eq!(
            to.get("dst/a").await.unwrap(),
            "old",
            "nothing was published"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changed_once_arrives_as_it_is_now() {
    for step in [Step::Open, Step::Chunk] {
        let (below, from) = changing(step, 1).await;
        let to = memory();
        run(Command::Sync, &from, &to, Options::default())
            .await
            .unwrap();
        assert_eq!(
            to.get("dst/a").await.unwrap(),
            below.get("src/a").await.unwrap()
        );
        assert_eq!(
            crate::trees::times(&to, "dst").await,
            crate::trees::times(&from, "src").await
        );
        let again = run(Command::Sync, &from, &to, Options::default())
            .await
            .unwrap();
        assert_eq!(again.skipped, 1, "{step:?}");
    }
}

#[tokio::test]
async fn durability_is_as_asked() {
    for (fsync, flushes, immediate) in [
        (Fsync::None, 0, false),
        (Fsync::End, 1, false),
        (Fsync::Each, 1, true),
    ] {
        let log = Recording::new();
        let to: Store = Arc::new(log.over(MemoryBackend::new()));
        let from = memory();
        fill(&from, "src/").await;
        run(Command::Copy, &from, &to, Options::default().fsync(fsync))
            .await
            .unwrap();
        let records = log.take();
        let count = |op| {
            records
                .iter()
                .filter(|record| record.operation == op)
                .count()
        };
        assert_eq!(count(Operation::Flush), flushes, "{fsync:?}");
        for write in records
            .iter()
            .filter(|record| record.operation == Operation::Write)
        {
            if write.step == Step::Call || write.step == Step::Open {
                assert_eq!(
                    write.options.contains("Immediate"),
                    immediate,
                    "{}",
                    write.options
                );
                assert_eq!(
                    write.options.contains("Deferred"),
                    !immediate,
                    "{}",
                    write.options
                );
            }
        }
        run(Command::Copy, &from, &to, Options::default().fsync(fsync))
            .await
            .unwrap();
        let nothing = log.lines().iter().any(|line| line.starts_with("flush"));
        assert!(!nothing, "a run that changed nothing flushes nothing");
    }
}

#[tokio::test]
async fn what_was_sent_is_durable_before_anything_is_deleted() {
    let log = Recording::new();
    let to: Store = Arc::new(log.over(MemoryBackend::new()));
    let from = memory();
    fill(&from, "src/").await;
    put(&to, "dst/old-name", "x", 1).await;
    let _ = log.take();
    run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    let lines = log.lines();
    let first_delete = lines
        .iter()
        .position(|line| line.starts_with("delete"))
        .unwrap();
    let last_write = lines
        .iter()
        .rposition(|line| line.starts_with("write"))
        .unwrap();
    let flush = lines
        .iter()
        .position(|line| line.starts_with("flush"))
        .unwrap();
    assert!(last_write < flush && flush < first_delete, "{lines:#?}");
}

#[tokio::test]
async fn attributes_travel_where_both_stores_have_them() {
    let (from, to, bare) = (
        memory(),
        memory(),
        crate::trees::masked(&["content_type", "custom_metadata"]),
    );
    let metadata = [("owner".to_owned(), "me".to_owned())].into();
    let options = WriteOptions::default()
        .content_type("text/x")
        .metadata(metadata);
    let path = ObjectPath::new("src/a").unwrap();
    from.write(&path, Payload::from("x"), options)
        .await
        .unwrap();
    run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    let info = to.try_stat("dst/a").await.unwrap().unwrap();
    assert_eq!(info.content_type.as_deref(), Some("text/x"));
    assert_eq!(info.metadata.get("owner").map(String::as_str), Some("me"));
    let summary = run(Command::Copy, &from, &bare, Options::default())
        .await
        .unwrap();
    assert_eq!(summary.created, 1, "{:?}", failures(&summary));
}

// Streams that come in many small pieces, and slowly, arrive whole.
#[tokio::test(start_paused = true)]
async fn slow_streams_of_odd_pieces_arrive_whole() {
    #[derive(Debug, Clone)]
    struct Pieces;
    impl Pieces {
        fn of(content: &Bytes) -> ByteStream {
            let pieces: Vec<_> = content
                .chunks(333_333)
                .map(Bytes::copy_from_slice)
                .map(Ok)
                .collect();
            Box::pin(futures_util::stream::iter(pieces))
        }
    }
    let content = Bytes::from_iter((0..5_000_003u32).map(|n| (n % 251) as u8));
    let mut stream = Pieces::of(&content);
    let slow = Slow::new(
        std::time::Duration::from_millis(7),
        Point::any().at(Step::Chunk),
    );
    let from: Store = Arc::new(slow.over(MemoryBackend::new()));
    let to: Store = Arc::new(slow.over(MemoryBackend::new()));
    let path = ObjectPath::new("src/a").unwrap();
    let mut writer = from.writer(&path, WriteOptions::default()).await.unwrap();
    while let Some(piece) = futures_util::StreamExt::next(&mut stream).await {
        writer.write_bytes(piece.unwrap()).await.unwrap();
    }
    writer.finish().await.unwrap();
    let summary = run(Command::Copy, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(summary.bytes, content.len() as u64);
    assert_eq!(to.get("dst/a").await.unwrap(), content);
}
