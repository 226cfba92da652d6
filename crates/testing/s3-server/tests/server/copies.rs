use super::client::{Client, pattern};

const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn a_copy_has_the_attributes_of_its_source_or_others() {
    let client = Client::new().await;
    let headers = [("content-type", "text/plain"), ("x-amz-meta-a", "b")];
    client.put("/s%20%C3%BC", &headers, b"hello").await;
    let source = ("x-amz-copy-source", "/bucket/s%20%C3%BC");
    let copied = client.put("/t", &[source], b"").await;
    assert_eq!(
        (copied.status, copied.all("ETag")),
        (200, vec!["\"5d41402abc4b2a76b9719d911017c592\"".to_owned()]),
        "{copied:?}"
    );
    let got = client.get("/t").await;
    assert_eq!(got.text(), "hello");
    assert_eq!(
        (got.header("content-type"), got.header("x-amz-meta-a")),
        (Some("text/plain"), Some("b"))
    );

    let replace = [
        source,
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-meta-c", "d"),
    ];
    assert_eq!(client.put("/s%20%C3%BC", &replace, b"").await.status, 200);
    let got = client.get("/s%20%C3%BC").await;
    assert_eq!(
        (got.text().as_str(), got.header("etag")),
        ("hello", Some(HELLO))
    );
    assert_eq!(
        (got.header("x-amz-meta-a"), got.header("x-amz-meta-c")),
        (None, Some("d"))
    );

    let onto_itself = client.put("/s%20%C3%BC", &[source], b"").await;
    assert_eq!(onto_itself.outcome(), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn copies_take_conditions_of_both_ends() {
    let client = Client::new().await;
    client.put("/s", &[], b"hello").await;
    client.put("/t", &[], b"there").await;
    let source = ("x-amz-copy-source", "bucket/s");
    for condition in [
        ("x-amz-copy-source-if-match", "\"other\""),
        ("x-amz-copy-source-if-none-match", HELLO),
        ("if-none-match", "*"),
        ("if-match", HELLO),
    ] {
        let reply = client.put("/t", &[source, condition], b"").await;
        assert_eq!(
            reply.outcome(),
            (412, "PreconditionFailed".into()),
            "{condition:?}"
        );
    }
    assert_eq!(client.content("t").await, b"there");
    let reply = client
        .put("/t", &[source, ("x-amz-copy-source-if-match", HELLO)], b"")
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(client.content("t").await, b"hello");
    let missing = client
        .put("/t", &[("x-amz-copy-source", "bucket/none")], b"")
        .await;
    assert_eq!(missing.outcome(), (404, "NoSuchKey".into()));
    let elsewhere = client
        .put("/t", &[("x-amz-copy-source", "none/s")], b"")
        .await;
    assert_eq!(elsewhere.outcome(), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn a_part_is_copied_out_of_an_object() {
    let client = Client::new().await;
    let content = pattern(100_000);
    client.put("/s", &[], &content).await;
    let id = client
        .send("POST", "/k?uploads", &[], b"")
        .await
        .all("UploadId")
        .concat();
    let target = format!("/k?partNumber=1&uploadId={id}");
    let source = ("x-amz-copy-source", "bucket/s");
    let beyond = ("x-amz-copy-source-range", "bytes=0-100000");
    assert_eq!(
        client.put(&target, &[source, beyond], b"").await.status,
        416
    );
    let range = ("x-amz-copy-source-range", "bytes=10-50009");
    let copied = client.put(&target, &[source, range], b"").await;
    assert_eq!(copied.status, 200, "{copied:?}");
    let etag = copied.all("ETag").concat();
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let done = client
        .send("POST", &format!("/k?uploadId={id}"), &[], body.as_bytes())
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(client.content("k").await, content[10..50_010]);
    client.holds_only(&["k", "s"]).await;
}
