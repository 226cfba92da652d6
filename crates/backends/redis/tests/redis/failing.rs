//! Connections that break at the worst time. A request that is repeated does not happen twice, and
//! what it did is told definitely.

use storage_core::{Backend, BackendExt, ErrorKind, ExtendedBackend, WriteOptions};
use storage_proxy::{Answer, Fault, Proxy, When};
use storage_redis::{RedisBackend, RedisBuilder};

use crate::server::{Address, Raw, prefix, shared};
use crate::{path, pattern};

/// A backend behind a proxy, and one beside it, on the same prefix.
pub(crate) async fn fresh() -> Option<(Proxy, RedisBackend, RedisBackend)> {
    fresh_with(|builder| builder).await
}

/// The same, with settings of a test's own for the one behind the proxy.
pub(crate) async fn fresh_with(
    settings: impl FnOnce(RedisBuilder) -> RedisBuilder,
) -> Option<(Proxy, RedisBackend, RedisBackend)> {
    let address = shared()?;
    let proxy = Proxy::tcp(&format!("127.0.0.1:{}", address.port))
        .await
        .unwrap();
    let through = Address {
        port: proxy.address().port(),
        database: address.database,
    };
    let prefix = prefix();
    let builder = settings(through.builder().prefix(&prefix));
    let behind = builder.open().await.unwrap();
    let beside = address.builder().prefix(&prefix).open().await.unwrap();
    Some((proxy, behind, beside))
}

/// The scripts that change what others see: all of them name a token.
pub(crate) fn script() -> When {
    When::any().containing("}:t:")
}

#[tokio::test]
async fn a_lost_reply_to_a_condition_is_answered_as_it_was_decided() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    for fault in [Fault::LostReply, Fault::CutReply(2), Fault::CutBefore] {
        proxy.rule(script(), fault.clone());
        let key = format!("new {fault:?}");
        let created = behind.put_if(&key, "mine", None).await.unwrap();
        assert_eq!(
            beside.open(&key).await.unwrap().info().version,
            created.version
        );

        proxy.rule(script(), fault.clone());
        let error = behind.put_if(&key, "again", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");

        proxy.rule(script(), fault.clone());
        let next = behind
            .put_if(&key, "next", created.version.clone())
            .await
            .unwrap();
        proxy.rule(script(), fault.clone());
        let error = behind
            .put_if(&key, "late", created.version)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
        let (_, actual) = error.precondition().unwrap();
        assert_eq!(actual, next.version.as_ref());
        assert_eq!(beside.get(&key).await.unwrap(), "next");
        assert_eq!(proxy.pending(), 0);
    }
}

#[tokio::test]
async fn appends_deletions_and_renames_whose_reply_is_lost_happen_once() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    for size in [3, 70_000] {
        beside.put("log", "begun ").await.unwrap();
        let more = pattern(size);
        proxy.rule(script(), Fault::LostReply);
        let written = behind.append("log", more.clone()).await.unwrap();
        assert_eq!(written.size, 6 + size as u64);
        let whole = [b"begun ".to_vec(), more].concat();
        assert!(beside.get("log").await.unwrap() == whole);
    }
    proxy.rule(script(), Fault::LostReply);
    let options = WriteOptions::default();
    behind
        .rename(&path("log"), &path("moved"), options)
        .await
        .unwrap();
    assert!(!beside.exists(&path("log")).await.unwrap());
    proxy.rule(script(), Fault::LostReply);
    assert!(behind.delete(&path("moved")).await.unwrap());
    assert!(!behind.delete(&path("moved")).await.unwrap());
    assert_eq!(proxy.pending(), 0);
}

#[tokio::test]
async fn parts_and_reads_that_break_off_are_sent_and_read_again() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    let content = pattern((3 << 20) + 5);
    for fault in [Fault::LostReply, Fault::CutRequest(1000), Fault::CutBefore] {
        proxy.rule(When::any().containing("HSET").nth(3), fault.clone());
        behind.put("large", content.clone()).await.unwrap();
        assert!(beside.get("large").await.unwrap() == content, "{fault:?}");
        for fault in [fault, Fault::CutReply(100_000)] {
            let chunks = When::any().containing("HMGET");
            proxy.rule(chunks.nth(2), fault.clone());
            assert!(behind.get("large").await.unwrap() == content, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_waited_for() {
    let Some((proxy, behind, _)) = fresh().await else {
        return;
    };
    let busy = Answer::bytes("-LOADING Redis is loading the dataset in memory\r\n");
    proxy.rule(
        When::any().containing("HMGET").first(2),
        Fault::Answer(busy),
    );
    assert!(behind.get("a").await.unwrap_err().is_not_found());
    assert_eq!(proxy.pending(), 0);
    let garbage = Answer::bytes("HTTP/1.1 400 Bad Request\r\n\r\n");
    proxy.rule(When::any().containing("HMGET"), Fault::Answer(garbage));
    assert!(behind.get("a").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn attempts_are_bounded_and_an_unknown_outcome_is_said() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    beside.put("a", "old").await.unwrap();
    proxy.rule(script().always(), Fault::LostReply);
    let error = behind.put_if("b", "x", None).await.unwrap_err();
    assert!(error.is_transient() && error.outcome_unknown(), "{error}");
    assert_eq!(proxy.count(&script()), 5);
    proxy.clear();
    proxy.rule(When::any().containing("HMGET").always(), Fault::CutBefore);
    let error = behind.get("a").await.unwrap_err();
    assert!(error.is_transient() && !error.outcome_unknown(), "{error}");
    proxy.clear();
    assert_eq!(behind.get("a").await.unwrap(), "old");
}

/// Until it is published a part is nothing that anybody could have seen.
#[tokio::test]
async fn a_part_that_cannot_be_sent_leaves_no_doubt() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    let parts = When::any().containing("HSET").always();
    proxy.rule(parts, Fault::LostReply);
    let error = behind.put("a", pattern(70_000)).await.unwrap_err();
    assert!(error.is_transient() && !error.outcome_unknown(), "{error}");
    assert!(!beside.exists(&path("a")).await.unwrap());
}

/// A writer that is dropped leaves nothing at once, and one whose connection is gone within the hour.
#[tokio::test]
async fn a_writer_that_is_dropped_removes_what_it_sent() {
    let Some(address) = shared() else {
        return;
    };
    let prefix = prefix();
    let backend = address.builder().prefix(&prefix).open().await.unwrap();
    let mut raw = Raw::connect(&address);
    for abort in [true, false] {
        let options = WriteOptions::default();
        let mut writer = backend.writer(&path("a"), options).await.unwrap();
        writer.write_bytes(pattern(9 << 20).into()).await.unwrap();
        if abort {
            writer.abort().await.unwrap();
        } else {
            drop(writer);
        }
        let mut left = raw.keys(&format!("{{{prefix}}}:*"));
        for _ in 0..200 {
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            left = raw.keys(&format!("{{{prefix}}}:*"));
        }
        assert_eq!(left, [""; 0]);
    }
}
