//! What is repeated, given up or late, while others work on the same objects.

use std::time::Duration;

use storage_core::{
    Backend, BackendExt, ErrorKind, ExtendedBackend, RmdirOptions, WriteMode, WriteOptions,
};
use storage_proxy::{Answer, Fault, When};

use crate::failing::{fresh, fresh_with, script};
use crate::{path, pattern};

/// Sizes that go with the request that publishes them, and ahead of it.
const SIZES: [usize; 2] = [10, 70_000];

/// Long enough for another client's requests.
const MEANWHILE: Duration = Duration::from_millis(250);

/// What others did to an object between a write and its repetition stays.
#[tokio::test]
async fn a_repeated_write_undoes_nothing_that_was_done_since() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    for size in SIZES {
        for mode in [WriteMode::Replace, WriteMode::CreateNew] {
            for change in ["replace", "append", "rename", "delete"] {
                let key = format!("{size} {mode:?} {change}");
                let content = pattern(size);
                proxy.rule(script(), Fault::LostReply);
                proxy.rule(When::any().containing("SCRIPT"), Fault::Delay(MEANWHILE));
                let options = WriteOptions::default().mode(mode.clone());
                let at = path(&key);
                let write = behind.write(&at, content.clone().into(), options);
                let (written, ()) = tokio::join!(write, async {
                    while !beside.exists(&path(&key)).await.unwrap() {
                        tokio::task::yield_now().await;
                    }
                    let options = WriteOptions::default();
                    match change {
                        "replace" => drop(beside.put(&key, "theirs").await.unwrap()),
                        "append" => drop(beside.append(&key, " and more").await.unwrap()),
                        "rename" => {
                            let to = path("moved");
                            beside.rename(&path(&key), &to, options).await.unwrap();
                        }
                        _ => assert!(beside.delete(&path(&key)).await.unwrap()),
                    }
                });
                assert_eq!(written.unwrap().size, size as u64);
                assert_eq!(proxy.pending(), 0);
                match change {
                    "replace" => assert_eq!(beside.get(&key).await.unwrap(), "theirs"),
                    "append" => {
                        let whole = [content, b" and more".to_vec()].concat();
                        assert!(beside.get(&key).await.unwrap() == whole, "{key}");
                    }
                    _ => assert!(!beside.exists(&path(&key)).await.unwrap(), "{key}"),
                }
                if change == "rename" {
                    assert!(beside.get("moved").await.unwrap() == pattern(size), "{key}");
                }
            }
        }
    }
}

/// Giving up a write while it is being published takes nothing from what it publishes.
#[tokio::test]
async fn a_finish_that_is_dropped_publishes_the_whole_or_nothing() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    let content = pattern((1 << 20) + 5);
    let mut writer = behind
        .writer(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(content.clone().into()).await.unwrap();
    proxy.rule(script(), Fault::Delay(MEANWHILE));
    let given_up = async {
        while proxy.count(&script()) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        written = writer.finish() => panic!("finished: {written:?}"),
        () = given_up => {}
    }
    drop(writer);
    // The task that tidies up sends its request before the next one.
    tokio::time::sleep(MEANWHILE / 10).await;
    // What came before on the same connection is done when this is answered.
    behind.exists(&path("b")).await.unwrap();
    assert!(beside.get("a").await.unwrap() == content);
}

#[tokio::test]
async fn a_definite_refusal_after_a_lost_reply_is_not_the_whole_truth() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    let refusal = || Fault::Answer(Answer::bytes("-NOPERM no permission\r\n"));
    proxy.rule(script(), Fault::LostReply);
    proxy.rule(script().nth(2), refusal());
    let error = behind.put("a", "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.outcome_unknown(), "{error}");
    assert_eq!(beside.get("a").await.unwrap(), "x");
    proxy.clear();
    let loading = Answer::bytes("-LOADING the dataset\r\n");
    proxy.rule(script(), Fault::Answer(loading));
    proxy.rule(script().nth(2), refusal());
    let error = behind.put("b", "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        !error.outcome_unknown(),
        "the server has said no twice: {error}"
    );
}

