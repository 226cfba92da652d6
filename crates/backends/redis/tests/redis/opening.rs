//! Opening, and what goes wrong at it.

use std::time::{Duration, Instant};

use storage_core::{Backend, BackendExt, Config, ErrorKind, Result};

use crate::server::{Raw, Server, config, prefix, registry, shared};

const SECRET: &str = "correct-horse-battery";

async fn open(config: Config) -> Result<std::sync::Arc<dyn Backend>> {
    registry().open("redis", config).await
}

#[tokio::test]
async fn a_wrong_login_says_so_and_shows_no_secret() {
    let Some(server) = Server::start(&["--requirepass", SECRET]) else {
        return;
    };
    let config = config(&server.address);
    for (key, value) in [("prefix", "p"), ("password", "wrong-guess")] {
        let error = open(config.clone().with(key, value)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(
            !format!("{error} {error:?}").contains("wrong-guess"),
            "{error:?}"
        );
    }
    let uri = format!(
        "redis://default:{SECRET}@127.0.0.1:{}/2?prefix=p",
        server.address.port
    );
    let backend = registry().open_uri(&uri).await.unwrap();
    backend.put("a", "b").await.unwrap();
    let told = format!("{backend:?} {:?}", backend.identity());
    assert!(!told.contains(SECRET), "{told}");
    assert!(told.contains("/2"), "{told}");
    let wrong = uri.replace("/2?", "/99?");
    let error = registry().open_uri(&wrong).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_at_once() {
    let nobody = Config::new().with("endpoint", "127.0.0.1:1");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mute = Config::new().with("endpoint", address);
    let nowhere = Config::new().with("endpoint", "no-such-host.invalid");
    for (config, kind) in [
        (nobody, ErrorKind::Network),
        (
            mute.clone().with("connect_timeout", "200ms"),
            ErrorKind::Timeout,
        ),
        (
            mute.with("connect_timeout", "200ms").with("tls", "true"),
            ErrorKind::Timeout,
        ),
        (nowhere, ErrorKind::Network),
    ] {
        let begun = Instant::now();
        let error = open(config).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with("redis: open"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{error}");
    }
}

#[tokio::test]
async fn a_prefix_that_is_in_use_for_something_else_is_refused() {
    let Some(address) = shared() else {
        return;
    };
    let prefix = prefix();
    let mut raw = Raw::connect(&address);
    let index = format!("{{{prefix}}}:i");
    raw.send(&["SET", &index, "mine"]);
    let error = open(config(&address).with("prefix", &prefix))
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&index), "{error}");
    assert_eq!(raw.send(&["GET", &index]), ["mine"]);
}

/// A server with a certificate that a made-up authority has signed.
fn encrypted() -> Option<(Server, std::path::PathBuf)> {
    let folder = tempfile::tempdir().unwrap().keep();
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args(["-days", "2", "-subj", "/CN=localhost"])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ])
        .current_dir(&folder)
        .stderr(std::process::Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no openssl to make a certificate with");
        return None;
    }
    let (key, cert) = (folder.join("key.pem"), folder.join("cert.pem"));
    let (key, shown) = (key.to_str().unwrap(), cert.to_str().unwrap());
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let port = port.to_string();
    let server = Server::start(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        shown,
        "--tls-key-file",
        key,
        "--tls-ca-cert-file",
        shown,
        "--tls-auth-clients",
        "no",
    ])?;
    std::fs::write(folder.join("port"), &port).unwrap();
    Some((server, folder))
}

#[tokio::test]
async fn encrypted_connections_need_a_certificate_that_is_trusted() {
    let Some((_server, folder)) = encrypted() else {
        return;
    };
    let port = std::fs::read_to_string(folder.join("port")).unwrap();
    let uri = format!("rediss://127.0.0.1:{port}/0?prefix=p");
    let error = registry().open_uri(&uri).await.unwrap_err();
    assert!(error.to_string().contains("ertificate"), "{error}");
    let cert = folder.join("cert.pem");
    let trusting = format!("{uri}&root_certificates={}", cert.display());
    let backend = registry().open_uri(&trusting).await.unwrap();
    backend.put("a", "b").await.unwrap();
    assert_eq!(backend.get("a").await.unwrap(), "b");
    std::fs::remove_dir_all(folder).unwrap();
}
