//! Writes, copies and deletions that once went wrong.

use std::time::{Duration, SystemTime};

use storage_core::{
    Backend, BackendExt, Error, ErrorKind, ExtendedBackend, HashType, ReadOptions, WriteMode,
    WriteOptions, Written,
};
use storage_proxy::{Answer, Fault, When};
use storage_s3::{Capabilities, S3Backend};

use crate::local::{Local, PART, bytes, path};

const LARGE: usize = 12 << 20;

fn copies() -> When {
    When::method("PUT").header("x-amz-copy-source")
}

async fn piped(backend: &S3Backend, from: &str, to: &str) -> Result<Written, Error> {
    let mut reader = backend.reader(&path(from), ReadOptions::default()).await?;
    let mut writer = backend.writer(&path(to), WriteOptions::default()).await?;
    while let Some(chunk) = reader.chunk().await {
        writer.write_bytes(chunk?).await?;
    }
    writer.finish().await
}

#[tokio::test]
async fn readers_and_writers_of_one_budget_do_not_wait_for_each_other() {
    let local = Local::start().await;
    let backend = local.builder().memory_limit(2 * PART).open().await.unwrap();
    local.direct.put("from", bytes(40 << 20)).await.unwrap();
    let both = async { tokio::join!(piped(&backend, "from", "a"), piped(&backend, "from", "b")) };
    // They would wait forever.
    let both = tokio::time::timeout(Duration::from_secs(60), both).await;
    let (a, b) = both.expect("no deadlock");
    assert_eq!((a.unwrap().size, b.unwrap().size), (40 << 20, 40 << 20));
}

/// Writes an object in parts whose digest is known only with its last byte.
async fn streamed(backend: &S3Backend, key: &str) -> Result<Written, Error> {
    let options = WriteOptions::default().hashes(HashType::Md5);
    let mut writer = backend.writer(&path(key), options).await?;
    writer.write_bytes(bytes(LARGE)).await?;
    writer.finish().await
}

#[tokio::test]
async fn an_object_that_was_replaced_before_its_digest_was_added_is_written() {
    let local = Local::start().await;
    for status in [404, 409, 412] {
        let refused = Fault::Answer(Answer::new(status));
        local.proxy.rule(copies().always(), refused);
        let written = streamed(&local.through, "key").await.unwrap();
        local.proxy.clear();
        let info = local.direct.stat(&path("key")).await.unwrap();
        assert_eq!(written.version, info.version, "{status}");
    }
}

#[tokio::test]
async fn an_object_whose_digest_could_not_be_added_is_said_to_be_written() {
    let local = Local::start().await;
    for status in [403, 500] {
        let refused = Fault::Answer(Answer::new(status));
        local.proxy.rule(copies().always(), refused);
        let error = streamed(&local.through, "key").await.unwrap_err();
        local.proxy.clear();
        assert!(error.outcome_unknown(), "{error:?}");
        assert!(error.to_string().contains("is written"), "{error}");
        assert_eq!(local.direct.get("key").await.unwrap(), bytes(LARGE));
    }
}

#[tokio::test]
async fn a_copy_whose_second_attempt_meets_the_first_has_happened() {
    let local = Local::start().await;
    let lost_then_unmet = || {
        local.proxy.clear();
        local.proxy.rule(copies(), Fault::LostReply);
        let unmet = Fault::Answer(Answer::new(412));
        local.proxy.rule(copies().nth(2), unmet);
    };
    lost_then_unmet();
    let written = streamed(&local.through, "key").await.unwrap();
    assert_eq!(local.proxy.pending(), 0);
    let info = local.direct.stat(&path("key")).await.unwrap();
    assert_eq!(written.version, info.version);
    assert!(info.hashes.get(HashType::Md5).is_some());
    lost_then_unmet();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
    local
        .through
        .set_modified(&path("key"), time)
        .await
        .unwrap();
    assert_eq!(local.proxy.pending(), 0);
    let info = local.direct.stat(&path("key")).await.unwrap();
    assert_eq!(info.modified, Some(time));
}

