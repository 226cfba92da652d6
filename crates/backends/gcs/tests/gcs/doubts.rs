//! Writes and copies of which the reply does not tell what became of them.

use storage_core::{Backend, BackendExt, ErrorKind, ObjectPath, WriteMode, WriteOptions};
use storage_gcs_emulator::{Call, Emulator, Fault};

use crate::{BUCKET, PART, open, pattern};

fn key(key: &str) -> ObjectPath {
    ObjectPath::new(key).unwrap()
}

/// Publishes an upload in two parts, and loses its reply and the first look at what became of it.
fn doubt(emulator: &Emulator) {
    emulator.inject(Call::UploadPart, Fault::Keep(PART));
    emulator.inject(Call::UploadPart, Fault::LoseReply);
    for _ in 0..4 {
        emulator.inject(Call::Get, Fault::Status(503));
    }
}

#[tokio::test]
async fn an_upload_begun_again_knows_what_the_one_before_has_published() {
    let (emulator, backend) = open().await;
    doubt(&emulator);
    let content = pattern(PART + 10);
    let options = WriteOptions::from(WriteMode::CreateNew);
    let path = key("a");
    let written = backend.write(&path, content.clone().into(), options);
    let written = written.await.unwrap();
    assert_eq!(emulator.count(Call::StartUpload), 2);
    let stat = backend.try_stat("a").await.unwrap().unwrap();
    assert_eq!(written.version, stat.version);
    assert_eq!(backend.get("a").await.unwrap(), content);
}

#[tokio::test]
async fn a_refusal_after_an_attempt_in_doubt_is_not_definite() {
    let (emulator, backend) = open().await;
    doubt(&emulator);
    // As if somebody had removed what the first attempt published.
    emulator.inject(Call::Get, Fault::Status(404));
    let options = WriteOptions::from(WriteMode::CreateNew);
    let payload = pattern(PART + 10).into();
    let written = backend.write(&key("a"), payload, options).await;
    let error = written.unwrap_err();
    assert!(
        error.is_already_exists() && error.outcome_unknown(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_is_not_taken_for_a_refusal() {
    for mode in [WriteMode::Replace, WriteMode::CreateNew] {
        let (emulator, backend) = open().await;
        emulator.inject(Call::Insert, Fault::Garble);
        emulator.inject(Call::UploadPart, Fault::Keep(PART));
        emulator.inject(Call::UploadPart, Fault::Garble);
        for (name, size) in [("small", 10), ("large", PART + 10)] {
            let content = pattern(size);
            let (path, payload) = (key(name), content.clone().into());
            let written = backend.write(&path, payload, mode.clone().into());
            let written = written.await.unwrap();
            let stat = backend.try_stat(name).await.unwrap().unwrap();
            assert_eq!(written.version, stat.version, "{mode:?} {name}");
            assert_eq!(backend.get(name).await.unwrap(), content);
        }
    }
}

#[tokio::test]
async fn an_upload_with_other_bytes_is_withdrawn() {
    for (mode, unknown) in [(WriteMode::CreateNew, false), (WriteMode::Replace, true)] {
        let (emulator, backend) = open().await;
        // Without the first fault, the service compares the checksum and publishes nothing.
        emulator.inject(Call::UploadPart, Fault::Keep(0));
        emulator.inject(Call::UploadPart, Fault::Flip(77));
        let payload = pattern(2 * PART).into();
        let written = backend.write(&key("a"), payload, mode.into()).await;
        let error = written.unwrap_err();
        assert!(error.is_corrupt(), "{error:?}");
        assert_eq!(error.outcome_unknown(), unknown, "{error:?}");
        assert_eq!(emulator.object_names(BUCKET), [""; 0]);
    }
    let (emulator, backend) = open().await;
    emulator.inject(Call::UploadPart, Fault::Keep(0));
    emulator.inject(Call::UploadPart, Fault::Flip(77));
    emulator.inject(Call::Delete, Fault::Status(403));
    let options = WriteOptions::from(WriteMode::CreateNew);
    let payload = pattern(2 * PART).into();
    let error = backend.write(&key("a"), payload, options).await;
    assert!(error.unwrap_err().outcome_unknown());
}

#[tokio::test]
async fn a_call_that_another_one_aborts_is_tried_again() {
    let (emulator, backend) = open().await;
    backend.put("a", "content").await.unwrap();
    emulator.inject(Call::Get, Fault::Status(409));
    assert!(backend.exists(&key("a")).await.unwrap());
    for _ in 0..4 {
        emulator.inject(Call::Get, Fault::Status(409));
    }
    let error = backend.exists(&key("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_copy_begins_anew_when_its_source_is_replaced() {
    for mode in [WriteMode::Replace, WriteMode::CreateNew] {
        let (emulator, backend) = open().await;
        backend.put("a", "content").await.unwrap();
        emulator.inject(Call::Rewrite, Fault::Status(404));
        let extended = backend.as_extended().unwrap();
        let (from, to) = (key("a"), key("b"));
        extended.copy(&from, &to, mode.into()).await.unwrap();
        assert_eq!(emulator.count(Call::Get), 2);
        assert_eq!(backend.get("b").await.unwrap(), "content");

        for _ in 0..4 {
            emulator.inject(Call::Rewrite, Fault::Status(404));
        }
        let to = key("c");
        let copied = extended.copy(&from, &to, WriteOptions::default());
        let error = copied.await.unwrap_err();
        assert!(error.is_transient() && !error.is_not_found(), "{error:?}");
    }
}
