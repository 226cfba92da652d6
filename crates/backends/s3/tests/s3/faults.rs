//! What becomes of writes and reads whose requests and replies are cut, lost, changed or refused.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use storage_core::{
    Backend, BackendExt, ErrorKind, ExtendedBackend, ObjectPath, ReadOptions, WriteMode,
    WriteOptions,
};
use storage_proxy::{Answer, Fault, Proxy, When};
use storage_s3::{Capabilities, S3Backend, S3Builder};

use crate::bucket::Bucket;

/// A bucket, a backend that reaches it through a proxy, and one that reaches it directly.
struct Scene {
    proxy: Proxy,
    through: S3Backend,
    direct: S3Backend,
    bucket: Bucket,
}

/// Runs a test on moto, which keeps conditions and checksums.
fn on_moto<F: Future<Output = ()>>(test: impl FnOnce(Arc<Scene>) -> F) {
    let Some(address) = storage_conformance::server("moto") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async move {
        let guard = Bucket::create(&address).await.unwrap();
        let proxy = Proxy::http(&guard.address).await.unwrap();
        let direct = guard.open().await.unwrap();
        let bucket = (*guard).clone();
        let through = reaching(&bucket, &proxy, &direct).open().await.unwrap();
        test(Arc::new(Scene {
            proxy,
            through,
            direct,
            bucket,
        }))
        .await;
        drop(guard);
    });
}

fn reaching(bucket: &Bucket, proxy: &Proxy, direct: &S3Backend) -> S3Builder {
    bucket
        .builder()
        .endpoint(proxy.url())
        .capabilities(direct.capabilities())
        .part_size(5 << 20)
        .max_attempts(3)
}

fn bytes(count: usize) -> Bytes {
    (0..count).map(|n| (n % 251) as u8).collect()
}

const LARGE: usize = 12 << 20;

fn new() -> WriteOptions {
    WriteOptions::from(WriteMode::CreateNew)
}

fn path(key: &str) -> ObjectPath {
    ObjectPath::new(key).unwrap()
}

impl Scene {
    async fn unfinished(&self) -> usize {
        self.direct
            .unfinished_uploads(Duration::ZERO)
            .await
            .unwrap()
            .len()
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        options: WriteOptions,
    ) -> storage_core::Result<storage_core::Written> {
        self.through
            .write(&path(key), content.into(), options)
            .await
    }
}

