//! Credentials appear in no text.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use storage_core::{BackendExt, ListOptions, Prefix, Registry, Result, Uri};
use storage_http::{HttpBackend, HttpFactory};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::scripted::{Answer, Scripted};

/// Writes down everything that anybody logs, at every level.
#[derive(Default, Clone)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(
            self.0.lock().unwrap_or_else(PoisonError::into_inner),
            "{field}={value:?}"
        );
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
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
}

/// What is said where manifests and the targets of redirects are signed URLs.
#[allow(clippy::unwrap_used, reason = "a test may panic")]
async fn signed_urls() -> Result<String> {
    let listing = Scripted::start(|_, asked| match asked.path.as_str() {
        "/x" | "/cut" | "/" => {
            let target = format!(
                "http://me:hush@{}{}?sig=hush",
                asked.header("host").unwrap_or("?"),
                "/moved"
            );
            Answer::new(302, &[("Location", target.as_str())], b"")
        }
        "/moved?sig=hush" => Answer::new(200, &[("ETag", "\"t\"")], b"no index"),
        "/list?sig=hush" if asked.method == "HEAD" => Answer::new(200, &[], b""),
        "/list?sig=hush" => Answer::new(200, &[], b"no manifest"),
        _ => Answer::new(403, &[], b""),
    })
    .await?;
    let mut text = String::new();
    let refused = listing.builder().manifest("gone?sig=hush").open().await;
    let _ = writeln!(text, "{:?}", refused.unwrap_err());
    for builder in [
        listing.builder(),
        listing.builder().index_limit(3),
        listing.builder().manifest("list?sig=hush"),
        listing.builder().manifest("list?sig=hush").index_limit(3),
    ] {
        let backend = builder.open().await?;
        assert_eq!(backend.get("x").await?, "no index");
        let entries = backend.entries(Prefix::root(), ListOptions::default());
        let error = entries.collect().await.unwrap_err();
        assert!(error.to_string().contains("http://127.0.0.1"), "{error}");
        let _ = writeln!(text, "{backend:?} {error:?} {error}");
    }
    Ok(text)
}

#[tokio::test(flavor = "current_thread")]
async fn credentials_are_in_no_log_error_or_debug() -> Result<()> {
    let log = Log::default();
    // For all tests of the process: none of them may log a secret.
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let server = Scripted::start(|count, asked| match (count, asked.path.as_str()) {
        (0, _) => Answer::new(503, &[], b""),
        (_, "/gone") => Answer::new(302, &[("Location", "http://x:also-hush@127.0.0.1:1/")], b""),
        (_, "/x") => Answer::new(200, &[], b"abc"),
        _ => Answer::new(403, &[], b""),
    })
    .await?;
    let mut text = String::new();
    for settings in [
        "token=hush",
        "username=me&password=hush",
        "headers=X-Key:%20hush",
    ] {
        let uri = format!("{}?{settings}", server.url());
        let mut registry = Registry::new();
        registry.register("http", HttpFactory)?;
        let backend = registry.open_uri(&uri).await?;
        assert_eq!(backend.get("x").await?, "abc");
        let missing = backend.get("missing").await.unwrap_err();
        let gone = backend.get("gone").await.unwrap_err();
        let list = backend
            .entries(Prefix::root(), ListOptions::default())
            .collect()
            .await;
        let list = list.unwrap_err();
        let shown = (
            &backend,
            missing,
            gone,
            list,
            Uri::parse(&uri)?,
            backend.identity(),
        );
        let _ = writeln!(text, "{shown:?} {} {} {}", shown.1, shown.2, shown.3);
    }
    text += &signed_urls().await?;
    let builder = HttpBackend::builder("http://me:hush@host").token("hush");
    let _ = writeln!(
        text,
        "{builder:?} {:?}",
        builder.clone().open().await.unwrap_err()
    );
    text += &log.0.lock().unwrap();
    assert!(text.contains("trying again"), "nothing is logged: {text}");
    let encoded = ["hush", "bWU6aHVzaA"];
    let leaked = text
        .lines()
        .find(|line| encoded.iter().any(|secret| line.contains(secret)));
    assert_eq!(leaked, None);
    assert!(
        server
            .asked()
            .iter()
            .any(|asked| asked.header("x-key") == Some("hush"))
    );
    assert!(
        server
            .asked()
            .iter()
            .any(|asked| asked.header("authorization") == Some("Basic bWU6aHVzaA=="))
    );
    Ok(())
}
