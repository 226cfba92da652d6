//! Nothing that a backend says, at the most verbose level, has a secret in it.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use omnistorage::sync::{Command, Job, Options};
use omnistorage::{BackendExt, Config, Error};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::stores::{ACCESS_KEY_ID, SECRET, s3_config, s3_server};

/// What no text may contain. The wrong secrets of these tests contain it, too.
const MARK: &str = "hushhush";

/// Looks at everything that is traced; keeps only what it must not have seen.
#[derive(Default)]
struct Listener {
    ids: AtomicU64,
    heard: AtomicU64,
}

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LISTENER: std::sync::OnceLock<&'static Listener> = std::sync::OnceLock::new();

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Listener {
    fn hear(&self, what: &Metadata<'_>, record: impl FnOnce(&mut Text)) {
        // The server is no part of what is shipped, and prints the requests that it gets.
        if what.target().starts_with("s3s") {
            return;
        }
        let mut text = Text(format!("{} {}:", what.target(), what.name()));
        record(&mut text);
        self.heard.fetch_add(1, Ordering::Relaxed);
        if text.0.contains(MARK) {
            TOLD.lock().unwrap().push(text.0);
        }
    }
}

impl Subscriber for &'static Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(span.metadata(), |text| span.record(text));
        Id::from_u64(self.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        if text.0.contains(MARK) {
            TOLD.lock().unwrap().push(text.0);
        }
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.hear(event.metadata(), |text| event.record(text));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn listen() -> &'static Listener {
    LISTENER.get_or_init(|| {
        let listener: &'static Listener = Box::leak(Box::default());
        tracing::subscriber::set_global_default(listener).unwrap();
        listener
    })
}

#[track_caller]
fn assert_silent(what: &str, text: &str) {
    assert!(!text.contains(MARK), "{what} tells a secret: {text}");
}

/// All that an error says of itself and of its causes.
fn all_of(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, " {error} {error:?}");
        cause = error.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_s3_backend_keeps_its_secrets() {
    assert!(SECRET.contains(MARK));
    let listener = listen();
    let server = s3_server().await;
    let config = s3_config(&server.endpoint()).with("session_token", "hushhush-token");
    assert_silent("a configuration", &format!("{config:?}"));
    let backend = omnistorage::open("s3", config.clone()).await.unwrap();
    assert_silent("a backend", &format!("{backend:?} {backend:#?}"));
    assert_silent("an identity", &format!("{:?}", backend.identity()));

    backend.put("a/b", "content").await.unwrap();
    assert_eq!(backend.get("a/b").await.unwrap(), "content");
    let missing = backend.get("missing").await.unwrap_err();
    assert_silent("a missing object", &all_of(&missing));
    let memory = omnistorage::open("memory", Config::new()).await.unwrap();
    let job = Job::new(
        Command::Sync,
        backend.into(),
        memory.into(),
        Options::default(),
    );
    let mut run = job.unwrap().run();
    while let Some(event) = run.next().await {
        assert_silent("a run", &format!("{event:?}"));
    }

    for (key, value) in [
        ("secret_access_key", "hushhush-wrong"),
        ("bucket", "no-such-bucket"),
        (
            "endpoint",
            "http://someone:hushhush@127.0.0.1:9/?token=hushhush",
        ),
        ("endpoint", "http://someone:hushhush@not a host"),
        ("secret_access", "hushhush"),
        ("session_token", ""),
    ] {
        let mut config = config.clone();
        config.set(key, value);
        match omnistorage::open("s3", config).await {
            Ok(backend) => assert_silent(key, &format!("{backend:?}")),
            Err(error) => assert_silent(key, &all_of(&error)),
        }
    }
    for uri in [
        format!("s3://{ACCESS_KEY_ID}:hushhush@bucket/a"),
        format!(
            "s3://bucket/a?access_key_id={ACCESS_KEY_ID}&secret_access_key=hushhush&nonsense=1"
        ),
    ] {
        let error = omnistorage::open_uri(&uri).await.unwrap_err();
        assert_silent("a URI that is refused", &all_of(&error));
    }
    assert!(
        listener.heard.load(Ordering::Relaxed) > 100,
        "nothing was traced"
    );
    let told = TOLD.lock().unwrap();
    assert!(told.is_empty(), "traced: {told:#?}");
}
