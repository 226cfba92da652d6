//! Listings from index pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use storage_core::{BackendExt, ErrorKind, ListOptions, ObjectInfo, Prefix, Result};
use storage_http::HttpBackend;
use storage_memory::MemoryBackend;
use storage_static_server::StaticServer;

use crate::scripted::{Answer, Scripted};

fn recursive() -> ListOptions {
    ListOptions::default().recursive(true)
}

async fn keys(backend: &HttpBackend, prefix: &str, options: ListOptions) -> Result<Vec<String>> {
    let entries = backend
        .entries(Prefix::new(prefix)?, options)
        .collect()
        .await?;
    Ok(entries.iter().map(ObjectInfo::listing_key).collect())
}

#[tokio::test]
async fn a_deep_tree_is_walked_in_order_whatever_the_pages() -> Result<()> {
    let memory = MemoryBackend::builder().directories(false).build();
    let mut expected = Vec::new();
    for a in ["a", "a.b", "b", "c!"] {
        for b in 0..6 {
            for c in ["x", "x.y", "x/z", "w/v/u"] {
                expected.push(format!("{a}/{b}/{c}"));
            }
        }
    }
    for key in &expected {
        memory.put(key, "12345").await?;
    }
    expected.sort();
    let served = StaticServer::start(Arc::new(memory)).await?;
    for list_concurrency in [1, 3, 50] {
        let builder = HttpBackend::builder(served.url());
        let backend = builder.list_concurrency(list_concurrency).open().await?;
        for limit in [1, 7, 1000] {
            let all = keys(&backend, "", recursive().limit(limit)).await?;
            assert_eq!(
                all, expected,
                "{list_concurrency} at once, in pages of {limit}"
            );
        }
        let some = recursive().start_after("b/3/x").name_starts_with("b/");
        let from = expected
            .iter()
            .filter(|key| key.starts_with("b/") && key.as_str() > "b/3/x");
        assert_eq!(
            keys(&backend, "", some).await?,
            from.cloned().collect::<Vec<_>>()
        );
    }
    Ok(())
}

#[tokio::test]
async fn directories_ahead_are_asked_for_together() -> Result<()> {
    // A page of the second level is answered only once another one was asked for: a walk that asks
    // for one after the other would see the last of each pair fail.
    let seen = Arc::new(AtomicUsize::new(0));
    let pages = Arc::clone(&seen);
    let server = Scripted::start(move |_, asked| {
        if asked.path == "/" {
            let names: Vec<_> = (0..8)
                .map(|n| format!(r#"{{"name":"d{n}","type":"directory"}}"#))
                .collect();
            return Answer::new(200, &[], format!("[{}]", names.join(",")).as_bytes());
        }
        pages.fetch_add(1, Ordering::SeqCst);
        Answer::new(200, &[], br#"[{"name":"f","type":"file","size":1}]"#)
    })
    .await?;
    let backend = server.builder().list_concurrency(4).open().await?;
    let first = backend
        .entries(Prefix::root(), recursive().limit(1))
        .next()
        .await;
    assert_eq!(first.unwrap()?.path.as_str(), "d0/f");
    // The first entry needs one page; the next ones are on their way or there.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while seen.load(Ordering::SeqCst) < 4 && std::time::Instant::now() < until {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(
        seen.load(Ordering::SeqCst) >= 4,
        "nothing is asked for ahead"
    );
    assert_eq!(keys(&backend, "", recursive()).await?.len(), 8);
    Ok(())
}

#[tokio::test]
async fn what_is_no_index_is_never_an_empty_directory() -> Result<()> {
    let server = Scripted::start(|_, asked| match asked.path.as_str() {
        "/site/" => Answer::new(200, &[], b"<title>Welcome</title><a href=\"x\">x</a>"),
        "/locked/" => Answer::new(403, &[], b""),
        "/huge/" => Answer::new(200, &[], &[b' '; 70_000]),
        "/cut/" => Answer::new(200, &[("Content-Length", "500")], b"[]"),
        _ => Answer::new(404, &[], b""),
    })
    .await?;
    let backend = server
        .builder()
        .index_limit(65_536)
        .max_attempts(1)
        .open()
        .await?;
    for (prefix, kind) in [
        ("site", ErrorKind::Unsupported),
        ("locked", ErrorKind::PermissionDenied),
        ("huge", ErrorKind::QuotaExceeded),
        ("cut", ErrorKind::Network),
        ("", ErrorKind::NotFound),
    ] {
        let error = keys(&backend, prefix, recursive()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{prefix}: {error}");
    }
    assert_eq!(keys(&backend, "missing", recursive()).await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_tree_without_an_end_ends_in_an_error() -> Result<()> {
    let page = br#"[{"name":"again","type":"directory"},{"name":"f","type":"file","size":1}]"#;
    let server = Scripted::start(move |_, _| Answer::new(200, &[], page)).await?;
    let backend = server.builder().open().await?;
    let error = keys(&backend, "", recursive()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPath, "{error}");
    Ok(())
}

#[tokio::test]
async fn links_that_lead_out_are_left_alone() -> Result<()> {
    let page = br#"<title>Index of /</title><a href="../">up</a><a href="/etc/passwd">x</a>
        <a href="http://evil.invalid/x">x</a><a href="..%2f..%2fx">x</a><a href="in">in</a>"#;
    let server = Scripted::start(move |_, _| Answer::new(200, &[], page)).await?;
    let builder = HttpBackend::builder(format!("{}files/", server.url()));
    assert_eq!(keys(&builder.open().await?, "", recursive()).await?, ["in"]);
    assert!(server.asked().iter().all(|asked| asked.path == "/files/"));
    Ok(())
}
