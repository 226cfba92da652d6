//! Replies that say something else than was asked, and what is left of an opening.

use std::time::Duration;

use storage_core::{
    Backend, BackendExt, ErrorKind, Glob, ListOptions, Prefix, ReadOptions, RmdirOptions,
};
use storage_core::{ByteRange, ExtendedBackend};
use storage_proxy::{Answer, Fault, When};

use crate::local::{Local, path};

fn listings() -> When {
    When::method("GET").path("*list-type=2*")
}

fn listing(content: &str) -> Fault {
    let body = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name>{content}</ListBucketResult>"
    );
    let answer = Answer::new(200).header("Content-Type", "application/xml");
    Fault::Answer(answer.body(body))
}

#[tokio::test]
async fn a_reply_of_other_bytes_than_were_asked_for_is_corrupt() {
    let local = Local::start().await;
    let answers = [
        // All of it instead of a range.
        Answer::new(200).body("0123456789"),
        Answer::new(206)
            .header("Content-Range", "bytes 3-4/10")
            .body("34"),
        Answer::new(206)
            .header("Content-Range", "bytes 9-3/10")
            .body("2345"),
        Answer::new(206)
            .header("Content-Range", "bytes 2-5/10")
            .body("0123456789"),
        Answer::new(206)
            .header("Content-Range", "bytes 2-5/*")
            .body("2345"),
    ];
    for answer in answers {
        let what = format!("{answer:?}");
        let fault = Fault::Answer(answer.header("ETag", "\"tag\""));
        local.proxy.rule(When::method("GET"), fault);
        let options = ReadOptions::from(ByteRange::Bounded(2, 6));
        let read = async {
            let reader = local.through.reader(&path("key"), options).await?;
            reader.bytes().await
        };
        let error = read.await.expect_err(&what);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error:?}");
    }
}

#[tokio::test]
async fn a_page_of_nothing_does_not_end_a_listing() {
    let local = Local::start().await;
    for key in ["a", "key", "dir/key"] {
        local.direct.put(key, "x").await.unwrap();
    }
    let first = local.client().list_objects_v2().bucket("bucket");
    let first = first.max_keys(1).send().await.unwrap();
    let token = first.next_continuation_token().unwrap();
    let more = format!(
        "<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    );
    local.proxy.rule(listings(), listing(&more));
    let found = local.keys(&local.through, ListOptions::default()).await;
    assert_eq!(found, ["dir/", "key"]);
    let lost = "<IsTruncated>true</IsTruncated>";
    local.proxy.rule(listings(), listing(lost));
    let error = local
        .through
        .list(&Prefix::root(), ListOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    let all = RmdirOptions::default().recursive(true);
    local.proxy.rule(listings(), listing(lost));
    let purged = local.through.rmdir(&path("dir"), all).await;
    assert_eq!(purged.unwrap_err().kind(), ErrorKind::Corrupt);
    local.proxy.rule(listings(), listing(&more));
    local.through.rmdir(&path("dir"), all).await.unwrap();
    assert!(!local.direct.exists(&path("dir/key")).await.unwrap());
}

#[tokio::test]
async fn keys_are_decoded_only_where_they_are_encoded() {
    let local = Local::start().await;
    let contents = "<Contents><Key>a%20b+c</Key><Size>1</Size></Contents>";
    let encoded = format!("<EncodingType>url</EncodingType>{contents}");
    for (content, key) in [(contents, "a%20b+c"), (encoded.as_str(), "a b c")] {
        local.proxy.rule(listings(), listing(content));
        let found = local.keys(&local.through, ListOptions::default()).await;
        assert_eq!(found, [key]);
    }
}

#[tokio::test]
async fn a_glob_is_looked_for_by_pages() {
    let local = Local::start().await;
    let options = ListOptions::default().glob(Glob::new("x*").unwrap());
    let page = local.through.list(&Prefix::root(), options.limit(1)).await;
    assert_eq!(page.unwrap().entries, []);
    assert_eq!(local.proxy.count(&listings().path("*max-keys=1000*")), 1);
}

#[tokio::test]
async fn what_a_probe_left_is_in_no_listing() {
    let local = Local::start().await;
    let keys = [
        "a",
        ".omnistorage-probe-0123456789abcdef",
        ".omnistorage-probe-x",
    ];
    for key in keys {
        let put = local.client().put_object().bucket("bucket").key(key);
        put.content_length(0).send().await.unwrap();
    }
    for recursive in [false, true] {
        let options = ListOptions::default().recursive(recursive);
        let found = local.keys(&local.through, options).await;
        assert_eq!(found, [".omnistorage-probe-x", "a"]);
    }
}

#[tokio::test]
async fn an_opening_that_is_dropped_leaves_nothing() {
    let local = Local::start().await;
    let completions = When::method("POST").path("*uploadId=*");
    local.proxy.rule(completions.clone(), Fault::Stall);
    let reached = async {
        while local.proxy.count(&completions) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        opened = local.unknown().open() => panic!("expected to wait, found {opened:?}"),
        () = reached => {}
    }
    let nothing = async {
        loop {
            let listed = local.client().list_objects_v2().bucket("bucket");
            let listed = listed.send().await.unwrap();
            if listed.contents().is_empty() && local.unfinished().await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let removed = tokio::time::timeout(Duration::from_secs(60), nothing).await;
    removed.expect("the probe is removed");
}

#[tokio::test]
async fn settings_outside_their_bounds_are_refused() {
    let local = Local::start().await;
    let builder = || local.builder();
    for (builder, name) in [
        (builder().max_attempts(0), "max_attempts"),
        (builder().concurrency(0), "concurrency"),
        (builder().concurrency(1001), "concurrency"),
        (builder().memory_limit(0), "memory_limit"),
        (builder().part_size(1), "part_size"),
        (
            builder().sse("AES256", Some("key".into())),
            "sse_kms_key_id",
        ),
    ] {
        let error = builder.open().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
