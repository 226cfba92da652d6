use storage_core::{
    AttributePolicy, Backend, BackendExt, ErrorKind, HashType, ObjectPath, ReadOptions, WriteMode,
    WriteOptions,
};
use storage_gcs_emulator::{Call, Fault};

use crate::{PART, open, pattern};

fn key(key: &str) -> ObjectPath {
    ObjectPath::new(key).unwrap()
}

/// One part, and several.
const SIZES: [usize; 2] = [1000, 3 * PART + 10];

#[tokio::test]
async fn requests_that_may_be_repeated_are() {
    for fault in [Fault::Status(503), Fault::Status(429), Fault::LoseReply] {
        let (emulator, backend) = open().await;
        for call in [
            Call::Insert,
            Call::Read,
            Call::Get,
            Call::List,
            Call::Rewrite,
        ] {
            emulator.inject(call, fault);
        }
        backend.put("a", "content").await.unwrap();
        assert_eq!(backend.get("a").await.unwrap(), "content");
        assert!(backend.exists(&key("a")).await.unwrap());
        assert_eq!(backend.entries_of_root().await, ["a"]);
        backend.copy_path("a", "b").await.unwrap();
        emulator.inject(Call::Delete, fault);
        assert!(backend.delete(&key("b")).await.unwrap());
        assert_eq!(emulator.object_names(crate::BUCKET), ["a"]);
    }
}

#[tokio::test]
async fn a_service_that_stays_down_is_given_up() {
    let (emulator, backend) = open().await;
    backend.put("a", "content").await.unwrap();
    let before = emulator.count(Call::Get);
    emulator.refuse_all(Some(503));
    let error = backend.exists(&key("a")).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(emulator.count(Call::Get) - before, 4);
    let error = backend.put("a", "other").await.unwrap_err();
    assert!(error.is_transient() && error.outcome_unknown(), "{error:?}");
    emulator.refuse_all(None);
    assert_eq!(backend.get("a").await.unwrap(), "content");
}

#[tokio::test]
async fn a_refusal_is_final() {
    let (emulator, backend) = open().await;
    for (status, kind) in [
        (401, ErrorKind::PermissionDenied),
        (403, ErrorKind::PermissionDenied),
        (400, ErrorKind::Other),
    ] {
        let before = [Call::Get, Call::Insert].map(|call| emulator.count(call));
        emulator.refuse_all(Some(status));
        assert_eq!(backend.exists(&key("a")).await.unwrap_err().kind(), kind);
        let error = backend.put("a", "x").await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, false));
        let after = [Call::Get, Call::Insert].map(|call| emulator.count(call));
        assert_eq!(after, before.map(|count| count + 1));
    }
}

#[tokio::test]
async fn create_new_and_if_version_survive_a_lost_reply() {
    for size in SIZES {
        let (emulator, backend) = open().await;
        lose_a_reply(&emulator, size);
        let options = WriteOptions::from(WriteMode::CreateNew);
        let payload = pattern(size).into();
        let created = backend.write(&key("a"), payload, options).await.unwrap();
        let stat = backend.try_stat("a").await.unwrap().unwrap();
        assert_eq!(created.version, stat.version, "{size}");
        assert!(stat.metadata.is_empty(), "{stat:?}");

        lose_a_reply(&emulator, size);
        let mode = WriteMode::IfVersion(created.version.unwrap());
        let payload = pattern(size).into();
        let replaced = backend
            .write(&key("a"), payload, mode.into())
            .await
            .unwrap();
        assert_eq!(
            replaced.version,
            backend.try_stat("a").await.unwrap().unwrap().version
        );
    }
}

fn lose_a_reply(emulator: &storage_gcs_emulator::Emulator, size: usize) {
    match size > PART {
        false => emulator.inject(Call::Insert, Fault::LoseReply),
        // Of the start, of a part in the middle, and of the last part.
        true => {
            emulator.inject(Call::StartUpload, Fault::LoseReply);
            emulator.inject(Call::UploadPart, Fault::LoseReply);
        }
    }
}

#[tokio::test]
async fn a_refused_condition_is_told_from_a_lost_reply() {
    for size in SIZES {
        let (emulator, backend) = open().await;
        backend.put("a", "first").await.unwrap();
        emulator.inject(Call::Insert, Fault::Status(503));
        let options = WriteOptions::from(WriteMode::CreateNew);
        let payload = pattern(size).into();
        let error = backend
            .write(&key("a"), payload, options)
            .await
            .unwrap_err();
        assert!(error.is_already_exists(), "{error:?}");
        assert_eq!(backend.get("a").await.unwrap(), "first");
    }
}