#[tokio::test]
async fn a_recursive_rmdir_whose_reply_is_lost_has_removed() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    beside.put("d/a", "x").await.unwrap();
    beside.put("d/b/c", "x").await.unwrap();
    proxy.rule(script(), Fault::LostReply);
    let options = RmdirOptions::default().recursive(true);
    behind.rmdir(&path("d"), options).await.unwrap();
    assert_eq!(proxy.pending(), 0);
    let error = behind.rmdir(&path("d"), options).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

/// A time that was set, and then the object deleted, is not set again on what came after it.
#[tokio::test]
async fn a_repeated_set_modified_leaves_a_later_object_alone() {
    let Some((proxy, behind, beside)) = fresh().await else {
        return;
    };
    let early = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    beside.put("a", "x").await.unwrap();
    proxy.rule(script(), Fault::LostReply);
    proxy.rule(When::any().containing("SCRIPT"), Fault::Delay(MEANWHILE));
    let at = path("a");
    let (set, ()) = tokio::join!(behind.set_modified(&at, early), async {
        while beside.stat(&at).await.unwrap().modified != Some(early) {
            tokio::task::yield_now().await;
        }
        beside.put("a", "new").await.unwrap();
    });
    set.unwrap();
    assert_ne!(beside.stat(&at).await.unwrap().modified, Some(early));
}

/// When the time for a request is over, the server is not asked again: it may have forgotten.
#[tokio::test]
async fn nothing_is_repeated_after_its_time() {
    let patience = |builder: storage_redis::RedisBuilder| builder.timeout(4 * MEANWHILE);
    let Some((proxy, behind, beside)) = fresh_with(patience).await else {
        return;
    };
    proxy.rule(script(), Fault::LostReply);
    proxy.rule(
        When::any().containing("SCRIPT"),
        Fault::Delay(6 * MEANWHILE),
    );
    let error = behind.put("a", "x").await.unwrap_err();
    assert!(error.is_transient() && error.outcome_unknown(), "{error}");
    assert_eq!(proxy.count(&script()), 1);
    assert_eq!(beside.get("a").await.unwrap(), "x");
}

/// Those who wait for the same connection fail with it, and do not each try on their own.
#[tokio::test]
async fn a_server_that_does_not_answer_is_asked_once_for_all() {
    let patience =
        |builder: storage_redis::RedisBuilder| builder.connect_timeout(MEANWHILE).max_attempts(2);
    let Some((proxy, behind, _)) = fresh_with(patience).await else {
        return;
    };
    let login = When::any().containing("SETINFO");
    proxy.clear();
    proxy.rule(login.clone().always(), Fault::Stall);
    proxy.rule(When::any().containing("HMGET").always(), Fault::CutBefore);
    let gets = (0..20).map(|_| behind.get("a"));
    for got in futures_util::future::join_all(gets).await {
        let error = got.unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
    assert!(proxy.count(&login) <= 3, "{} for 20", proxy.count(&login));
}

/// A part of a large object that arrives a second time, after it was published and added to.
#[tokio::test]
async fn a_part_that_arrives_late_changes_nothing() {
    let Some((backend, mut raw, prefix)) = crate::fresh().await else {
        return;
    };
    let content = pattern(70_000);
    backend.put("a", content.clone()).await.unwrap();
    backend.append("a", " and more").await.unwrap();
    let blob = raw
        .send(&["HGET", &format!("{{{prefix}}}:o:a"), "b"])
        .remove(0);
    let (blob, _) = blob.split_once(':').unwrap();
    let group = format!("{{{prefix}}}:c:{blob}:0");
    let source = concat!(
        include_str!("../../src/scripts/prelude.lua"),
        include_str!("../../src/scripts/hold.lua")
    );
    raw.send(&["HSET", &group, "1", "what was sent"]);
    let start = format!("{{{prefix}}}:");
    raw.send(&[
        "EVAL", source, "2", &group, &group, &start, "", "1", "60", "3600000",
    ]);
    assert_eq!(raw.number(&["PTTL", &group]), -1);
    let whole = [content, b" and more".to_vec()].concat();
    assert!(backend.get("a").await.unwrap() == whole);
}
