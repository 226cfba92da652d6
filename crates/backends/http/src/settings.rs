use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use storage_core::{Error, Result};

use crate::HttpBackend;

/// Settings for an [`HttpBackend`]. [`Debug`](fmt::Debug) shows no credentials.
#[derive(Clone)]
#[must_use]
pub struct HttpBuilder {
    pub(crate) endpoint: String,
    pub(crate) manifest: Option<String>,
    pub(crate) versions: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) limits: Limits,
}

/// How long to wait, how often to try, how much to do and to hold at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) concurrency: usize,
    pub(crate) list_concurrency: usize,
    pub(crate) index_limit: usize,
}

impl HttpBuilder {
    pub(crate) fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            manifest: None,
            versions: false,
            username: None,
            password: None,
            token: None,
            headers: Vec::new(),
            limits: Limits {
                connect_timeout: Duration::from_secs(5),
                timeout: Duration::from_secs(30),
                max_attempts: 4,
                concurrency: 8,
                list_concurrency: 8,
                index_limit: 64 << 20,
            },
        }
    }

    /// Lists from this document instead of the server's index pages: a path relative to the endpoint,
    /// or a URL. The page of this backend describes its format.
    pub fn manifest(mut self, reference: impl Into<String>) -> Self {
        self.manifest = Some(reference.into());
        self
    }

    /// Says that the server's strong entity tags change on every write, and so are versions; default
    /// false. Many servers make them of time and size, which two writes within a second can share.
    pub const fn versions(mut self, versions: bool) -> Self {
        self.versions = versions;
        self
    }

    /// Name and password for basic authentication.
    pub fn basic_auth(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self.password = Some(password.into());
        self
    }

    /// A bearer token, sent as `Authorization: Bearer …`.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Adds a header to every request to the endpoint's own host. Its value is treated as a secret.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How long connecting may take; default 5 seconds.
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.limits.connect_timeout = limit;
        self
    }

    /// How long the server may be silent, in answering and between two pieces of a body; default 30
    /// seconds. There is no limit on the whole of a download.
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.limits.timeout = limit;
        self
    }

    /// How often a request is tried in all, and how many requests a broken download may take without
    /// getting on; at least 1, default 4.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.limits.max_attempts = attempts;
        self
    }

    /// Ranges of one object that [`read_ranges`](storage_core::Backend::read_ranges) asks for at
    /// once; at least 1, default 8.
    pub const fn concurrency(mut self, requests: usize) -> Self {
        self.limits.concurrency = requests;
        self
    }

    /// Index pages that one recursive listing asks for at once; at least 1, default 8.
    pub const fn list_concurrency(mut self, requests: usize) -> Self {
        self.limits.list_concurrency = requests;
        self
    }

    /// Most bytes of one index page or manifest; default 64 MiB. A larger one is `QuotaExceeded`.
    pub const fn index_limit(mut self, bytes: usize) -> Self {
        self.limits.index_limit = bytes;
        self
    }

    /// Opens the store: one request, for the endpoint or the manifest, that shows whether the server
    /// answers and lets us in.
    ///
    /// # Errors
    /// Within 10 seconds: `Config` for a setting that makes no sense, `Network` or `Timeout` when the
    /// server cannot be reached, `PermissionDenied` when it refuses the credentials, `NotFound` when
    /// there is no manifest, and what a failing server answers.
    pub async fn open(self) -> Result<HttpBackend> {
        HttpBackend::open(self).await
    }

    /// The headers that only the endpoint's own host may see.
    pub(crate) fn secret_headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name)
                .map_err(|_| Error::config(format!("{name:?} is not the name of a header")))?;
            if RESERVED.contains(&name.as_str()) {
                let message = format!("the header {name} is set by the backend itself");
                return Err(Error::config(message));
            }
            let secret = secret(value, "a header's value")?;
            headers.append(name, secret);
        }
        if let Some(value) = self.authorization()? {
            if headers.contains_key(AUTHORIZATION) {
                return Err(Error::config(
                    "`authorization` is given twice: by a header and by a key",
                ));
            }
            headers.insert(AUTHORIZATION, secret(&value, "the credentials")?);
        }
        Ok(headers)
    }

    fn authorization(&self) -> Result<Option<String>> {
        match (&self.token, &self.username, &self.password) {
            (None, None, None) => Ok(None),
            (Some(token), None, None) => Ok(Some(format!("Bearer {token}"))),
            (None, Some(name), password) if !name.contains(':') => {
                let password = password.as_deref().unwrap_or_default();
                let pair = STANDARD.encode(format!("{name}:{password}"));
                Ok(Some(format!("Basic {pair}")))
            }
            (None, Some(_), _) => Err(Error::config("the key \"username\" may hold no colon")),
            (None, None, Some(_)) => Err(Error::config("the key \"password\" needs \"username\"")),
            (Some(_), ..) => Err(Error::config(
                "the keys \"token\" and \"username\" exclude each other",
            )),
        }
    }
}

/// Headers on which the backend's own promises rest.
const RESERVED: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "if-match",
    "if-none-match",
    "if-range",
    "range",
    "transfer-encoding",
];

fn secret(value: &str, what: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| Error::config(format!("{what} holds what no header can")))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Limits {
    /// # Errors
    /// `Config` for a limit of nothing.
    pub(crate) fn checked(self) -> Result<Self> {
        for (key, zero) in [
            ("connect_timeout", self.connect_timeout.is_zero()),
            ("timeout", self.timeout.is_zero()),
            ("max_attempts", self.max_attempts == 0),
            ("concurrency", self.concurrency == 0),
            ("list_concurrency", self.list_concurrency == 0),
            ("index_limit", self.index_limit == 0),
        ] {
            if zero {
                return Err(Error::config(format!(
                    "the key {key:?} must be more than 0"
                )));
            }
        }
        Ok(self)
    }
}

impl fmt::Debug for HttpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpBuilder")
            .field("headers", &names)
            .field("versions", &self.versions)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