#[tokio::test]
async fn a_copy_survives_a_lost_reply_under_a_condition() {
    let (emulator, backend) = open().await;
    backend.put("a", "content").await.unwrap();
    emulator.inject(Call::Rewrite, Fault::LoseReply);
    let extended = backend.as_extended().unwrap();
    let options = WriteOptions::from(WriteMode::CreateNew);
    let copied = extended.copy(&key("a"), &key("b"), options.clone()).await;
    assert_eq!(
        copied.unwrap().version,
        backend.try_stat("b").await.unwrap().unwrap().version
    );
    let error = extended
        .copy(&key("a"), &key("b"), options)
        .await
        .unwrap_err();
    assert!(
        error.is_already_exists() && !error.outcome_unknown(),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_upload_goes_on_where_the_service_has_kept_it() {
    let (emulator, backend) = open().await;
    let content = pattern(5 * PART + 7);
    for fault in [
        Fault::Keep(0),
        Fault::Keep(PART / 2),
        Fault::Keep(PART),
        Fault::Status(500),
        Fault::LoseReply,
    ] {
        emulator.inject(Call::UploadPart, fault);
        backend.put("a", content.clone()).await.unwrap();
        assert_eq!(backend.get("a").await.unwrap(), content, "{fault:?}");
    }
    // One that was begun anew is left to expire: the SDK keeps its address to itself.
    assert!(emulator.unfinished_uploads() <= 5);
}

#[tokio::test]
async fn an_upload_that_fails_is_not_seen() {
    let (emulator, backend) = open().await;
    for _ in 0..100 {
        emulator.inject(Call::UploadPart, Fault::Status(503));
    }
    let error = backend.put("a", pattern(3 * PART)).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(emulator.object_names(crate::BUCKET), [""; 0]);
    let (emulator, backend) = open().await;
    let mut writer = backend
        .writer(&key("b"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(pattern(3 * PART)).await.unwrap();
    drop(writer);
    assert_eq!(emulator.object_names(crate::BUCKET), [""; 0]);
}

#[tokio::test]
async fn broken_reads_are_resumed() {
    for size in SIZES {
        for fault in [Fault::Cut(500), Fault::Cut(0), Fault::LoseReply] {
            let (emulator, backend) = open().await;
            let content = pattern(size);
            backend.put("a", content.clone()).await.unwrap();
            for _ in 0..3 {
                emulator.inject(Call::Read, fault);
            }
            assert_eq!(backend.get("a").await.unwrap(), content, "{size} {fault:?}");
            emulator.inject(Call::Read, fault);
            let reader = backend.reader(&key("a"), ReadOptions::from(100..)).await;
            assert_eq!(reader.unwrap().bytes().await.unwrap(), content.slice(100..));
        }
    }
}

#[tokio::test]
async fn a_read_is_resumed_on_the_same_object_alone() {
    let (emulator, backend) = open().await;
    let content = pattern(96 * PART);
    backend.put("a", content.clone()).await.unwrap();
    emulator.inject(Call::Read, Fault::Cut(70_000));
    let mut reader = backend.open("a").await.unwrap();
    let first = reader.chunk().await.unwrap().unwrap();
    backend.put("a", vec![0; 96 * PART]).await.unwrap();
    let mut read = first.to_vec();
    let error = loop {
        match reader.chunk().await {
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            Some(Err(error)) => break error,
            None => panic!("the object is gone, and was read to the end"),
        }
    };
    assert!(error.is_precondition_failed(), "{error:?}");
    assert_eq!(read, content[..read.len()]);
}

#[tokio::test]
async fn corrupt_content_is_told() {
    for size in SIZES {
        let (emulator, backend) = open().await;
        backend.put("a", pattern(size)).await.unwrap();
        emulator.inject(Call::Read, Fault::Flip(77));
        assert!(backend.get("a").await.unwrap_err().is_corrupt(), "{size}");
        assert_eq!(backend.get("a").await.unwrap(), pattern(size));
    }
}

#[tokio::test]
async fn a_body_that_is_too_short_is_no_object() {
    let (emulator, backend) = open().await;
    let content = pattern(1000);
    backend.put("a", content.clone()).await.unwrap();
    emulator.inject(Call::Read, Fault::Truncate(10));
    assert_eq!(backend.get("a").await.unwrap(), content);
}

#[tokio::test]
async fn a_service_that_falls_silent_is_asked_again() {
    let (emulator, backend) = open().await;
    for call in [Call::Insert, Call::Get, Call::Read] {
        emulator.inject(call, Fault::Hang);
    }
    backend.put("a", "content").await.unwrap();
    let reader = backend.open("a").await.unwrap();
    assert_eq!(reader.bytes().await.unwrap(), "content");
}

#[tokio::test]
async fn digests_that_cannot_be_added_are_told() {
    let (emulator, backend) = open().await;
    let options = WriteOptions::default()
        .hashes(HashType::Sha256)
        .attributes(AttributePolicy::Required);
    emulator.inject(Call::Update, Fault::Status(403));
    let payload = pattern(2 * PART).into();
    let error = backend
        .write(&key("a"), payload, options)
        .await
        .unwrap_err();
    assert!(
        error.is_permission_denied() && error.outcome_unknown(),
        "{error:?}"
    );
    assert_eq!(backend.get("a").await.unwrap(), pattern(2 * PART));
}

trait Listed {
    async fn entries_of_root(&self) -> Vec<String>;
}

impl Listed for storage_gcs::GcsBackend {
    async fn entries_of_root(&self) -> Vec<String> {
        let options = storage_core::ListOptions::default().recursive(true);
        let entries = self.entries(storage_core::Prefix::root(), options);
        let entries = entries.collect().await.unwrap();
        entries.iter().map(|info| info.path.to_string()).collect()
    }
}
