use std::time::{Duration, Instant};

use storage_core::{Backend, BackendExt, Config, ErrorKind, ListOptions, Prefix, Registry};
use storage_gcs::{GcsBackend, GcsFactory};
use storage_gcs_emulator::{Call, Emulator};

use crate::{BUCKET, builder, open};

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("gs", GcsFactory).unwrap();
    registry
}

#[tokio::test]
async fn a_uri_names_bucket_prefix_and_settings() {
    let (emulator, whole) = open().await;
    let uri = format!(
        "gs://{BUCKET}/data/2026%20a?anonymous=true&endpoint={}&part_size=1MiB&timeout=5s\
         &max_attempts=2&concurrency=2&memory_limit=8MiB",
        emulator.endpoint()
    );
    let backend = registry().open_uri(&uri).await.unwrap();
    backend.put("x", "content").await.unwrap();
    assert_eq!(whole.get("data/2026 a/x").await.unwrap(), "content");
    assert_eq!(
        backend
            .entries(Prefix::root(), ListOptions::default())
            .collect()
            .await
            .unwrap()
            .len(),
        1
    );
    let identity = format!("{}/{BUCKET}/data/2026 a/", emulator.endpoint());
    assert_eq!(backend.identity(), Some(identity));
    assert_eq!(emulator.count(Call::List), 3, "opening costs one request");
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    for (settings, wanted) in [
        (vec![], "bucket"),
        (vec![("bucket", "")], "bucket"),
        (vec![("bucket", "user:hush@b")], "bucket"),
        (vec![("bucket", "b"), ("bukcet", "c")], "bukcet"),
        (vec![("bucket", "b"), ("part_size", "100000")], "part_size"),
        (vec![("bucket", "b"), ("max_attempts", "0")], "max_attempts"),
        (vec![("bucket", "b"), ("timeout", "0s")], "timeout"),
        (vec![("bucket", "b"), ("timeout", "25h")], "timeout"),
        (vec![("bucket", "b"), ("endpoint", "ftp://x")], "endpoint"),
        (
            vec![("bucket", "b"), ("endpoint", "http://u:hush@x")],
            "endpoint",
        ),
        (
            vec![
                ("bucket", "b"),
                ("anonymous", "true"),
                ("credentials", "hush"),
            ],
            "anonymous",
        ),
        (
            vec![("bucket", "b"), ("credentials", "hush")],
            "credentials",
        ),
        (
            vec![
                ("bucket", "b"),
                ("credentials", "{\"private_key\":\"hush\"}"),
            ],
            "credentials",
        ),
        (
            vec![("bucket", "b"), ("credentials_file", "/nowhere/at/all")],
            "/nowhere/at/all",
        ),
    ] {
        let config = Config::from_iter(settings.clone());
        let error = registry().open("gs", config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{settings:?} {error:?}");
        assert!(error.to_string().contains(wanted), "{settings:?} {error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_used_is_told_within_seconds() {
    let begun = Instant::now();
    let emulator = Emulator::start().await.unwrap();
    let error = builder(&emulator).open().await.unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains(BUCKET),
        "{error}"
    );
    for status in [401, 403] {
        emulator.refuse_all(Some(status));
        let error = builder(&emulator).open().await.unwrap_err();
        assert!(error.is_permission_denied(), "{error:?}");
    }
    drop(emulator);

    // Nobody listens; and somebody does who never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let [silent_at, closed_at] = [&silent, &closed].map(|l| l.local_addr().unwrap());
    drop(closed);
    let at = |address| {
        let builder = GcsBackend::builder(BUCKET).endpoint(format!("http://{address}"));
        builder.anonymous().timeout(Duration::from_secs(1)).open()
    };
    let error = at(closed_at).await.unwrap_err();
    assert!(
        error.is_transient() && error.kind() == ErrorKind::Network,
        "{error:?}"
    );
    let error = at(silent_at).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    // Opening gives itself ten seconds; this is to catch one that never ends.
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let (emulator, backend) = open().await;
    let shown = format!("{backend:?}");
    assert!(shown.contains(&emulator.endpoint()), "{shown}");
    let builder = GcsBackend::builder(BUCKET).credentials("{\"private_key\":\"hush\"}");
    assert!(!format!("{builder:?}").contains("hush"));
    let builder = GcsBackend::builder(BUCKET).endpoint("http://me:hush@host");
    assert!(!format!("{builder:?}").contains("hush"));
    // What no clock can count is refused as well, and not added to the time.
    let endless = builder.endpoint("http://host").timeout(Duration::MAX);
    let error = endless.open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
}
