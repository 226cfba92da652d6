use storage_core::{Backend, BackendExt, WriteOptions};
use storage_memory::MemoryBackend;
use tokio::io::AsyncWriteExt;

use super::client::{Client, pattern};

#[tokio::test]
async fn an_object_comes_back_with_all_that_belongs_to_it() {
    let client = Client::new().await;
    let headers = [
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("content-encoding", "gzip"),
        ("content-disposition", "inline"),
        ("x-amz-meta-colour", "red"),
    ];
    let put = client.put("/a/b", &headers, b"hello").await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(
        put.header("etag"),
        Some("\"5d41402abc4b2a76b9719d911017c592\"")
    );
    for method in ["GET", "HEAD"] {
        let reply = client.send(method, "/a/b", &[], b"").await;
        for (name, value) in headers {
            assert_eq!(reply.header(name), Some(value), "{method} {name}");
        }
        assert_eq!(reply.header("content-length"), Some("5"));
        assert_eq!(reply.header("etag"), put.header("etag"));
        assert!(reply.header("last-modified").is_some());
        let expected: &[u8] = if method == "GET" { b"hello" } else { b"" };
        assert_eq!(reply.body, expected);
    }
    client.holds_only(&["a/b"]).await;
}

#[tokio::test]
async fn ranges_are_parts_of_the_object() {
    let client = Client::new().await;
    client.put("/k", &[], b"0123456789").await;
    for (range, told, body) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=8-99", "bytes 8-9/10", "89"),
    ] {
        let reply = client.send("GET", "/k", &[("range", range)], b"").await;
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (206, body),
            "{range}"
        );
        assert_eq!(reply.header("content-range"), Some(told));
    }
    let beyond = client
        .send("GET", "/k", &[("range", "bytes=10-12")], b"")
        .await;
    assert_eq!(beyond.outcome(), (416, "InvalidRange".into()));
}

#[tokio::test]
async fn a_large_body_is_published_at_once_and_leaves_nothing_temporary() {
    let client = Client::new().await;
    let body = pattern(3 << 20);
    let put = client
        .put("/large", &[("content-type", "a/b")], &body)
        .await;
    assert_eq!(put.status, 200, "{put:?}");
    let got = client.get("/large").await;
    assert_eq!(
        (got.header("content-type"), got.header("etag")),
        (Some("a/b"), put.header("etag"))
    );
    assert_eq!(got.body, body);
    client.holds_only(&["large"]).await;
}

#[tokio::test]
async fn a_body_that_is_cut_leaves_nothing() {
    let client = Client::new().await;
    for len in [100, 1 << 20] {
        let mut head = client.head("PUT", "/cut", "UNSIGNED-PAYLOAD");
        head.push_str(&format!("content-length: {}\r\n\r\n", len * 2));
        let request = [head.into_bytes(), pattern(len)].concat();
        let mut stream = tokio::net::TcpStream::connect(client.server.address())
            .await
            .unwrap();
        stream.write_all(&request).await.unwrap();
        drop(stream);
        // The connections of a server that has shut down have run to their end.
        let after = client.get("/cut").await;
        assert_eq!(after.outcome(), (404, "NoSuchKey".into()));
    }
    let Client {
        server, backend, ..
    } = client;
    server.shutdown().await;
    let left = backend.has("bucket/cut").await.unwrap();
    assert!(!left && backend.len() == 1, "{} objects", backend.len());
}

#[tokio::test]
async fn a_wrong_digest_publishes_nothing() {
    let client = Client::new().await;
    for (name, value, code) in [
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc32c", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=", "BadDigest"),
        ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest"),
        ("content-md5", "AA==", "InvalidDigest"),
        (
            "x-amz-content-sha256",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "XAmzContentSHA256Mismatch",
        ),
    ] {
        for body in [b"hello".to_vec(), pattern(1 << 20)] {
            let reply = client.put("/k", &[(name, value)], &body).await;
            assert_eq!(reply.outcome(), (400, code.into()), "{name}: {value}");
            client.holds_only(&[]).await;
        }
    }
}

