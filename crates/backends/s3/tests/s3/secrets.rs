//! Credentials appear in no event, error or `Debug`, at any level.

use std::fmt;
use std::sync::{Arc, Mutex};

use storage_core::{Backend, BackendExt, ExtendedBackend, ObjectPath, WriteMode};
use storage_proxy::{Answer, Fault, Proxy, When};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::bucket::{Bucket, KEY};

/// Writes down everything that is said.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Heard {
    fn add(&self, record: impl FnOnce(&mut Line)) {
        let mut line = Line(String::new());
        record(&mut line);
        *self.0.lock().unwrap() += &(line.0 + "\n");
    }
}

impl Subscriber for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.add(|line| span.record(line));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        self.add(|line| values.record(line));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.add(|line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn nothing_tells_credentials() {
    let Some(address) = storage_conformance::server("moto") else {
        return;
    };
    let heard = Heard::default();
    let guard = tracing::subscriber::set_default(heard.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let said = runtime.unwrap().block_on(async {
        let bucket = Bucket::create(&address).await.unwrap();
        let proxy = Proxy::http(&bucket.address).await.unwrap();
        let builder = bucket.builder().endpoint(proxy.url()).max_attempts(2);
        let builder =
            builder.credentials(KEY, "the-hidden-secret", Some("the-hidden-token".into()));
        let mut said = format!("{builder:?}");
        let backend = builder.open().await.unwrap();
        said += &format!("{backend:?} {:?}", backend.identity());
        backend.put("key", "x").await.unwrap();
        backend.get("key").await.unwrap();
        for status in [403, 500] {
            proxy.rule(When::any().always(), Fault::Answer(Answer::new(status)));
            let path = ObjectPath::new("key").unwrap();
            said += &format!("{:?}", backend.get("key").await.unwrap_err());
            said += &format!("{:?}", backend.stat(&path).await.unwrap_err());
            let new = backend
                .write(&path, "y".into(), WriteMode::CreateNew.into())
                .await;
            said += &format!("{:?}", new.unwrap_err());
            proxy.clear();
        }
        proxy.rule(When::any().always(), Fault::CutBefore);
        said + &format!("{:?}", backend.get("key").await.unwrap_err())
    });
    drop(guard);
    let heard = heard.0.lock().unwrap().clone();
    assert!(heard.contains("PutObject"), "the events were not heard");
    for text in [said, heard] {
        for secret in ["the-hidden-secret", "the-hidden-token"] {
            let at = text.find(secret).map(|at| {
                text[at.saturating_sub(300)..]
                    .chars()
                    .take(400)
                    .collect::<String>()
            });
            assert_eq!(at, None, "it tells {secret}");
        }
    }
}
