//! Listing costs what a page holds, and not what the store does.

use storage_core::{Backend, ListOptions, ObjectInfo, Prefix};

use crate::{fresh, plain};

/// Makes `count` objects below each of `folders` folders, quickly.
fn fill(file: &std::path::Path, folders: usize, count: usize) {
    let sql = format!(
        "WITH RECURSIVE f(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM f WHERE i + 1 < {folders}), \
         o(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM o WHERE j + 1 < {count}) \
         INSERT INTO objects (path, version, size, modified) \
         SELECT printf('%03d/%06d', i, j), 'v', 0, 0 FROM f, o"
    );
    plain(file).execute_batch(&sql).unwrap();
}

#[tokio::test]
async fn one_level_skips_what_lies_below() {
    let (_folder, file, backend) = fresh().await;
    fill(&file, 12, 10_000);
    // With more rows below each folder than a page may look at, this is one page only by seeking.
    let page = backend
        .list(&Prefix::root(), ListOptions::default())
        .await
        .unwrap();
    let keys: Vec<_> = page.entries.iter().map(ObjectInfo::listing_key).collect();
    let wanted: Vec<_> = (0..12).map(|folder| format!("{folder:03}/")).collect();
    assert_eq!((keys, page.next), (wanted, None));
}

#[tokio::test]
async fn a_page_that_finds_little_ends_and_says_where_to_go_on() {
    let (_folder, file, backend) = fresh().await;
    fill(&file, 2, 10_000);
    let glob = storage_core::Glob::new("*9999").unwrap();
    let options = ListOptions::default().recursive(true).glob(glob);
    let mut found = Vec::new();
    let (mut cursor, mut pages) = (None, 0);
    loop {
        let page = backend
            .list(&Prefix::root(), options.clone().cursor(cursor))
            .await
            .unwrap();
        found.extend(page.entries.iter().map(ObjectInfo::listing_key));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ["000/009999", "001/009999"]);
    assert!(pages > 1);
}