#[test]
fn a_lost_reply_to_create_new_is_found_out() {
    on_moto(|scene| async move {
        for size in [10, LARGE] {
            let key = format!("new/{size}");
            let request = if size == 10 {
                When::method("PUT")
            } else {
                When::method("POST").path("*uploadId=*")
            };
            scene.proxy.rule(request, Fault::LostReply);
            let written = scene.write(&key, bytes(size), new()).await.unwrap();
            assert_eq!(scene.proxy.pending(), 0);
            let info = scene.direct.stat(&path(&key)).await.unwrap();
            assert_eq!(written.version, info.version);
            assert_eq!(scene.direct.get(&key).await.unwrap(), bytes(size));
            let again = scene.write(&key, bytes(size), new()).await.unwrap_err();
            assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!(scene.unfinished().await, 0);
    });
}

#[test]
fn a_lost_reply_to_if_version_is_found_out() {
    on_moto(|scene| async move {
        for size in [10, LARGE] {
            let old = scene
                .direct
                .put("key", "old")
                .await
                .unwrap()
                .version
                .unwrap();
            let parts = scene.direct.capabilities().if_version_multipart;
            let request = if size == 10 || !parts {
                When::method("PUT")
            } else {
                When::method("POST").path("*uploadId=*")
            };
            scene.proxy.rule(request, Fault::LostReply);
            let mode = WriteOptions::from(WriteMode::IfVersion(old.clone()));
            let written = scene.write("key", bytes(size), mode.clone()).await.unwrap();
            assert_eq!(scene.proxy.pending(), 0);
            assert_eq!(
                written.version,
                scene.direct.stat(&path("key")).await.unwrap().version
            );
            let again = scene.write("key", bytes(size), mode).await.unwrap_err();
            assert_eq!(again.kind(), ErrorKind::PreconditionFailed);
        }
    });
}

#[test]
fn a_doubled_request_does_not_lose_to_itself() {
    on_moto(|scene| async move {
        scene.proxy.rule(When::method("PUT"), Fault::Duplicate);
        scene.write("new", bytes(10), new()).await.unwrap();
        assert_eq!(scene.proxy.pending(), 0);
        let mode = WriteMode::IfVersion(
            scene
                .direct
                .stat(&path("new"))
                .await
                .unwrap()
                .version
                .unwrap(),
        );
        scene
            .proxy
            .rule(When::method("PUT").first(2).nth(1), Fault::Duplicate);
        scene.write("new", bytes(20), mode.into()).await.unwrap();
        assert_eq!(scene.direct.get("new").await.unwrap(), bytes(20));
    });
}

#[test]
fn what_is_not_known_is_said_and_not_repeated() {
    on_moto(|scene| async move {
        for fault in [Fault::CutBefore, Fault::Answer(Answer::new(500))] {
            let before = scene.proxy.count(&When::method("PUT"));
            scene.proxy.rule(When::method("PUT"), fault);
            let error = scene.write("new", bytes(10), new()).await.unwrap_err();
            assert!(error.outcome_unknown(), "{error:?}");
            assert_eq!(scene.proxy.count(&When::method("PUT")) - before, 1);
            assert!(!scene.direct.exists(&path("new")).await.unwrap());
        }
    });
}

#[test]
fn a_busy_store_is_asked_again_within_the_budget() {
    on_moto(|scene| async move {
        for status in [429, 500, 503] {
            scene.proxy.rule(
                When::method("PUT").first(2),
                Fault::Answer(Answer::new(status)),
            );
            scene
                .write("key", bytes(10), WriteOptions::default())
                .await
                .unwrap();
            scene.proxy.clear();
            scene
                .proxy
                .rule(When::any().always(), Fault::Answer(Answer::new(status)));
            let before = scene.proxy.count(&When::any());
            let error = scene.through.get("key").await.unwrap_err();
            assert!(error.is_transient(), "{error:?}");
            assert_eq!(scene.proxy.count(&When::any()) - before, 3);
            scene.proxy.clear();
        }
        // Refused before anything was done: that may be repeated also under a condition.
        scene.proxy.rule(
            When::method("PUT").first(2),
            Fault::Answer(Answer::new(503)),
        );
        scene.write("new", bytes(10), new()).await.unwrap();
    });
}

#[test]
fn an_error_in_a_reply_of_success_is_an_error() {
    on_moto(|scene| async move {
        let body =
            "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>no</Message></Error>";
        let answer = || {
            Fault::Answer(
                Answer::new(200)
                    .header("Content-Type", "application/xml")
                    .body(body),
            )
        };
        scene
            .proxy
            .rule(When::method("POST").path("*uploadId=*").always(), answer());
        let error = scene
            .write("large", bytes(LARGE), WriteOptions::default())
            .await
            .unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        scene.proxy.clear();
        assert!(!scene.direct.exists(&path("large")).await.unwrap());
        assert_eq!(scene.unfinished().await, 0);
        scene.direct.put("from", "x").await.unwrap();
        scene.proxy.rule(
            When::method("PUT").header("x-amz-copy-source").always(),
            answer(),
        );
        let copied = scene
            .through
            .copy(&path("from"), &path("to"), WriteOptions::default())
            .await;
        copied.unwrap_err();
        assert!(!scene.direct.exists(&path("to")).await.unwrap());
        scene.proxy.clear();
        scene
            .proxy
            .rule(When::method("PUT").header("x-amz-copy-source"), answer());
        scene
            .through
            .copy(&path("from"), &path("to"), WriteOptions::default())
            .await
            .unwrap();
        assert_eq!(scene.direct.get("to").await.unwrap(), "x");
    });
}

#[test]
fn a_part_that_fails_for_good_leaves_nothing() {
    on_moto(|scene| async move {
        scene.proxy.rule(
            When::method("PUT").path("*partNumber=2*").always(),
            Fault::CutRequest(1000),
        );
        let error = scene
            .write("large", bytes(LARGE), WriteOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");
        scene.through.close().await.unwrap();
        assert_eq!(scene.unfinished().await, 0);
        assert!(!scene.direct.exists(&path("large")).await.unwrap());
    });
}

#[test]
fn a_part_that_fails_once_is_sent_again() {
    on_moto(|scene| async move {
        scene
            .proxy
            .rule(When::method("PUT").path("*partNumber=1*"), Fault::LostReply);
        scene.proxy.rule(
            When::method("PUT").path("*partNumber=3*"),
            Fault::CutRequest(1000),
        );
        scene
            .write("large", bytes(LARGE), WriteOptions::default())
            .await
            .unwrap();
        assert_eq!(scene.proxy.pending(), 0);
        assert_eq!(scene.direct.get("large").await.unwrap(), bytes(LARGE));
    });
}

#[test]
fn a_read_that_breaks_goes_on_where_it_stopped() {
    on_moto(|scene| async move {
        for size in [300_000, LARGE] {
            scene.direct.put("key", bytes(size)).await.unwrap();
            scene.proxy.rule(
                When::method("GET").path("*/key*").nth(1),
                Fault::CutReply(100_000),
            );
            scene.proxy.rule(
                When::method("GET").path("*/key*").nth(2),
                Fault::CutReply(50_000),
            );
            assert_eq!(scene.through.get("key").await.unwrap(), bytes(size));
            assert_eq!(scene.proxy.pending(), 0);
            scene.proxy.clear();
        }
    });
}

#[test]
fn the_rest_of_a_slow_body_is_read_in_ranges_beside_it() {
    on_moto(|scene| async move {
        scene.direct.put("key", bytes(LARGE)).await.unwrap();
        let gets = When::method("GET").path("*/key*");
        let pause = Fault::PauseReply(500_000, Duration::from_millis(200));
        scene.proxy.rule(gets.clone().nth(1), pause);
        assert_eq!(scene.through.get("key").await.unwrap(), bytes(LARGE));
        assert_eq!(scene.proxy.pending(), 0);
        assert!(scene.proxy.count(&gets) > 2, "{:?}", scene.proxy.requests());
    });
}

#[test]
fn a_read_never_goes_on_with_another_version() {
    on_moto(|scene| async move {
        scene.direct.put("key", bytes(LARGE)).await.unwrap();
        scene.proxy.rule(
            When::method("GET").path("*/key*").nth(1),
            Fault::CutReply(6 << 20),
        );
        // What is opened again after the break is opened after the change.
        let through = reaching(&scene.bucket, &scene.proxy, &scene.direct).concurrency(1);
        let through = through.open().await.unwrap();
        let mut reader = through
            .reader(&path("key"), ReadOptions::default())
            .await
            .unwrap();
        let mut found = reader.chunk().await.unwrap().unwrap().to_vec();
        // The same length.
        let other: Bytes = bytes(LARGE).iter().map(|byte| byte ^ 0xff).collect();
        scene.direct.put("key", other).await.unwrap();
        let error = loop {
            match reader.chunk().await {
                Some(Ok(chunk)) => found.extend_from_slice(&chunk),
                Some(Err(error)) => break error,
                None => panic!("expected an error, found the end"),
            }
        };
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error:?}");
        assert_eq!(found, bytes(LARGE)[..found.len()]);
    });
}

#[test]
fn changed_and_shortened_bodies_are_corrupt() {
    on_moto(|scene| async move {
        assert!(scene.direct.capabilities().checksums);
        for size in [1200, 300_000] {
            scene.direct.put("key", bytes(size)).await.unwrap();
            for fault in [Fault::CorruptReply(1000), Fault::Truncate(1100)] {
                scene.proxy.rule(When::method("GET").path("*/key*"), fault);
                let error = scene.through.get("key").await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
            }
        }
    });
}

#[test]
fn a_store_that_stands_still_is_a_timeout() {
    on_moto(|scene| async move {
        scene.direct.put("key", bytes(300_000)).await.unwrap();
        let hasty = reaching(&scene.bucket, &scene.proxy, &scene.direct);
        let hasty = hasty
            .timeout(Duration::from_millis(500))
            .open()
            .await
            .unwrap();
        scene.proxy.rule(When::any().always(), Fault::Stall);
        let error = hasty.get("key").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        scene.proxy.clear();
        scene
            .proxy
            .rule(When::method("GET").path("*/key*"), Fault::StallReply(1000));
        assert_eq!(hasty.get("key").await.unwrap(), bytes(300_000));
    });
}

#[test]
fn stated_capabilities_are_not_found_out() {
    on_moto(|scene| async move {
        let bucket = &scene.bucket;
        let before = scene.proxy.count(&When::any());
        let builder = bucket
            .builder()
            .endpoint(scene.proxy.url())
            .capabilities(Capabilities::NONE);
        let backend = builder.open().await.unwrap();
        assert_eq!(scene.proxy.count(&When::any()) - before, 1);
        assert!(!backend.features().create_new);
    });
}