#[tokio::test]
async fn attributes_replace_those_of_the_object_found_and_of_no_other() {
    let local = Local::start().await;
    let info = local.direct.put("key", "x").await.unwrap();
    local.proxy.rule(copies(), Fault::Answer(Answer::new(412)));
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
    let touched = local.through.set_modified(&path("key"), time).await;
    touched.unwrap();
    let requests = local.proxy.requests();
    let sent: Vec<_> = requests
        .iter()
        .filter(|request| request.header("x-amz-copy-source").is_some())
        .collect();
    assert_eq!(sent.len(), 2);
    let tag = format!("\"{}\"", info.etag.unwrap());
    for request in sent {
        assert_eq!(request.header("if-match"), Some(tag.as_str()));
        assert_eq!(
            request.header("x-amz-copy-source-if-match"),
            Some(tag.as_str())
        );
    }
}

#[tokio::test]
async fn a_store_without_conditions_on_copies_still_changes_times() {
    let local = Local::start().await;
    local.direct.put("key", "x").await.unwrap();
    let conditional = When::method("PUT").header("if-match").always();
    let refused = Fault::Answer(Answer::new(501));
    local.proxy.rule(conditional, refused);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
    let touched = local.through.set_modified(&path("key"), time).await;
    touched.unwrap();
    let info = local.direct.stat(&path("key")).await.unwrap();
    assert_eq!(info.modified, Some(time));
}

#[tokio::test]
async fn what_other_tools_say_of_an_object_survives_copies_and_changes() {
    let local = Local::start().await;
    let (client, expires) = (local.client(), "Thu, 01 Jan 1970 00:00:07 GMT");
    let put = client.put_object().bucket("bucket").key("key");
    let put = put
        .content_encoding("gzip")
        .content_disposition("attachment")
        .content_language("de")
        .expires(aws_sdk_s3::primitives::DateTime::from_secs(7))
        .content_length(0);
    put.send().await.unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
    let (key, copy) = (path("key"), path("copy"));
    local.through.set_modified(&key, time).await.unwrap();
    let options = WriteOptions::default();
    local.through.copy(&key, &copy, options).await.unwrap();
    for key in ["key", "copy"] {
        let found = client.head_object().bucket("bucket").key(key).send().await;
        let found = found.unwrap();
        assert_eq!(found.content_encoding(), Some("gzip"), "{key}");
        assert_eq!(found.content_disposition(), Some("attachment"), "{key}");
        assert_eq!(found.content_language(), Some("de"), "{key}");
        assert_eq!(found.expires_string(), Some(expires), "{key}");
    }
}

#[tokio::test]
async fn an_object_keeps_its_class_and_key_when_its_time_changes() {
    let local = Local::start().await;
    let found = Answer::new(200)
        .header("ETag", "\"tag\"")
        .header("x-amz-storage-class", "GLACIER_IR")
        .header("x-amz-website-redirect-location", "/there")
        .header("x-amz-server-side-encryption", "aws:kms")
        .header("x-amz-server-side-encryption-aws-kms-key-id", "key-1");
    local
        .proxy
        .rule(When::method("HEAD").always(), Fault::Answer(found));
    local
        .proxy
        .rule(copies().always(), Fault::Answer(Answer::new(403)));
    let backend = local.builder().storage_class("STANDARD_IA");
    let backend = backend.sse("AES256", None).open().await.unwrap();
    let touched = backend.set_modified(&path("key"), SystemTime::now()).await;
    touched.unwrap_err();
    let (from, to) = (path("key"), path("to"));
    let copied = backend.copy(&from, &to, WriteOptions::default()).await;
    copied.unwrap_err();
    let sent = |target: &str, header: &str| {
        let requests = local.proxy.requests();
        let request = requests
            .iter()
            .find(|request| request.method() == "PUT" && request.target().contains(target));
        request.unwrap().header(header).map(str::to_owned)
    };
    for (target, class, sse, key) in [
        ("/key", "GLACIER_IR", "aws:kms", Some("key-1")),
        ("/to", "STANDARD_IA", "AES256", None),
    ] {
        let encryption = "x-amz-server-side-encryption";
        assert_eq!(sent(target, "x-amz-storage-class").as_deref(), Some(class));
        assert_eq!(sent(target, encryption).as_deref(), Some(sse));
        let id = format!("{encryption}-aws-kms-key-id");
        assert_eq!(sent(target, &id).as_deref(), key);
        let redirect = sent(target, "x-amz-website-redirect-location");
        assert_eq!(redirect.as_deref(), Some("/there"));
    }
}

