use std::sync::Arc;

use storage_s3_server::{S3Server, ServerOptions};

use super::client::{Client, Reply, pattern};

async fn create(client: &Client, headers: &[(&str, &str)]) -> String {
    let created = client.send("POST", "/k?uploads", headers, b"").await;
    assert_eq!(created.status, 200, "{created:?}");
    created.all("UploadId").concat()
}

async fn part(client: &Client, id: &str, number: u32, body: &[u8]) -> String {
    let put = client
        .put(&format!("/k?partNumber={number}&uploadId={id}"), &[], body)
        .await;
    assert_eq!(put.status, 200, "{put:?}");
    put.header("etag").unwrap().to_owned()
}

async fn complete(
    client: &Client,
    id: &str,
    parts: &[(u32, &str)],
    headers: &[(&str, &str)],
) -> Reply {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        })
        .collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    client
        .send(
            "POST",
            &format!("/k?uploadId={id}"),
            headers,
            body.as_bytes(),
        )
        .await
}

#[tokio::test]
async fn parts_become_one_object_when_they_are_completed() {
    let client = Client::new().await;
    let headers = [("content-type", "image/png"), ("x-amz-meta-a", "b")];
    let id = create(&client, &headers).await;
    let (one, two, last) = (pattern(200_000), pattern(200_000), pattern(10));
    // The second time counts.
    part(&client, &id, 2, b"earlier").await;
    let etags = [
        part(&client, &id, 1, &one).await,
        part(&client, &id, 2, &two).await,
        part(&client, &id, 7, &last).await,
    ];
    assert_eq!(client.get("/k").await.status, 404);
    let listed = client.get(&format!("/k?uploadId={id}")).await;
    assert_eq!(listed.all("PartNumber"), ["1", "2", "7"]);
    assert_eq!(listed.all("Size"), ["200000", "200000", "10"]);
    let page = client
        .get(&format!(
            "/k?max-parts=1&part-number-marker=1&uploadId={id}"
        ))
        .await;
    assert_eq!(
        (page.all("PartNumber"), page.all("IsTruncated")),
        (vec!["2".to_owned()], vec!["true".to_owned()])
    );

    let parts = [(1, &*etags[0]), (2, &*etags[1]), (7, &*etags[2])];
    let done = complete(&client, &id, &parts, &[]).await;
    assert_eq!(done.status, 200, "{done:?}");
    let got = client.get("/k").await;
    assert_eq!(got.body, [one, two.clone(), last].concat());
    assert!(got.header("etag").unwrap().ends_with("-3\""), "{got:?}");
    assert_eq!(got.header("content-type"), Some("image/png"));
    assert_eq!(got.header("x-amz-meta-a"), Some("b"));
    let second = client.get("/k?partNumber=2").await;
    assert_eq!(
        (second.status, second.header("x-amz-mp-parts-count")),
        (206, Some("3"))
    );
    assert_eq!(second.body, two);
    client.holds_only(&["k"]).await;
}

