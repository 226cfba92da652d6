use std::sync::Arc;
use std::time::{Duration, SystemTime};

use storage_memory::MemoryBackend;
use storage_s3_server::{S3Server, ServerOptions};

use super::client::{Client, amz_date, now};

#[tokio::test]
async fn requests_of_others_are_refused() {
    let mut client = Client::new().await;
    client.put("/k", &[], b"hello").await;
    client.secret = "another";
    let refused = client.get("/k").await;
    assert_eq!(refused.outcome(), (403, "SignatureDoesNotMatch".into()));
    client.key = "nobody";
    let refused = client.get("/k").await;
    assert_eq!(refused.outcome(), (403, "InvalidAccessKeyId".into()));
    let unsigned = format!(
        "GET /bucket/k HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        client.server.address()
    );
    let refused = client.exchange(unsigned.into_bytes()).await;
    assert_eq!(refused.outcome(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn a_presigned_url_reads_one_object_for_its_time() {
    let client = Client::new().await;
    client.put("/a%20b", &[], b"hello").await;
    let get = |target: String| {
        let client = &client;
        let host = client.server.address();
        let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        client.exchange(request.into_bytes())
    };
    let url = client.presigned("/a%20b", &now(), 60);
    assert_eq!(get(url.clone()).await.text(), "hello");
    let other = get(url.replace("/a%20b", "/other")).await;
    assert_eq!(other.outcome(), (403, "SignatureDoesNotMatch".into()));
    let past = amz_date(SystemTime::now() - Duration::from_secs(100));
    let expired = get(client.presigned("/a%20b", &past, 60)).await;
    assert_eq!(expired.outcome(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn buckets_are_created_listed_and_removed_when_empty() {
    let client = Client::new().await;
    let head = client.send("HEAD", "", &[], b"").await;
    assert_eq!(
        (head.status, head.header("x-amz-bucket-region")),
        (200, Some("us-east-1"))
    );
    let again = client.put("", &[], b"").await;
    assert_eq!(again.outcome(), (409, "BucketAlreadyOwnedByYou".into()));
    client.put("/a/b", &[], b"1").await;
    let filled = client.send("DELETE", "", &[], b"").await;
    assert_eq!(filled.outcome(), (409, "BucketNotEmpty".into()));
    client.send("DELETE", "/a/b", &[], b"").await;
    assert_eq!(client.send("DELETE", "", &[], b"").await.status, 204);
    assert!(client.objects().await.is_empty());
    let gone = client.get("/a/b").await;
    assert_eq!(gone.outcome(), (404, "NoSuchBucket".into()));
    assert_eq!(client.put("", &[], b"").await.status, 200);
    assert_eq!(client.get("?list-type=2").await.status, 200);
}

#[tokio::test]
async fn a_bad_bucket_name_is_refused_at_the_start() {
    let options = ServerOptions::new("key", "secret").bucket("Bad_Name");
    let started = S3Server::start(Arc::new(MemoryBackend::new()), options).await;
    let error = started.unwrap_err();
    assert!(error.to_string().contains("Bad_Name"), "{error}");
}

#[test]
fn the_secret_is_not_shown() {
    let shown = format!("{:?}", ServerOptions::new("key", "hush-hush"));
    assert!(
        shown.contains("key") && !shown.contains("hush-hush"),
        "{shown}"
    );
}
