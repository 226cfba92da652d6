use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use storage_core::{Backend, BackendExt, ListOptions, ObjectInfo, Prefix};

use crate::{fresh, keys, open};

fn recursive() -> ListOptions {
    ListOptions::default().recursive(true)
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_reported() {
    let (dir, backend) = fresh().await;
    std::fs::write(dir.path().join(OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
    backend.put("a", "a").await.unwrap();
    backend.put("z", "z").await.unwrap();
    assert_eq!(keys(&backend).await, ["a", "caf\u{201b}E9", "z"]);
    let entries = backend
        .entries(Prefix::root(), recursive())
        .collect()
        .await
        .unwrap();
    assert_eq!(entries[1].size, None);
    assert!(
        backend
            .get("caf\u{201b}E9")
            .await
            .unwrap_err()
            .is_not_found()
    );
}

/// Cursors outlive their walk: used twice, used after others, used by another process.
#[tokio::test]
async fn any_cursor_goes_on_where_its_page_ended() {
    let (dir, backend) = fresh().await;
    let mut expected = Vec::new();
    for outer in ["a", "a.b", "a0", "b"] {
        for inner in 0..30 {
            let key = format!("{outer}/d{}/{inner:02}", inner % 3);
            backend.put(&key, "x").await.unwrap();
            expected.push(key);
        }
        backend.put(format!("{outer}.file"), "x").await.unwrap();
        expected.push(format!("{outer}.file"));
    }
    expected.sort();
    let other = open(dir.path()).await;
    for limit in [1, 2, 7, 50] {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let options = recursive().limit(limit).cursor(cursor.clone());
            let page = backend
                .list(&Prefix::root(), options.clone())
                .await
                .unwrap();
            for again in [&backend, &other] {
                let same = again.list(&Prefix::root(), options.clone()).await.unwrap();
                assert_eq!(same.entries, page.entries);
                assert_eq!(same.next.is_some(), page.next.is_some());
            }
            seen.extend(page.entries.iter().map(ObjectInfo::listing_key));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "limit {limit}");
    }
    let malformed = recursive().cursor(storage_core::Cursor::new("no cursor"));
    assert!(backend.list(&Prefix::root(), malformed).await.is_err());
}

/// Deeper than the directories that a walk or a purge keeps open.
#[tokio::test]
async fn deep_trees_are_walked_and_purged() {
    let (_dir, backend) = fresh().await;
    let mut expected = Vec::new();
    let mut base = String::new();
    for depth in 0..60 {
        for name in ["b", "n"] {
            let key = format!("{base}{name}");
            backend.put(&key, "x").await.unwrap();
            expected.push(key);
        }
        base = format!("{base}d{depth:02}/");
    }
    expected.sort();
    for limit in [3, 1000] {
        let all = backend
            .entries(Prefix::root(), recursive().limit(limit))
            .collect()
            .await;
        let seen: Vec<_> = all.unwrap().iter().map(ObjectInfo::listing_key).collect();
        assert_eq!(seen, expected);
    }
    let purge = storage_core::RmdirOptions::default().recursive(true);
    backend
        .extended()
        .unwrap()
        .rmdir(&crate::path("d00"), purge)
        .await
        .unwrap();
    assert_eq!(keys(&backend).await, ["b", "n"]);
}

/// Prints what the targets of `docs/design/file.md` are measured by.
#[tokio::test]
#[ignore = "makes 1,000,000 files"]
async fn a_million_names_in_one_directory() {
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    for number in 0..1_000_000 {
        std::fs::File::create(dir.path().join(format!("object-{number:07}"))).unwrap();
    }
    let backend = open(dir.path()).await;
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let mut lines = status.lines();
        lines
            .find(|line| line.starts_with("VmHWM"))
            .unwrap()
            .to_owned()
    };
    println!("before: {}", resident());
    let start = std::time::Instant::now();
    let mut entries = backend.entries(Prefix::root(), recursive());
    let mut count = 0;
    while let Some(entry) = entries.next().await {
        entry.unwrap();
        count += 1;
    }
    assert_eq!(count, 1_000_000);
    println!("after {:?}: {}", start.elapsed(), resident());
}