#[tokio::test]
async fn a_completion_must_name_what_was_uploaded() {
    let client = Client::new().await;
    let id = create(&client, &[]).await;
    let one = part(&client, &id, 1, b"short").await;
    let two = part(&client, &id, 2, &pattern(2000)).await;
    for (parts, code) in [
        (vec![(1, &*one), (2, &*two)], "EntityTooSmall"),
        (vec![(2, &*two), (1, &*one)], "InvalidPartOrder"),
        (vec![(2, &*two), (3, &*one)], "InvalidPart"),
        (vec![(2, &*one)], "InvalidPart"),
        (vec![], "MalformedXML"),
    ] {
        let reply = complete(&client, &id, &parts, &[]).await;
        assert_eq!(reply.outcome(), (400, code.into()));
    }
    assert_eq!(client.get("/k").await.status, 404);
    let done = complete(&client, &id, &[(2, &two)], &[]).await;
    assert_eq!(
        done.status, 200,
        "a failed completion takes nothing away: {done:?}"
    );
    let again = complete(&client, &id, &[(2, &two)], &[]).await;
    assert_eq!(again.outcome(), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn completions_take_conditions() {
    let client = Client::new().await;
    client.put("/k", &[], b"hello").await;
    let id = create(&client, &[]).await;
    let etag = part(&client, &id, 1, b"new").await;
    let parts = [(1, &*etag)];
    for headers in [("if-none-match", "*"), ("if-match", "\"other\"")] {
        let reply = complete(&client, &id, &parts, &[headers]).await;
        assert_eq!(reply.outcome(), (412, "PreconditionFailed".into()));
    }
    assert_eq!(client.content("k").await, b"hello");
    let right = ("if-match", "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(complete(&client, &id, &parts, &[right]).await.status, 200);
    assert_eq!(client.content("k").await, b"new");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let client = Client::new().await;
    let id = create(&client, &[]).await;
    part(&client, &id, 1, &pattern(100_000)).await;
    assert_eq!(client.get("?uploads").await.all("UploadId"), [id.as_str()]);
    let target = format!("/k?uploadId={id}");
    assert_eq!(client.send("DELETE", &target, &[], b"").await.status, 204);
    client.holds_only(&[]).await;
    let gone = (404, "NoSuchUpload".to_owned());
    assert_eq!(
        client.send("DELETE", &target, &[], b"").await.outcome(),
        gone
    );
    let late = client
        .put(&format!("/k?partNumber=1&uploadId={id}"), &[], b"late")
        .await;
    assert_eq!(late.outcome(), gone);
    let forged = client.get("/k?uploadId=..%2F..%2Fbucket").await;
    assert_eq!(forged.outcome(), gone);
    client.holds_only(&[]).await;
}

#[tokio::test]
async fn uploads_are_listed_in_pages() {
    let client = Client::new().await;
    let mut ids = Vec::new();
    for key in ["b", "a", "b", "c"] {
        let created = client
            .send("POST", &format!("/{key}?uploads"), &[], b"")
            .await;
        ids.push(created.all("UploadId").concat());
    }
    let all = client.get("?uploads").await;
    assert_eq!(all.all("Key"), ["a", "b", "b", "c"]);
    let page = client.get("?max-uploads=2&uploads").await;
    assert_eq!(
        (page.all("Key"), page.all("IsTruncated")),
        (
            vec!["a".to_owned(), "b".to_owned()],
            vec!["true".to_owned()]
        )
    );
    let (key, id) = (
        page.all("NextKeyMarker").concat(),
        page.all("NextUploadIdMarker").concat(),
    );
    let rest = client
        .get(&format!("?key-marker={key}&upload-id-marker={id}&uploads"))
        .await;
    assert_eq!(rest.all("Key"), ["b", "c"]);
    assert_ne!(rest.all("UploadId")[0], id);
    assert_eq!(client.get("?prefix=c&uploads").await.all("Key"), ["c"]);
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let client = Client::new().await;
    let id = create(&client, &[]).await;
    let etag = part(&client, &id, 1, b"content").await;
    let Client {
        backend, server, ..
    } = client;
    server.shutdown().await;
    let options = ServerOptions::new("key", "secret");
    let server = S3Server::start(Arc::new(backend.clone()), options)
        .await
        .unwrap();
    let client = Client {
        backend,
        server,
        key: "key",
        secret: "secret",
    };
    let done = complete(&client, &id, &[(1, &etag)], &[]).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(client.content("k").await, b"content");
}

#[tokio::test]
async fn a_wrong_checksum_of_the_whole_publishes_nothing() {
    let client = Client::new().await;
    let id = create(
        &client,
        &[
            ("x-amz-checksum-algorithm", "CRC32"),
            ("x-amz-checksum-type", "FULL_OBJECT"),
        ],
    )
    .await;
    let etag = part(&client, &id, 1, b"hello").await;
    let wrong = [
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-type", "FULL_OBJECT"),
    ];
    let reply = complete(&client, &id, &[(1, &etag)], &wrong).await;
    assert_eq!(reply.outcome(), (400, "BadDigest".into()));
    assert_eq!(client.get("/k").await.status, 404);
    let right = [("x-amz-checksum-crc32", "NhCmhg==")];
    let reply = complete(&client, &id, &[(1, &etag)], &right).await;
    assert_eq!(reply.all("ChecksumCRC32"), ["NhCmhg=="]);
}