#[tokio::test]
async fn a_source_that_is_replaced_while_it_is_copied_is_copied_anew() {
    let local = Local::start().await;
    local.direct.put("from", "old").await.unwrap();
    local
        .proxy
        .rule(copies(), Fault::Delay(Duration::from_millis(300)));
    let replace = async {
        while local.proxy.count(&copies()) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        local.direct.put("from", "new").await.unwrap();
    };
    let (from, to) = (path("from"), path("to"));
    let copy = local.through.copy(&from, &to, WriteOptions::default());
    let (copied, ()) = tokio::join!(copy, replace);
    copied.unwrap();
    // The copy may have been faster.
    let found = local.direct.get("to").await.unwrap();
    assert!(found == "new" || found == "old", "{found:?}");
}

#[tokio::test]
async fn a_refused_abort_is_tried_again() {
    let local = Local::start().await;
    let mut writer = local
        .through
        .writer(&path("key"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(bytes(LARGE)).await.unwrap();
    assert_eq!(local.unfinished().await, 1);
    let refused = Fault::Answer(Answer::new(403));
    local.proxy.rule(When::method("DELETE"), refused);
    writer.abort().await.unwrap_err();
    local.through.close().await.unwrap();
    assert_eq!(local.unfinished().await, 0);
}

#[tokio::test]
async fn the_same_bytes_get_another_tag_when_they_replace_a_version() {
    let local = Local::start().await;
    for size in [100, LARGE] {
        let first = local.through.put("key", bytes(size)).await.unwrap();
        let (mut version, mut tags) = (first.version.unwrap(), vec![first.etag]);
        for _ in 0..2 {
            let options = WriteOptions::from(WriteMode::IfVersion(version));
            let mut writer = local.through.writer(&path("key"), options).await.unwrap();
            writer.write_bytes(bytes(size)).await.unwrap();
            let written = writer.finish().await.unwrap();
            version = written.version.unwrap();
            assert_ne!(tags.last().unwrap(), &written.etag);
            tags.push(written.etag);
        }
        assert_eq!(local.direct.get("key").await.unwrap(), bytes(size));
    }
}

#[tokio::test]
async fn bytes_whose_tag_would_be_the_same_are_refused_where_that_cannot_be_changed() {
    let local = Local::start().await;
    let mut capabilities = Capabilities::ALL;
    capabilities.if_version_multipart = false;
    let builder = local.builder().capabilities(capabilities);
    let backend = builder.open().await.unwrap();
    let version = backend.put("key", "same").await.unwrap().version.unwrap();
    let again = backend.put_if("key", "same", Some(version.clone())).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Unsupported);
    backend.put_if("key", "other", Some(version)).await.unwrap();
}

#[tokio::test]
async fn a_deletion_whose_reply_is_lost_has_deleted() {
    let local = Local::start().await;
    local.direct.put("key", "x").await.unwrap();
    local.proxy.rule(When::method("DELETE"), Fault::LostReply);
    assert!(local.through.delete(&path("key")).await.unwrap());
    assert_eq!(local.proxy.pending(), 0);
    assert!(!local.through.delete(&path("key")).await.unwrap());
}
