//! The tree that travels, and what must be the same of it everywhere.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use omnistorage::{
    Backend, BackendExt, Bytes, Features, ListOptions, ObjectPath, Prefix, WriteOptions,
};

/// More than one part of an upload.
const LARGE: usize = 9 << 20;

/// Names that are spelled wrongly easily, with the bytes that each holds.
const SMALL: [(&str, &str); 14] = [
    ("..foo", "leading dots"),
    ("a b", "a space"),
    ("a%20b", "an escape that is none"),
    ("a#1", "a fragment that is none"),
    ("a+b", "a plus"),
    ("a?x=1&y", "a query that is none"),
    ("empty", ""),
    ("e\u{301}", "decomposed"),
    ("quote'\"<>&", "what XML escapes"),
    ("x.d/y", "sorts between x and x/"),
    ("x/y/z/deep", "deep"),
    ("ü/ñ", "not ASCII"),
    ("日本/語", "three bytes each"),
    ("~", "the end"),
];

/// A time that every store can hold, in the past.
fn time(index: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + index * 3600)
}

/// What is compared of an object: its bytes and, where the store can hold one, the time it was given.
pub(crate) type Tree = BTreeMap<String, (Bytes, Option<SystemTime>)>;

pub(crate) fn features(backend: &dyn Backend) -> Features {
    backend
        .as_extended()
        .map_or(Features::NONE, |extended| extended.features())
}

/// Fills a store, with times and metadata where it has them.
pub(crate) async fn fill(backend: &dyn Backend) {
    let large: Vec<u8> = (0..LARGE).map(|at| (at ^ (at >> 11)) as u8).collect();
    let small = SMALL.map(|(name, text)| (name, Bytes::from(text)));
    let all = small.into_iter().chain([("large", Bytes::from(large))]);
    let features = features(backend);
    for (index, (name, bytes)) in (0..).zip(all) {
        let mut options = WriteOptions::default();
        if features.set_modified {
            options = options.modified(time(index));
        }
        if features.content_type {
            options = options
                .content_type("text/x-test")
                .cache_control("no-cache");
        }
        if features.custom_metadata {
            let metadata = [("colour".to_owned(), format!("grün {index}"))];
            options = options.metadata(metadata.into());
        }
        let path = ObjectPath::new(name).unwrap();
        backend.write(&path, bytes.into(), options).await.unwrap();
    }
}

/// Everything in a store.
pub(crate) async fn read(backend: &dyn Backend) -> Tree {
    let options = ListOptions::default().recursive(true);
    let entries = backend.entries(Prefix::root(), options).collect().await;
    let has_times = features(backend).set_modified;
    let mut tree = Tree::new();
    for entry in entries.unwrap() {
        let name = entry.path.as_str();
        let info = backend.try_stat(name).await.unwrap().unwrap();
        let bytes = backend.get(name).await.unwrap();
        let modified = info.modified.filter(|_| has_times);
        tree.insert(name.to_owned(), (bytes, modified));
    }
    tree
}

/// The attributes of an object that come along where both stores have them.
pub(crate) async fn attributes(
    backend: &dyn Backend,
    name: &str,
) -> (Option<String>, Option<String>) {
    let info = backend.try_stat(name).await.unwrap().unwrap();
    let content_type = info.content_type.map(|text| text.to_string());
    (content_type, info.metadata.get("colour").cloned())
}
