//! Listing costs what a page holds, and not what the store does.

use storage_core::{Backend, BackendExt, Glob, ListOptions, ObjectInfo, Prefix};
use storage_proxy::When;

use crate::fresh;

#[tokio::test]
async fn one_level_skips_what_lies_below() {
    let Some((backend, mut raw, prefix)) = fresh().await else {
        return;
    };
    // Made by the server, which is quicker than asking it.
    let make = "for folder = 0, 4 do for number = 0, 3999 do
        local path = folder .. '/' .. string.format('%04d', number)
        redis.call('ZADD', KEYS[1] .. 'i', 0, path)
        redis.call('HSET', KEYS[1] .. 'o:' .. path, 'v', path, 's', '0', 'm', '0', 'd', '')
        end end return 'made'";
    let made = raw.send(&["EVAL", make, "1", &format!("{{{prefix}}}:")]);
    assert_eq!(made, ["made"]);
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

/// What a filter rejects is not asked for one by one.
#[tokio::test]
async fn a_small_page_of_few_among_many_takes_few_requests() {
    let Some((proxy, behind, beside)) = crate::failing::fresh().await else {
        return;
    };
    let many = (0..1000).map(|number| beside.put(format!("{number:04}.log"), "x"));
    for put in futures_util::future::join_all(many).await {
        put.unwrap();
    }
    beside.put("last.txt", "x").await.unwrap();
    proxy.clear();
    let options = ListOptions::default()
        .glob(Glob::new("*.txt").unwrap())
        .limit(1);
    let page = behind.list(&Prefix::root(), options).await.unwrap();
    let keys: Vec<_> = page.entries.iter().map(ObjectInfo::listing_key).collect();
    assert_eq!(keys, ["last.txt"]);
    let requests = proxy.count(&When::any().containing("EVALSHA"));
    assert!(requests <= 12, "{requests} requests");
}
