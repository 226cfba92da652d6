//! A login appears in no event, error or `Debug`, at any level.

use std::fmt;
use std::sync::{Arc, Mutex};

use storage_core::{Backend, BackendExt, Config, Uri};
use storage_proxy::{Answer, Fault, Proxy, When};
use storage_redis::RedisBackend;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::server::{Server, registry};

const SECRET: &str = "the-hidden-password";
const WRONG: &str = "the-hidden-guess";

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

/// An error with all that led to it.
fn all_of(error: &storage_core::Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!("{cause} {cause:?}");
        source = cause.source();
    }
    text
}

async fn work(server: &Server) -> String {
    let address = format!("127.0.0.1:{}", server.address.port);
    let proxy = Proxy::tcp(&address).await.unwrap();
    let builder = RedisBackend::builder("127.0.0.1").port(proxy.address().port());
    let builder = builder.username("default").password(SECRET).max_attempts(2);
    let patience = std::time::Duration::from_millis(700);
    let builder = builder.connect_timeout(patience).timeout(patience);
    let mut said = format!("{builder:?}");
    let backend = builder.clone().open().await.unwrap();
    said += &format!("{backend:?} {:?}", backend.identity());
    backend.put("key", vec![1; 100_000]).await.unwrap();
    backend.get("key").await.unwrap();
    let refused = Answer::bytes("-NOPERM no permission\r\n");
    for fault in [Fault::CutBefore, Fault::LostReply, Fault::Answer(refused)] {
        proxy.rule(When::any().always(), fault);
        said += &all_of(&backend.get("key").await.unwrap_err());
        said += &all_of(&backend.put("key", "y").await.unwrap_err());
        said += &all_of(&builder.clone().open().await.unwrap_err());
        proxy.clear();
    }
    backend.close().await.unwrap();
    said += &all_of(&builder.password(WRONG).open().await.unwrap_err());
    said + &settings(&proxy).await
}

/// The same login in a configuration and in a URI, where it belongs and where it does not.
async fn settings(proxy: &Proxy) -> String {
    let address = proxy.address();
    let right = Config::new().with("password", SECRET);
    let mut said = String::new();
    for endpoint in [
        address.to_string(),
        format!("default:{SECRET}@{address}"),
        format!("default:{SECRET}@localhost"),
        format!("{SECRET}@{address}/0"),
    ] {
        said += &format!("{right:?}");
        let wrong = right
            .clone()
            .with("endpoint", endpoint)
            .with("database", "99");
        said += &all_of(&registry().open("redis", wrong).await.unwrap_err());
    }
    for uri in [
        format!("redis://default:{SECRET}@{address}/99"),
        format!("redis://:{WRONG}@{address}/0"),
        format!("redis://default:{SECRET}@{address}/0?password={WRONG}"),
        format!("redis://default:{SECRET}@{address}/0?prefix=a%7B"),
    ] {
        said += &format!("{:?}", Uri::parse(&uri).unwrap());
        said += &all_of(&registry().open_uri(&uri).await.unwrap_err());
    }
    said
}

#[test]
fn nothing_tells_a_login() {
    let Some(server) = Server::start(&["--requirepass", SECRET]) else {
        return;
    };
    let heard = Heard::default();
    let guard = tracing::subscriber::set_default(heard.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let said = runtime.unwrap().block_on(work(&server));
    drop(guard);
    let heard = heard.0.lock().unwrap().clone();
    assert!(heard.contains("trying again"), "the events were not heard");
    for text in [said, heard] {
        for secret in [SECRET, WRONG] {
            let told = text.lines().find(|line| line.contains(secret));
            assert_eq!(told, None, "it tells {secret}");
        }
    }
}
