//! Pipelines that break: an error, a drop or a cancelled future at any step of the backend leaves no
//! object, nothing beside it, and no task.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use omnistorage::format::Format;
use omnistorage::pipeline::CompressionLayer;
use omnistorage::{
    Backend, BackendExt, Error, ErrorKind, ListOptions, Operation, Prefix, Result, async_trait,
    pipeline,
};
use storage_faults::{Call, Failing, Intercept, Point, Step};
use tokio::runtime::Runtime;

use crate::stores::{Store, compressions, drain};

const PATH: &str = "d/object";

/// A stack of layers over a store.
#[derive(Clone)]
struct Stack {
    layer: CompressionLayer,
    is_compressed: bool,
    format: Format,
    name: String,
}

/// Runs `test` on every stack over file and memory, each time on an empty store, and looks at what
/// is left.
// By value, for closures.
#[allow(clippy::needless_pass_by_value)]
fn on_every_stack(test: impl AsyncFn(&Stack, &Store)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    for (layer, extension) in compressions() {
        for format in [Format::Ndjson, Format::Csv, Format::LengthPrefixed] {
            let name = format!("{format}{extension}");
            let stack = Stack {
                layer: layer.clone(),
                is_compressed: !extension.is_empty(),
                format,
                name,
            };
            for file in [true, false] {
                let store = runtime.block_on(async {
                    match file {
                        true => Store::file().await,
                        false => Store::memory(),
                    }
                });
                runtime.block_on(test(&stack, &store));
                assert_quiet(&runtime, &stack.name);
            }
        }
    }
}

/// Waits until no task is left, which a drop alone need not achieve at once.
fn assert_quiet(runtime: &Runtime, what: &str) {
    let start = Instant::now();
    while runtime.metrics().num_alive_tasks() > 0 {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{what}: a task is left"
        );
        std::thread::yield_now();
    }
}

/// Requires a store with nothing in it, listed or not.
async fn assert_empty(store: &Store, what: &str) {
    let options = ListOptions::default().recursive(true);
    let listed = store.backend.entries(Prefix::root(), options).collect();
    let listed = listed.await.unwrap();
    assert!(listed.is_empty(), "{what}: {listed:?}");
    // What a dropped writer of files began is removed by a thread.
    let start = Instant::now();
    while let left @ [_, ..] = &store.files()[..] {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{what}: {left:?} is left"
        );
        tokio::task::yield_now().await;
    }
}

/// Records that fill no buffer and one that fills them all, as JSON that does not compress.
static RECORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut state = 7u64;
    let noise = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'a' + (state >> 59) as u8 % 26)
    });
    let long: String = noise.take(200_000).collect();
    ["short", &long, "", &long[..9]]
        .map(|text| format!(r#"{{"a":"{text}"}}"#))
        .to_vec()
});

/// Writes records and flushes in between. Closes once more whatever has failed, as a careless
/// program might.
async fn write(backend: &dyn Backend, stack: &Stack) -> Result<()> {
    let open = pipeline(backend, PATH).compression(stack.layer.clone());
    let mut writer = open.format(stack.format).record_writer().await?;
    let written = async {
        for record in &*RECORDS {
            writer.write(record.as_bytes()).await?;
        }
        writer.flush().await?;
        writer.write(br#"{"a":"last"}"#).await?;
        writer.close().await
    };
    let written = written.await;
    if written.is_err() {
        writer.close().await.unwrap_err();
        writer.write(b"{}").await.unwrap_err();
    }
    written
}

fn cut() -> Error {
    Error::new(ErrorKind::Network, "the cable was cut")
}

#[test]
fn a_failure_of_any_step_leaves_nothing() {
    on_every_stack(async |stack, store| {
        for step in [Step::Open, Step::Chunk, Step::Flush, Step::Finish] {
            let mut failures = 0;
            for nth in 1.. {
                let failing = Failing::nth(nth, Point::on(Operation::Write).at(step), cut);
                let what = format!("{} on {}, {step:?} {nth}", stack.name, store.name);
                let written = write(&failing.clone().over(store.backend.clone()), stack).await;
                if failing.seen() < nth {
                    written.unwrap();
                    assert!(store.backend.remove(PATH).await.unwrap());
                    break;
                }
                assert_eq!(written.unwrap_err().kind(), ErrorKind::Network, "{what}");
                assert_empty(store, &what).await;
                failures += 1;
            }
            assert!(failures > 0, "{}: no {step:?}", stack.name);
        }
    });
}

/// Never comes back from one step, before or after its effect.
#[derive(Debug, Clone)]
struct Stall {
    at: u64,
    seen: Arc<AtomicU64>,
}

impl Stall {
    fn at(at: u64) -> Self {
        let seen = Arc::default();
        Self { at, seen }
    }

    fn is_reached(&self) -> bool {
        self.seen.load(Ordering::SeqCst) >= self.at
    }

    async fn pass(&self) {
        if self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            pending::<()>().await;
        }
    }
}

