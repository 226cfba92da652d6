//! Opening what is not there, and what may not be opened.

use std::future::Future;

use storage_core::{BackendFactory, Config, ErrorKind, Uri};
use storage_s3::{S3Backend, S3Factory};

use crate::bucket::{Bucket, KEY, SECRET};

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test);
}

#[test]
fn a_missing_bucket_is_not_found() {
    for name in ["moto", "rgw"] {
        let Some(address) = storage_conformance::server(name) else {
            continue;
        };
        run(async move {
            let builder = S3Backend::builder("no-such-bucket-anywhere").endpoint(&address);
            let error = builder
                .credentials(KEY, SECRET, None)
                .open()
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
            assert!(
                error.to_string().contains("no-such-bucket-anywhere"),
                "{error}"
            );
        });
    }
}

#[test]
fn wrong_credentials_are_permission_denied() {
    let Some(address) = storage_conformance::server("rgw") else {
        return;
    };
    run(async move {
        let bucket = Bucket::create(&address).await.unwrap();
        for (key, secret) in [(KEY, "wrong-secret-text"), ("wrong-key-text", SECRET)] {
            let error = bucket
                .builder()
                .credentials(key, secret, None)
                .open()
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
        }
    });
}

#[test]
fn a_host_that_does_not_answer_is_a_network_failure() {
    run(async {
        for endpoint in ["http://127.0.0.1:9", "http://no-such-host.invalid"] {
            let builder = S3Backend::builder("bucket").endpoint(endpoint);
            let error = builder
                .credentials("k", "s", None)
                .open()
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");
            assert!(error.to_string().contains(endpoint), "{error}");
        }
    });
}

#[test]
fn a_store_that_never_answers_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    run(async move {
        tokio::time::pause();
        let builder = S3Backend::builder("bucket").endpoint(address);
        let error = builder
            .credentials("k", "s", None)
            .open()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    });
    drop(listener);
}

fn config(uri: &str) -> storage_core::Result<Config> {
    S3Factory.config_of(&Uri::parse(uri)?)
}

#[test]
fn uris_and_settings_are_checked() {
    let found = config("s3://bucket/a%20b/c?region=eu-1").unwrap();
    let value = |key| found.get(key).map(str::to_owned);
    assert_eq!(value("bucket").as_deref(), Some("bucket"));
    assert_eq!(value("prefix").as_deref(), Some("a b/c"));
    let error = config("s3://key:top-secret@bucket/").unwrap_err();
    assert!(error.kind() == ErrorKind::Config && !format!("{error:?}").contains("top-secret"));
    run(async {
        for (uri, said) in [
            ("s3://", "bucket"),
            ("s3://b?regoin=x", "regoin"),
            ("s3://b?part_size=1MiB", "part_size"),
            ("s3://b?access_key_id=x", "secret_access_key"),
            (
                "s3://b?anonymous=true&access_key_id=x&secret_access_key=y",
                "anonymous",
            ),
            ("s3://b?capabilities=flying", "flying"),
            ("s3://b?endpoint=ftp://x&anonymous=true", "endpoint"),
            ("s3://b?sse_kms_key_id=k&anonymous=true", "sse"),
        ] {
            let error = match config(uri) {
                Ok(config) => S3Factory.open(config).await.unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.kind(), ErrorKind::Config, "{uri}: {error:?}");
            assert!(error.to_string().contains(said), "{uri}: {error}");
        }
    });
}
