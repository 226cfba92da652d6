//! Listing costs what a page holds, and not what the store does.

use storage_core::{Backend, ListOptions, ObjectInfo, Prefix};

use crate::fresh;

#[tokio::test]
async fn one_level_skips_what_lies_below() {
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    let index = format!("{{{prefix}}}:i");
    for folder in 0..5 {
        for thousand in 0..4 {
            let mut words = vec!["ZADD".to_owned(), index.clone()];
            for number in 0..1000 {
                words.extend(["0".to_owned(), format!("{folder}/{thousand}{number:03}")]);
            }
            raw.send(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
    let before = raw.send(&["INFO", "commandstats"]).concat();
    // With more keys below each folder than a page may look at, this is one page only by seeking.
    let page = backend
        .list(&Prefix::root(), ListOptions::default())
        .await
        .unwrap();
    let keys: Vec<_> = page.entries.iter().map(ObjectInfo::listing_key).collect();
    assert_eq!(
        (keys, page.next),
        (
            vec!["0/", "1/", "2/", "3/", "4/"]
                .into_iter()
                .map(str::to_owned)
                .collect(),
            None
        )
    );
    assert!(!before.contains("cmdstat_scan:"), "nobody scans");
}

/// Keys whose objects have expired give short pages, and a walk goes on past them.
#[tokio::test]
async fn a_walk_goes_on_past_keys_without_objects() {
    use storage_core::BackendExt;
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    let index = format!("{{{prefix}}}:i");
    for thousand in 0..12 {
        let mut words = vec!["ZADD".to_owned(), index.clone()];
        for number in 0..1000 {
            words.extend(["0".to_owned(), format!("a/{thousand:02}{number:03}")]);
        }
        raw.send(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }
    backend.put("a/last", "x").await.unwrap();
    let all = backend.entries(
        Prefix::root(),
        ListOptions::default().recursive(true).limit(100),
    );
    let keys: Vec<_> = all.collect().await.unwrap();
    assert_eq!(
        keys.iter().map(ObjectInfo::listing_key).collect::<Vec<_>>(),
        ["a/last"]
    );
}
