use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use storage_core::{ObjectInfo, ObjectPath};
use tokio::time::Instant;

/// Bytes that an object counts beside its content.
const OVERHEAD: u64 = 512;

/// Paths share so many counters of what was forgotten.
const STRIPES: usize = 64;

/// An object in memory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) info: ObjectInfo,
    pub(super) bytes: Bytes,
    /// When the store was asked that said so.
    pub(super) valid_since: Instant,
}

/// Objects by path, in the order in which they were last read.
#[derive(Debug)]
pub(super) struct Store {
    budget: u64,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    entries: HashMap<ObjectPath, (u64, Entry)>,
    /// Paths by when they were last read.
    order: BTreeMap<u64, ObjectPath>,
    clock: u64,
    bytes: u64,
    /// Counts what was forgotten, so that what was fetched before is not kept after.
    epochs: [u64; STRIPES],
}

fn stripe(path: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    (hasher.finish() % STRIPES as u64) as usize
}

fn cost(entry: &Entry) -> u64 {
    entry.bytes.len() as u64 + OVERHEAD
}

impl Store {
    pub(super) fn new(budget: u64) -> Self {
        Self {
            budget,
            held: Mutex::new(Held {
                entries: HashMap::new(),
                order: BTreeMap::new(),
                clock: 0,
                bytes: 0,
                epochs: [0; STRIPES],
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn held(&self) -> u64 {
        self.lock().bytes
    }

    pub(super) fn epoch(&self, path: &str) -> u64 {
        self.lock().epochs[stripe(path)]
    }

    pub(super) fn get(&self, path: &ObjectPath) -> Option<Entry> {
        let mut held = self.lock();
        let held = &mut *held;
        let (read, entry) = held.entries.get_mut(path)?;
        held.clock += 1;
        held.order.remove(read);
        held.order.insert(held.clock, path.clone());
        *read = held.clock;
        Some(entry.clone())
    }

    /// Keeps an object, unless its path was forgotten since the epoch.
    pub(super) fn keep(&self, entry: Entry, epoch: u64) {
        let path = entry.info.path.clone();
        let mut held = self.lock();
        if held.epochs[stripe(&path)] != epoch || cost(&entry) > self.budget {
            return;
        }
        held.remove(&path);
        held.bytes += cost(&entry);
        held.clock += 1;
        let now = held.clock;
        held.order.insert(now, path.clone());
        held.entries.insert(path, (now, entry));
        while held.bytes > self.budget {
            let Some((_, oldest)) = held.order.pop_first() else {
                break;
            };
            held.remove(&oldest);
        }
    }

    /// Notes that the object that was `seen` was still there at a time.
    pub(super) fn still_valid(&self, path: &ObjectPath, seen: &Entry, since: Instant) {
        let mut held = self.lock();
        if let Some((_, entry)) = held.entries.get_mut(path)
            && entry.info.version == seen.info.version
        {
            entry.valid_since = entry.valid_since.max(since);
        }
    }

    pub(super) fn forget(&self, path: &str) {
        let mut held = self.lock();
        held.epochs[stripe(path)] += 1;
        held.remove(path);
    }

    /// Forgets a path and all that is below it; with no path, everything.
    pub(super) fn forget_below(&self, path: &str) {
        let mut held = self.lock();
        held.epochs.iter_mut().for_each(|epoch| *epoch += 1);
        let below = |own: &str| match own.strip_prefix(path) {
            Some(rest) => path.is_empty() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        };
        let gone: Vec<_> = held
            .entries
            .keys()
            .filter(|own| below(own))
            .cloned()
            .collect();
        for path in gone {
            held.remove(&path);
        }
    }
}

impl Held {
    fn remove(&mut self, path: &str) {
        if let Some((read, entry)) = self.entries.remove(path) {
            self.order.remove(&read);
            self.bytes -= cost(&entry);
        }
    }
}
