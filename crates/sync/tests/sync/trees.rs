//! Trees to sync, and what became of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use storage_core::{
    AttributePolicy, Backend, BackendExt, Bytes, ExtendedBackend, Features, ListOptions,
    ObjectInfo, Operation, Prefix, Result as StoreResult, WriteOptions, Written, async_trait,
};
use storage_faults::{Call, Intercept, Masked};
use storage_memory::MemoryBackend;
use storage_sync::{Action, Command, Event, Job, Options, Summary, SyncError, Tree};

pub(crate) type Store = Arc<dyn Backend>;

pub(crate) fn memory() -> Store {
    Arc::new(MemoryBackend::new())
}

/// Without directories, as an object store.
pub(crate) fn flat() -> Store {
    Arc::new(MemoryBackend::builder().directories(false).build())
}

/// Over a flat store, without the features that `hidden` names.
pub(crate) fn masked(hidden: &[&str]) -> Store {
    let mut features = Features::NONE;
    for name in hidden {
        assert!(features.set(name, true), "{name}");
    }
    let inner = MemoryBackend::builder().directories(false).build();
    Arc::new(Masked::new(features).over(inner))
}

/// A time with nanoseconds.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000 + seconds, 123_456_789)
}

pub(crate) fn tree(store: &Store, prefix: &str) -> Tree {
    Tree::new(Arc::clone(store), Prefix::new(prefix).unwrap())
}

/// Writes an object with a modified time, where the store keeps one.
pub(crate) async fn put(store: &Store, path: &str, content: impl Into<Bytes>, seconds: u64) {
    let options = WriteOptions::default()
        .modified(at(seconds))
        .attributes(AttributePolicy::IfSupported);
    let path = storage_core::ObjectPath::new(path).unwrap();
    store
        .write(&path, content.into().into(), options)
        .await
        .unwrap();
}

/// A small tree of every depth, with odd names, an empty object and one above the size that is sent
/// in one piece.
pub(crate) async fn fill(store: &Store, prefix: &str) {
    let big = vec![7u8; (3 << 20) + 5];
    for (n, path) in [
        "a",
        "a.b",
        "b/1",
        "b/2",
        "b/c/deep/er",
        "b0",
        "empty",
        "ü/a b%20",
    ]
    .iter()
    .enumerate()
    {
        let content = if *path == "empty" {
            String::new()
        } else {
            format!("content of {path}")
        };
        put(store, &format!("{prefix}{path}"), content, n as u64).await;
    }
    put(store, &format!("{prefix}big"), big, 99).await;
}

/// Number of objects that [`fill`] writes.
pub(crate) const FILLED: u64 = 9;

pub(crate) async fn keys(store: &Store, prefix: &str) -> Vec<String> {
    contents(store, prefix).await.into_keys().collect()
}

/// Content by path below the prefix; directories have none and end with `/`.
pub(crate) async fn contents(store: &Store, prefix: &str) -> BTreeMap<String, Option<Bytes>> {
    let prefix = Prefix::new(prefix).unwrap();
    let options = ListOptions::default().recursive(true).directories(true);
    let mut found = BTreeMap::new();
    for info in store
        .entries(prefix.clone(), options)
        .collect()
        .await
        .unwrap()
    {
        let key = info.listing_key()[prefix.len()..].to_owned();
        let content = if info.is_dir {
            None
        } else {
            Some(store.get(&info.path).await.unwrap())
        };
        found.insert(key, content);
    }
    found
}

/// Content by path below the prefix, of objects alone.
pub(crate) async fn objects(store: &Store, prefix: &str) -> BTreeMap<String, Bytes> {
    let all = contents(store, prefix).await.into_iter();
    all.filter_map(|(key, content)| Some((key, content?)))
        .collect()
}

/// Modified time by path, of objects.
pub(crate) async fn times(store: &Store, prefix: &str) -> BTreeMap<String, Option<SystemTime>> {
    let prefix = Prefix::new(prefix).unwrap();
    let options = ListOptions::default().recursive(true);
    let entries = store
        .entries(prefix.clone(), options)
        .collect()
        .await
        .unwrap();
    let relative = |path: &str| path[prefix.len()..].to_owned();
    entries
        .iter()
        .map(|info| (relative(&info.path), info.modified))
        .collect()
}

pub(crate) fn job(command: Command, from: &Store, to: &Store, options: Options) -> Job {
    Job::new(command, tree(from, "src"), tree(to, "dst"), options).unwrap()
}

/// Runs from `src/` of one store to `dst/` of the other.
pub(crate) async fn run(
    command: Command,
    from: &Store,
    to: &Store,
    options: Options,
) -> Result<Summary, SyncError> {
    job(command, from, to, options).run().summary().await
}

/// Runs with failures expected, and gives the summary all the same.
pub(crate) async fn run_failing(
    command: Command,
    from: &Store,
    to: &Store,
    options: Options,
) -> Summary {
    match run(command, from, to, options).await {
        Err(SyncError::Incomplete(summary)) => *summary,
        other => panic!("expected an incomplete run, got {other:?}"),
    }
}

/// The events of a run, in order.
pub(crate) async fn events(
    command: Command,
    from: &Store,
    to: &Store,
    options: Options,
) -> Vec<Event> {
    let mut run = job(command, from, to, options).run();
    let mut events = Vec::new();
    while let Some(event) = run.next().await {
        events.push(event);
    }
    events
}

/// The planned actions among events.
pub(crate) fn planned(events: &[Event]) -> Vec<Action> {
    let planned = events.iter().filter_map(|event| match event {
        Event::Planned(action) => Some(action.clone()),
        _ => None,
    });
    planned.collect()
}

/// One line for each failure: path and error.
pub(crate) fn failures(summary: &Summary) -> Vec<String> {
    summary.failures.iter().map(ToString::to_string).collect()
}

pub(crate) fn extended(store: &Store) -> &dyn ExtendedBackend {
    store.as_extended().unwrap()
}

/// Lists sizes and tags alone; only a stat knows more. A write tells no time.
#[derive(Debug, Clone, Default)]
struct Tagged {
    is_listing: Arc<AtomicBool>,
}

#[async_trait]
impl Intercept for Tagged {
    async fn before(&self, call: &mut Call<'_>) -> StoreResult<()> {
        let lists = call.operation() == Operation::List;
        self.is_listing.store(lists, Ordering::SeqCst);
        Ok(())
    }

    fn edit_info(&self, info: &mut ObjectInfo) {
        info.etag = info.version.as_ref().map(|version| version.as_str().into());
        if self.is_listing.load(Ordering::SeqCst) {
            (info.modified, info.version) = (None, None);
            info.metadata.clear();
        }
    }

    fn edit_written(&self, written: &mut Written) {
        written.modified = None;
    }
}

/// Whose listings have no times and no versions, only entity tags, as S3 has them.
pub(crate) fn tagged() -> Store {
    Arc::new(Tagged::default().over(flat()))
}