#[tokio::test]
async fn checksums_in_trailers_are_checked_kept_and_told() {
    let client = Client::new().await;
    for (sum, outcome) in [("NhCmhg==", (200, "")), ("AAAAAA==", (400, "BadDigest"))] {
        let headers = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("x-amz-decoded-content-length", "5"),
            ("content-encoding", "aws-chunked"),
        ];
        let body = format!("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{sum}\r\n\r\n");
        let put = client.put("/k", &headers, body.as_bytes()).await;
        assert_eq!(put.outcome(), (outcome.0, outcome.1.to_owned()), "{put:?}");
    }
    assert_eq!(client.content("k").await, b"hello");
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    let got = client.send("GET", "/k", &mode, b"").await;
    assert_eq!(got.header("x-amz-checksum-crc32"), Some("NhCmhg=="));
    assert_eq!(got.header("content-encoding"), None);
    assert_eq!(client.get("/k").await.header("x-amz-checksum-crc32"), None);
}

#[tokio::test]
async fn an_object_of_others_is_served_with_a_tag_of_its_version() {
    let client = Client::new().await;
    client.backend.put("bucket/k", "one").await.unwrap();
    let first = client.get("/k").await;
    assert_eq!((first.status, first.text().as_str()), (200, "one"));
    client.backend.put("bucket/k", "two").await.unwrap();
    let second = client.get("/k").await;
    assert_ne!(first.header("etag"), second.header("etag"));
    assert!(second.header("etag").unwrap().contains('-'));
}

#[tokio::test]
async fn content_changed_by_others_has_another_tag() {
    let client = Client::new().await;
    let put = client.put("/k", &[], b"one").await;
    client.backend.append("bucket/k", "more").await.unwrap();
    let got = client.get("/k").await;
    assert_eq!(got.text(), "onemore");
    assert_ne!(got.header("etag"), put.header("etag"));
}

#[tokio::test]
async fn deleting_leaves_no_empty_directory() {
    let client = Client::over(MemoryBackend::new()).await;
    client.put("/a/b/c", &[], b"1").await;
    client.put("/a/d", &[], b"1").await;
    assert_eq!(client.send("DELETE", "/a/b/c", &[], b"").await.status, 204);
    let listed = client.get("?delimiter=%2F&list-type=2&prefix=a%2F").await;
    assert_eq!(
        listed.all("Prefix").last().map(String::as_str),
        Some("a/"),
        "{}",
        listed.text()
    );
    assert_eq!(listed.all("CommonPrefixes").len(), 0);
    client.send("DELETE", "/a/d", &[], b"").await;
    let listed = client.get("?delimiter=%2F&list-type=2").await;
    assert_eq!(listed.all("CommonPrefixes").len(), 0, "{}", listed.text());
    let gone = client.send("DELETE", "/a/d", &[], b"").await;
    assert_eq!(gone.status, 204);
}

#[tokio::test]
async fn keys_that_the_backend_cannot_hold_are_refused() {
    let client = Client::new().await;
    for target in ["/a//b", "/a/", "/a/../b"] {
        let put = client.put(target, &[], b"").await;
        assert_eq!(put.outcome(), (400, "InvalidArgument".into()), "{target}");
        let got = client.get(target).await;
        assert_eq!(got.outcome(), (404, "NoSuchKey".into()), "{target}");
    }
    let reserved = [("x-amz-meta-omnistorage-s3", "{}")];
    assert_eq!(client.put("/k", &reserved, b"").await.status, 400);
    client.holds_only(&[]).await;
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let client = Client::new().await;
    let refused = (501, "NotImplemented".to_owned());
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
    ] {
        let put = client.put("/k", &[(name, value)], b"").await;
        assert_eq!(put.outcome(), refused, "{name}");
    }
    let options = WriteOptions::default();
    client
        .backend
        .write(&"bucket/k".parse().unwrap(), "1".into(), options)
        .await
        .unwrap();
    let version = client.get("/k?versionId=abc").await;
    assert_eq!(version.outcome(), (404, "NoSuchVersion".into()));
    assert_eq!(client.get("/k?versionId=null").await.status, 200);
}
