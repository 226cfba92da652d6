//! Credentials appear in no event, error or `Debug`, at any level.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use storage_core::{Backend, BackendExt, ObjectPath, PresignOptions, PresignedMethod, WriteMode};
use storage_gcs::GcsBackend;
use storage_gcs_emulator::{Call, Emulator, Fault};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::{BUCKET, PART, pattern};

/// A key that was made for this test and opens nothing.
const KEY: &str = include_str!("key-of-nobody.pem");

/// Writes down everything that is said.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Heard {
    fn add(&self, target: &str, record: impl FnOnce(&mut Line)) {
        let mut line = Line(target.to_owned());
        record(&mut line);
        *self.0.lock().unwrap() += &(line.0 + "\n");
    }
}

impl Subscriber for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.add(span.metadata().target(), |line| span.record(line));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        self.add("", |line| values.record(line));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.add(event.metadata().target(), |line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Everything that can go wrong, and what is said of it.
async fn said(emulator: &Emulator) -> String {
    let account = json!({
        "type": "service_account",
        "client_email": "nobody@nowhere.iam.gserviceaccount.com",
        "private_key_id": "an-id",
        "private_key": KEY,
        "project_id": "nowhere",
        "universe_domain": "googleapis.com",
    });
    let builder = GcsBackend::builder(BUCKET).endpoint(emulator.endpoint());
    let builder = builder.credentials(account.to_string()).max_attempts(2);
    let builder = builder.part_size(PART as u64);
    let mut said = format!("{builder:?}");
    let backend = builder.open().await.unwrap();
    said += &format!("{backend:?} {:?}", backend.identity());
    let path = ObjectPath::new("key").unwrap();
    backend.put("key", "x").await.unwrap();
    backend.get("key").await.unwrap();
    for fault in [Fault::Status(500), Fault::Status(403), Fault::LoseReply] {
        for call in [
            Call::Insert,
            Call::StartUpload,
            Call::UploadPart,
            Call::Read,
        ] {
            emulator.inject(call, fault);
            emulator.inject(call, fault);
        }
        for size in [1, 2 * PART] {
            let new = backend.write(&path, pattern(size).into(), WriteMode::CreateNew.into());
            said += &format!("{:?}", new.await.unwrap_err());
        }
        said += &format!("{:?}", backend.get("key").await);
    }
    let extended = backend.as_extended().unwrap();
    let url = extended
        .presign(
            &path,
            PresignOptions::new(PresignedMethod::Get, Duration::from_secs(60)),
        )
        .await;
    assert!(url.unwrap().contains("Signature="));
    said
}

#[test]
fn nothing_tells_credentials() {
    let heard = Heard::default();
    let guard = tracing::subscriber::set_default(heard.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let said = runtime.unwrap().block_on(async {
        let emulator = Emulator::start().await.unwrap();
        emulator.create_bucket(BUCKET);
        said(&emulator).await
    });
    drop(guard);
    let heard = heard.0.lock().unwrap().clone();
    assert!(heard.contains("trying again"), "the events were not heard");
    let line_of_key = KEY.lines().nth(3).unwrap();
    // The key, the tokens that it signs (JSON of `{"`), the URLs of uploads and the signed ones.
    for secret in [line_of_key, "eyJ", "upload_id=", "X-Goog-Signature"] {
        for text in [&said, &heard] {
            let leaked = text.lines().find(|line| line.contains(secret));
            assert_eq!(leaked, None, "it tells {secret}");
        }
    }
}
