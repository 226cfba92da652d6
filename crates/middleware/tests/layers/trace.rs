use std::sync::{Arc, Mutex};

use storage_core::{Backend, BackendExt, Operation, WriteOptions};
use storage_faults::{Failing, Intercept, Point};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::retry::Retry;
use storage_middleware::trace::Trace;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

use crate::{cut, path};

/// Keeps every field of every span and event as text.
#[derive(Clone, Default)]
struct Fields {
    lines: Arc<Mutex<Vec<String>>>,
    last: Arc<Mutex<Option<&'static Metadata<'static>>>>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let line = format!("{field}={value:?}");
        self.lines.lock().unwrap().push(line);
    }
}

impl Subscriber for Fields {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        *self.last.lock().unwrap() = Some(span.metadata());
        span.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
    fn current_span(&self) -> Current {
        match *self.last.lock().unwrap() {
            Some(metadata) => Current::new(Id::from_u64(1), metadata),
            None => Current::none(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_has_operation_path_bytes_attempts_and_nothing_of_its_options() {
    let fields = Fields::default();
    let _guard = tracing::subscriber::set_default(fields.clone());
    let failing = Failing::nth(1, Point::on(Operation::Write), cut);
    let backend = failing
        .over(MemoryBackend::new())
        .layer(Retry::new())
        .layer(Trace);
    let secret = WriteOptions::default().content_type("hush/hush");
    let at = path("a/b");
    let write = backend.write(&at, "hello".into(), secret);
    write.await.unwrap();
    backend.get("missing").await.unwrap_err();
    let reader = backend.open("a/b").await.unwrap();
    reader.bytes().await.unwrap();
    let lines = fields.lines.lock().unwrap();
    for expected in [
        "operation=\"write\"",
        "path=\"a/b\"",
        "bytes=5",
        "attempts=2",
        "error=\"not found\"",
        "message=reader ended",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected} of {lines:?}"
        );
    }
    assert!(!lines.iter().any(|line| line.contains("hush")), "{lines:?}");
}
