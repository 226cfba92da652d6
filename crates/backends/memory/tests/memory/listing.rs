use std::collections::BTreeSet;

use proptest::prelude::*;
use storage_core::{
    Backend, BackendExt, Glob, ListOptions, ListPage, ObjectInfo, ObjectPath, Prefix,
};
use storage_memory::MemoryBackend;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

async fn filled(directories: bool, keys: &BTreeSet<String>) -> MemoryBackend {
    let backend = MemoryBackend::builder().directories(directories).build();
    for key in keys {
        backend.put(key, key.clone()).await.unwrap();
    }
    backend
}

/// Pages of `limit`, joined.
async fn walk(backend: &MemoryBackend, prefix: &Prefix, options: ListOptions) -> Vec<String> {
    let entries = backend
        .entries(prefix.clone(), options)
        .collect()
        .await
        .unwrap();
    entries.iter().map(ObjectInfo::listing_key).collect()
}

proptest! {
    /// The seeking walk gives what the contract's plain, full scan of sorted objects gives.
    #[test]
    fn agrees_with_a_full_scan(
        keys in prop::collection::btree_set("[ab!0]{1,2}(/[ab!0]{1,2}){0,3}", 0..40),
        prefix in "([ab!0]{1,2}(/[ab!0]{1,2})?)?",
        after in prop::option::of("[ab!0]{1,2}(/[ab!0]{0,2}){0,2}"),
        start in prop::option::of("[ab!0]{0,2}/?"),
        limit in 1usize..5,
        recursive: bool,
    ) {
        let prefix = Prefix::new(prefix).unwrap();
        let mut options = ListOptions::default().recursive(recursive);
        if let Some(after) = after {
            options = options.start_after(after);
        }
        if let Some(start) = start {
            options = options.name_starts_with(start);
        }
        let objects = keys.iter().map(|key| ObjectInfo::new(ObjectPath::new(key).unwrap()));
        let whole = ListPage::of_sorted(&prefix, options.clone(), objects);
        let expected: Vec<String> = whole.entries.iter().map(ObjectInfo::listing_key).collect();
        let found = block_on(async {
            let backend = filled(false, &keys).await;
            walk(&backend, &prefix, options.limit(limit)).await
        });
        prop_assert_eq!(found, expected);
    }

    /// With directories, a recursive listing has every object and directory below the prefix.
    #[test]
    fn directories_come_in_order(
        names in prop::collection::btree_set("[ab!0]{1,2}(/[ab!0]{1,2}){0,2}/f", 0..30),
        limit in 1usize..5,
    ) {
        let mut expected = BTreeSet::new();
        for name in &names {
            expected.insert(name.clone());
            expected.extend(name.match_indices('/').map(|(slash, _)| name[..=slash].to_owned()));
        }
        let options = ListOptions::default().recursive(true).directories(true).limit(limit);
        let found = block_on(async {
            let backend = filled(true, &names).await;
            walk(&backend, &Prefix::root(), options).await
        });
        prop_assert_eq!(found, Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn an_object_beside_a_directory_sorts_by_the_full_key() {
    let backend = MemoryBackend::new();
    for key in ["a-b", "a/x/y", "a0", "a.txt"] {
        backend.put(key, "").await.unwrap();
    }
    let keys = walk(&backend, &Prefix::root(), ListOptions::default()).await;
    assert_eq!(keys, ["a-b", "a.txt", "a/", "a0"]);
}

#[tokio::test]
async fn a_page_that_looks_at_too_many_keys_ends_early_and_goes_on() {
    let backend = MemoryBackend::new();
    for n in 0..25_000 {
        backend.put(format!("d/{n:05}"), "").await.unwrap();
    }
    let options = ListOptions::default().glob(Glob::new("24999").unwrap());
    let prefix = Prefix::new("d").unwrap();
    let first = backend.list(&prefix, options.clone()).await.unwrap();
    assert!(first.entries.is_empty() && first.next.is_some());
    assert_eq!(walk(&backend, &prefix, options).await, ["d/24999"]);
    let all = walk(&backend, &prefix, ListOptions::default().limit(20_000)).await;
    assert_eq!(all.len(), 25_000);
    let root = backend
        .list(&Prefix::root(), ListOptions::default())
        .await
        .unwrap();
    assert!(root.entries.len() == 1 && root.next.is_none());
}
