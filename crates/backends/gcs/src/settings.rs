use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use storage_core::{Error, Prefix, Result};

use crate::GcsBackend;
use crate::budget::LEAST;

const MIB: u64 = 1 << 20;
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Settings for a [`GcsBackend`].
#[derive(Clone)]
#[must_use]
pub struct GcsBuilder {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) quota_project: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) part_size: u64,
    pub(crate) concurrency: usize,
    pub(crate) memory_limit: u64,
}

/// Where the credentials come from.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// Google's application default credentials.
    Default,
    Anonymous,
    File(PathBuf),
    Json(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Anonymous => f.write_str("Anonymous"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Json(_) => f.write_str("Json([redacted])"),
        }
    }
}

impl GcsBuilder {
    pub(crate) fn new(bucket: String) -> Self {
        Self {
            bucket,
            prefix: String::new(),
            endpoint: None,
            credentials: Credentials::Default,
            quota_project: None,
            timeout: Duration::from_secs(30),
            max_attempts: 4,
            part_size: 8 * MIB,
            concurrency: 4,
            memory_limit: 128 * MIB,
        }
    }

    /// Keeps everything below this prefix of names, as `data/2026`; default the whole bucket.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The service's address for both of its protocols, as `https://storage.example.org`; default
    /// Google's.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sends no credentials: for public buckets and emulators.
    pub fn anonymous(mut self) -> Self {
        self.credentials = Credentials::Anonymous;
        self
    }

    /// Takes the key of a service account from a file of JSON, which is read when the backend opens.
    /// Default are the application default credentials.
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.credentials = Credentials::File(path.into());
        self
    }

    /// Takes the key of a service account: the JSON itself.
    pub fn credentials(mut self, json: impl Into<String>) -> Self {
        self.credentials = Credentials::Json(json.into());
        self
    }

    /// The project that pays for requests, for buckets whose reader pays.
    pub fn quota_project(mut self, project: impl Into<String>) -> Self {
        self.quota_project = Some(project.into());
        self
    }

    /// How long the service may stay silent in one attempt, at most a day; default 30 seconds. What is
    /// sent gets a second more for every 64 KiB.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a request that may be repeated is tried, at least 1; default 4.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Bytes of a part: objects up to this size are written in one request, larger ones in parts,
    /// and reads ask for as much at once; a multiple of 256 KiB, default 8 MiB.
    pub const fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes;
        self
    }

    /// Requests that one read has in flight, at least 1; default 4.
    pub const fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// Bytes that all uploads and read-aheads hold together; default 128 MiB. When they are used up,
    /// uploads go on in parts of 256 KiB, which each of them may hold beyond the limit, and reads one
    /// request after the other.
    pub const fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Opens the bucket, which has to exist and to allow listing.
    ///
    /// Costs one request, and ends within 10 seconds.
    ///
    /// # Errors
    /// `Config` for settings or credentials that make no sense, `NotFound` for a missing bucket,
    /// `PermissionDenied` where the service refuses the credentials, `Network` or `Timeout` where it
    /// cannot be reached.
    pub async fn open(self) -> Result<GcsBackend> {
        self.check()?;
        let prefix = Prefix::new(&self.prefix)?;
        GcsBackend::open(self, prefix).await
    }

    fn check(&self) -> Result<()> {
        let refuse = |message: &str| Err(Error::config(message.to_owned()));
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.bucket.is_empty() || !self.bucket.chars().all(known) {
            return refuse("the key \"bucket\" needs the name of a bucket");
        }
        if self.part_size == 0 || !self.part_size.is_multiple_of(LEAST as u64) {
            return refuse("the key \"part_size\" needs a multiple of 256KiB");
        }
        if self.part_size > 1 << 30 {
            return refuse("the key \"part_size\" is at most 1GiB");
        }
        if self.max_attempts == 0 || self.concurrency == 0 {
            return refuse("the keys \"max_attempts\" and \"concurrency\" are at least 1");
        }
        if self.timeout.is_zero() || self.timeout > LONGEST {
            return refuse("the key \"timeout\" is more than 0 and at most a day");
        }
        match self.endpoint.as_deref() {
            Some(endpoint) => check_endpoint(endpoint),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for GcsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One that opening would refuse may hold a password.
        let endpoint = self.endpoint.as_deref();
        let endpoint = endpoint.map(|text| check_endpoint(text).map_or("[refused]", |()| text));
        f.debug_struct("GcsBuilder")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("endpoint", &endpoint)
            .field("credentials", &self.credentials)
            .field("quota_project", &self.quota_project)
            .field("timeout", &self.timeout)
            .field("max_attempts", &self.max_attempts)
            .field("part_size", &self.part_size)
            .field("concurrency", &self.concurrency)
            .field("memory_limit", &self.memory_limit)
            .finish()
    }
}

/// Refuses what is no address, without showing what may be secret in it.
fn check_endpoint(endpoint: &str) -> Result<()> {
    let rest = endpoint
        .strip_prefix("https://")
        .or_else(|| endpoint.strip_prefix("http://"));
    let host = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['@', '/', '?', '#', ' ']) => Ok(()),
        _ => Err(Error::config(
            "the key \"endpoint\" needs http:// or https://, a host and perhaps a port, and nothing else",
        )),
    }
}
