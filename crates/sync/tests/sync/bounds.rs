//! Memory is bounded by pages, not by the tree.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use storage_core::{
    Backend, Cursor, Error, ListOptions, ListPage, ObjectInfo, ObjectPath, Prefix, ReadOptions,
    Reader, Result, WriteOptions, Writer, async_trait,
};
use storage_sync::{Command, Job, Options, Tree};

use crate::trees::{Store, at, memory, tree};

const PAGE: usize = 1000;

/// A basic backend that makes up its listing. All entries share one tag, whose reference count is
/// the number of entries alive.
#[derive(Debug)]
pub(crate) struct Listed {
    count: usize,
    backwards: bool,
    /// Added to every size, so that two of them differ or not.
    size: u64,
    tag: Arc<str>,
    most_alive: AtomicUsize,
}

impl Listed {
    fn new(count: usize, size: u64) -> Self {
        Self {
            count,
            backwards: false,
            size,
            tag: "tag".into(),
            most_alive: AtomicUsize::new(0),
        }
    }

    /// Ten entries, the last first.
    pub(crate) fn backwards() -> Self {
        Self {
            backwards: true,
            ..Self::new(10, 1)
        }
    }

    fn entry(&self, prefix: &Prefix, n: usize) -> ObjectInfo {
        let n = if self.backwards { self.count - n } else { n };
        let name = if self.backwards {
            format!("k{n}")
        } else {
            format!("d{:05}/k{n:08}", n / 500)
        };
        let mut info = ObjectInfo::new(prefix.join(name).unwrap()).with_size(self.size);
        info.modified = Some(at(1));
        info.etag = Some(Arc::clone(&self.tag));
        info
    }
}

fn refused<T>() -> Result<T> {
    Err(Error::unsupported("only listings"))
}

#[async_trait]
impl Backend for Listed {
    fn name(&self) -> &'static str {
        "listed"
    }
    async fn reader(&self, _: &ObjectPath, _: ReadOptions) -> Result<Reader> {
        refused()
    }
    async fn writer(&self, _: &ObjectPath, _: WriteOptions) -> Result<Writer> {
        refused()
    }
    async fn delete(&self, _: &ObjectPath) -> Result<bool> {
        refused()
    }
    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let parts = options.into_parts();
        let start = parts
            .cursor
            .map_or(0, |cursor| cursor.as_str().parse().unwrap());
        let end = self.count.min(start + parts.limit.unwrap_or(PAGE));
        let page = ListPage {
            entries: (start..end).map(|n| self.entry(prefix, n)).collect(),
            next: (end < self.count).then(|| Cursor::new(end.to_string())),
        };
        self.most_alive
            .fetch_max(Arc::strong_count(&self.tag), Ordering::SeqCst);
        Ok(page)
    }
    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

const MILLION: usize = 1_000_000;

fn sides(source: usize, destination: usize) -> (Arc<Listed>, Arc<Listed>) {
    (
        Arc::new(Listed::new(source, 1)),
        Arc::new(Listed::new(destination, 1)),
    )
}

fn job(from: &Arc<Listed>, to: &Arc<Listed>, options: Options) -> Job {
    let (from, to): (Store, Store) = (from.clone(), to.clone());
    Job::new(Command::Sync, tree(&from, "src"), tree(&to, "dst"), options).unwrap()
}

/// Two pages ahead, one being compared, one being listed, one in transit.
fn assert_bounded(side: &Listed) {
    let most = side.most_alive.load(Ordering::SeqCst);
    assert!(
        (PAGE..=5 * PAGE).contains(&most),
        "{most} entries were alive at a time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_unchanged_objects_are_compared_in_a_few_pages() {
    let (from, to) = sides(MILLION, MILLION);
    let options = Options::default().comparison(storage_sync::Comparison::SizeOnly);
    let summary = job(&from, &to, options).run().summary().await.unwrap();
    assert_eq!(summary.skipped, MILLION as u64);
    assert_bounded(&from);
    assert_bounded(&to);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_million_actions_holds_a_few_pages() {
    // Every other thousand is the destination's alone.
    let (from, to) = sides(MILLION / 2, MILLION);
    let options = Options::default().comparison(storage_sync::Comparison::IgnoreTimes);
    let mut plan = job(&from, &to, options).plan().unwrap();
    let mut actions = 0;
    while let Some(action) = plan.next().await {
        action.unwrap();
        actions += 1;
    }
    assert_eq!(actions, MILLION);
    assert_bounded(&from);
    assert_bounded(&to);
}

#[tokio::test]
async fn pages_are_as_small_as_asked() {
    let (from, to) = sides(10_000, 10_000);
    let options = Options::default()
        .comparison(storage_sync::Comparison::SizeOnly)
        .page_size(10);
    job(&from, &to, options).run().summary().await.unwrap();
    assert!(from.most_alive.load(Ordering::SeqCst) <= 50);
}

#[tokio::test]
async fn transfers_at_a_time_are_bounded() {
    use std::time::Duration;
    use storage_core::Operation;
    use storage_faults::{Call, Intercept};

    #[derive(Debug, Clone, Default)]
    struct Crowd(Arc<(AtomicUsize, AtomicUsize)>);
    #[async_trait]
    impl Intercept for Crowd {
        async fn before(&self, call: &mut Call<'_>) -> Result<()> {
            if call.operation() == Operation::Write {
                let now = self.0.0.fetch_add(1, Ordering::SeqCst) + 1;
                self.0.1.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.0.0.fetch_sub(1, Ordering::SeqCst);
            }
            Ok(())
        }
    }
    for transfers in [1usize, 5] {
        let crowd = Crowd::default();
        let from = memory();
        let to: Store = Arc::new(crowd.over(storage_memory::MemoryBackend::new()));
        for n in 0..60 {
            crate::trees::put(&from, &format!("src/{n}"), "x", 1).await;
        }
        let (source, destination): (Tree, Tree) = (tree(&from, "src"), tree(&to, "dst"));
        let options = Options::default().transfers(transfers);
        let job = Job::new(Command::Copy, source, destination, options).unwrap();
        job.run().summary().await.unwrap();
        assert_eq!(crowd.0.1.load(Ordering::SeqCst), transfers);
    }
}

/// Most memory that this process has had, in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Alone in its process, and released: `cargo test --release -p storage-sync --test sync -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes half a minute, and needs a process of its own"]
async fn ten_million_unchanged_objects_are_compared_within_64_mb() {
    let (from, to) = sides(10 * MILLION, 10 * MILLION);
    let options = Options::default().comparison(storage_sync::Comparison::SizeOnly);
    let summary = job(&from, &to, options).run().summary().await.unwrap();
    assert_eq!(summary.skipped, 10 * MILLION as u64);
    assert_bounded(&from);
    assert_bounded(&to);
    if let Some(peak) = peak() {
        println!("peak: {peak} KiB");
        assert!(peak * 1024 < 64_000_000, "{peak} KiB");
    }
}