#[async_trait]
impl Intercept for Stall {
    async fn before(&self, _: &mut Call<'_>) -> Result<()> {
        self.pass().await;
        Ok(())
    }

    async fn after(&self, _: &Call<'_>, _: Result<u64, &Error>) -> Result<()> {
        self.pass().await;
        Ok(())
    }

    fn watches_readers(&self) -> bool {
        true
    }
}

/// Runs `work` until the stall; `None` when it was dropped there.
async fn until<T>(stall: &Stall, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if stall.is_reached() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

#[test]
fn a_future_dropped_at_any_step_leaves_nothing() {
    on_every_stack(async |stack, store| {
        let mut dropped = 0;
        for at in 1.. {
            let stall = Stall::at(at);
            let backend = stall.clone().over(store.backend.clone());
            let what = format!("{} on {}, stalled at {at}", stack.name, store.name);
            match until(&stall, write(&backend, stack)).await {
                Some(written) => {
                    written.unwrap();
                    break;
                }
                // The finish had its effect: whether the object is there nobody can have been told.
                None if store.backend.has(PATH).await.unwrap() => {
                    let open = pipeline(&*store.backend, PATH).compression(stack.layer.clone());
                    let reader = open.format(stack.format).record_reader().await.unwrap();
                    let found = drain(reader).await.unwrap();
                    assert_eq!(found.len(), RECORDS.len() + 1, "{what}");
                    store.backend.remove(PATH).await.unwrap();
                }
                None => assert_empty(store, &what).await,
            }
            dropped += 1;
        }
        assert!(dropped > 8, "{}: {dropped}", stack.name);
    });
}

/// Copies all records through other layers.
async fn copy(from: &dyn Backend, to: &dyn Backend, stack: &Stack) -> Result<()> {
    let open = pipeline(from, "source").compression(stack.layer.clone());
    let open = match stack.is_compressed {
        true => open.overlap(true),
        false => open,
    };
    let mut reader = open.format(stack.format).record_reader().await?;
    let mut writer = pipeline(to, PATH)
        .compression(stack.layer.clone())
        .format(Format::Ndjson)
        .record_writer()
        .await?;
    while let Some(record) = reader.read().await? {
        writer.write(&record).await?;
    }
    writer.close().await?;
    reader.close().await
}

async fn source(stack: &Stack) -> Store {
    let store = Store::memory();
    let open = pipeline(&*store.backend, "source").compression(stack.layer.clone());
    let mut writer = open.format(stack.format).record_writer().await.unwrap();
    for record in &*RECORDS {
        writer.write(record.as_bytes()).await.unwrap();
    }
    writer.close().await.unwrap();
    store
}

#[test]
fn a_source_that_fails_or_stalls_leaves_nothing_where_it_was_to_go() {
    on_every_stack(async |stack, store| {
        let source = source(stack).await;
        for step in [Step::Open, Step::Chunk] {
            for nth in 1.. {
                let failing = Failing::nth(nth, Point::on(Operation::Read).at(step), cut);
                let from = failing.clone().over(source.backend.clone());
                let copied = copy(&from, &*store.backend, stack).await;
                if failing.seen() < nth {
                    copied.unwrap();
                    assert!(store.backend.remove(PATH).await.unwrap());
                    break;
                }
                let what = format!("{} to {}, {step:?} {nth}", stack.name, store.name);
                assert_eq!(copied.unwrap_err().kind(), ErrorKind::Network, "{what}");
                assert_empty(store, &what).await;
            }
        }
        let stall = Stall::at(3);
        let from = stall.clone().over(source.backend.clone());
        let copied = tokio::time::timeout(
            Duration::from_millis(1),
            copy(&from, &*store.backend, stack),
        );
        assert!(copied.await.is_err());
        assert_empty(store, &stack.name).await;
    });
}
