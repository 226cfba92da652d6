use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use storage_core::{Error, ErrorKind, Result};
use tokio::time::timeout;
use url::{Origin, Url};

use crate::address::shown;
use crate::entity::text;
use crate::failure;
use crate::retry::Patience;
use crate::settings::Limits;
use crate::status;

/// Redirects that one request follows.
const MAX_REDIRECTS: usize = 10;

/// What is read of an answer that nobody wants, so that its connection can be used again.
const MAX_DISCARDED: usize = 64 << 10;

const AGENT: &str = concat!("omnistorage/", env!("CARGO_PKG_VERSION"));

/// Sends requests, follows redirects and tries again.
#[derive(Debug)]
pub(crate) struct Client {
    hyper: HyperClient<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    /// The one place that may see `secrets`.
    home: Origin,
    secrets: HeaderMap,
    limits: Limits,
}

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Whether the URL names an object: one that the server sends on to the same name with a `/` at
    /// the end is a directory, and so no object.
    pub(crate) is_object: bool,
}

/// A reply that is an answer: neither a redirect nor a failure that may pass.
pub(crate) struct Reply {
    /// Where it came from, after redirects.
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Incoming,
}

impl Client {
    /// A client that shows `secrets` to the origin of `home` alone.
    ///
    /// # Errors
    /// `Io` when the trusted certificates of the system cannot be read and `home` needs them.
    pub(crate) async fn new(home: &Url, secrets: HeaderMap, limits: Limits) -> Result<Arc<Self>> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(limits.connect_timeout));
        let config = tls(home.scheme() == "https").await?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let hyper = HyperClient::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Arc::new(Self {
            hyper,
            home: home.origin(),
            secrets,
            limits,
        }))
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sends, and tries again within the limits.
    ///
    /// # Errors
    /// The last failure: of the connection, or what the server answered.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Reply> {
        self.send_with(ask, &mut Patience::new(self.limits.max_attempts))
            .await
    }

    pub(crate) async fn send_with(&self, ask: &Ask, patience: &mut Patience) -> Result<Reply> {
        loop {
            let (error, asked) = match self.attempt(ask).await {
                Ok(reply) if !status::is_worth_retrying(reply.status) => return Ok(reply),
                Ok(reply) => {
                    let asked = status::retry_after(&reply.headers);
                    let mut error = status::error(reply.status);
                    if let Some(wait) = asked {
                        let message = format!("{}, and to wait {wait:?}", error.message());
                        error = Error::new(error.kind(), message).with_transient(true);
                    }
                    discard(reply.body).await;
                    (error, asked)
                }
                Err(error) => (error, None),
            };
            patience.wait(error, asked).await?;
        }
    }

    async fn attempt(&self, ask: &Ask) -> Result<Reply> {
        let mut url = ask.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let reply = self.exchange(ask, url).await?;
            let Some(next) = next_hop(&reply.url, reply.status, &reply.headers)? else {
                return Ok(reply);
            };
            if ask.is_object && is_its_directory(&reply.url, &next) {
                return Err(Error::not_found("it is a directory of the server"));
            }
            tracing::debug!(from = %shown(&reply.url), to = %shown(&next), "redirected");
            discard(reply.body).await;
            url = next;
        }
        let message = format!("the server redirects more than {MAX_REDIRECTS} times");
        Err(Error::new(ErrorKind::Other, message))
    }

    /// One request and the head of its reply.
    async fn exchange(&self, ask: &Ask, url: Url) -> Result<Reply> {
        let mut request = http::Request::builder()
            .method(ask.method.clone())
            .uri(url.as_str())
            .body(Empty::new())
            .map_err(|_| {
                let message = format!("{} is too odd a URL", shown(&url));
                Error::new(ErrorKind::InvalidPath, message)
            })?;
        let headers = request.headers_mut();
        headers.extend(ask.headers.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if url.origin() == self.home {
            headers.extend(self.secrets.clone());
        }
        let answer = timeout(self.limits.timeout, self.hyper.request(request)).await;
        let answer = answer.map_err(|_| failure::silence(self.limits.timeout))?;
        let (head, body) = answer
            .map_err(|error| failure::request(&error, &url))?
            .into_parts();
        let status = head.status.as_u16();
        tracing::debug!(method = %ask.method, url = %shown(&url), status, "answered");
        Ok(Reply {
            url,
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

impl Ask {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            is_object: true,
        }
    }
}

impl Reply {
    /// The error that the reply stands for, once it is not what was hoped for.
    pub(crate) async fn into_error(self) -> Error {
        discard(self.body).await;
        status::error(self.status)
    }
}

/// Takes what is left of a body, if it is little and there.
pub(crate) async fn discard(body: Incoming) {
    let rest = Limited::new(body, MAX_DISCARDED).collect();
    // Nothing depends on it but whether the connection is used again.
    let _ = timeout(Duration::from_millis(500), rest).await;
}

/// Where a reply from `url` sends its reader on to.
fn next_hop(url: &Url, status: StatusCode, headers: &HeaderMap) -> Result<Option<Url>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let wrong = |what: &str| Error::new(ErrorKind::Other, format!("the server redirects {what}"));
    let location = text(headers, &LOCATION).ok_or_else(|| wrong("to nowhere"))?;
    let next = url.join(location);
    let mut next = next.map_err(|_| wrong("to what is no URL"))?;
    match (url.scheme(), next.scheme()) {
        ("https", "http") => return Err(wrong("from https to http, which is refused")),
        (_, "http" | "https") => {}
        _ => return Err(wrong("to what is neither http nor https")),
    }
    // Whose credentials they would be nobody knows. Neither can fail for these schemes.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    next.set_fragment(None);
    Ok(Some(next))
}

/// Whether `next` is the same path with a `/` added.
fn is_its_directory(from: &Url, next: &Url) -> bool {
    !from.path().ends_with('/') && next.path().strip_suffix('/') == Some(from.path())
}

/// TLS with the certificates that the system trusts. Without any, `required` decides whether that is
/// an error or leaves every https server untrusted.
async fn tls(required: bool) -> Result<rustls::ClientConfig> {
    let load = move || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let trusted = hyper_rustls::ConfigBuilderExt::with_native_roots(builder.clone());
        let builder = match trusted {
            Err(error) if required => return Err(error),
            Err(_) => builder.with_root_certificates(rustls::RootCertStore::empty()),
            Ok(builder) => builder,
        };
        Ok(builder.with_no_client_auth())
    };
    let loaded = tokio::task::spawn_blocking(load).await;
    Ok(loaded.map_err(io::Error::other)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(from: &str, location: &str) -> Result<Option<Url>> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
        next_hop(&Url::parse(from).unwrap(), StatusCode::FOUND, &headers)
    }

    #[test]
    fn redirects_keep_to_http_and_never_leave_https() {
        for (from, location, expected) in [
            ("http://a/x/y", "z", "http://a/x/z"),
            ("http://a/x/y", "//b/z#top", "http://b/z"),
            ("http://a/x", "https://a/x", "https://a/x"),
            ("https://a/x", "https://me:pass@b/x", "https://b/x"),
        ] {
            assert_eq!(hop(from, location).unwrap().unwrap().as_str(), expected);
        }
        for (from, location) in [
            ("https://a/x", "http://a/x"),
            ("http://a/x", "file:///etc/passwd"),
            ("http://a/x", "http://[/"),
        ] {
            assert!(hop(from, location).is_err(), "{location}");
        }
    }
}
