use std::fmt;
use std::time::Duration;

use storage_core::{Error, Prefix, Result};

use crate::{Capabilities, S3Backend};

/// Requests are signed by these.
#[derive(Clone)]
pub(crate) enum Access {
    /// The SDK's own chain: environment, profile, web identity, container and instance metadata.
    Chain,
    /// Not at all.
    Anonymous,
    Keys {
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
    },
}

/// Settings for an [`S3Backend`].
///
/// [`Debug`](fmt::Debug) shows no credentials.
#[derive(Clone)]
#[must_use]
pub struct S3Builder {
    pub(crate) bucket: String,
    pub(crate) prefix: Prefix,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) access: Access,
    pub(crate) path_style: Option<bool>,
    pub(crate) sign_payload: Option<bool>,
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) part_size: u64,
    pub(crate) concurrency: usize,
    pub(crate) memory_limit: u64,
    pub(crate) server_modified: bool,
    pub(crate) storage_class: Option<String>,
    pub(crate) sse: Option<String>,
    pub(crate) sse_kms_key_id: Option<String>,
}

impl S3Builder {
    pub(crate) fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: Prefix::root(),
            endpoint: None,
            region: None,
            access: Access::Chain,
            path_style: None,
            sign_payload: None,
            capabilities: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_attempts: 4,
            part_size: 8 << 20,
            concurrency: 8,
            memory_limit: 64 << 20,
            server_modified: false,
            storage_class: None,
            sse: None,
            sse_kms_key_id: None,
        }
    }

    /// The place in the bucket that is the backend's root; default the whole bucket.
    pub fn prefix(mut self, prefix: Prefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// The URL of the service; default Amazon's of the region.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// The region that requests are signed for; default what environment and profile say, else
    /// `us-east-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Signs with these keys instead of what the SDK's chain of providers finds.
    pub fn credentials(
        mut self,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        self.access = Access::Keys {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token,
        };
        self
    }

    /// Signs nothing: for public buckets.
    pub fn anonymous(mut self) -> Self {
        self.access = Access::Anonymous;
        self
    }

    /// Whether the bucket stands in the path of URLs instead of the host; default where an endpoint
    /// is given.
    pub const fn path_style(mut self, path_style: bool) -> Self {
        self.path_style = Some(path_style);
        self
    }

    /// Whether the content of uploads is part of the signature; default over plain http only, where
    /// nothing else protects it. It doubles the processor time of an upload.
    pub const fn sign_payload(mut self, sign: bool) -> Self {
        self.sign_payload = Some(sign);
        self
    }

    /// What the store can do, so that opening need not find out; default everything without an
    /// endpoint, which is Amazon, and found out by requests otherwise.
    pub const fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    /// Longest wait for a connection; default 5 s.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Longest time in which a request may make no progress; default 30 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Most tries of one request, at least 1; default 4.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Bytes of one part of an upload, and of one range of a read, from 5 MiB to 5 GiB; default
    /// 8 MiB. Objects up to this size are written by one request. Parts grow where 10,000 would not do.
    pub const fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes;
        self
    }

    /// Most requests in flight for one object, from 1 to 1000; default 8.
    pub const fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// Most bytes that parts in flight and ranges read ahead may hold, over all objects; default
    /// 64 MiB, at least 1 MiB. Each open writer holds the part that it gathers beside it, and sends one
    /// part at a time where others hold all there is.
    pub const fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Whether the modified time is that of the store instead of one kept in metadata; default no.
    /// Listings then tell it without a request an object, and it cannot be set.
    pub const fn server_modified(mut self, server: bool) -> Self {
        self.server_modified = server;
        self
    }

    /// The storage class of what is written, such as `STANDARD_IA`; default the bucket's.
    pub fn storage_class(mut self, class: impl Into<String>) -> Self {
        self.storage_class = Some(class.into());
        self
    }

    /// The encryption on the server, `AES256` or `aws:kms`, with a key's name for the latter; default
    /// the bucket's.
    pub fn sse(mut self, algorithm: impl Into<String>, kms_key_id: Option<String>) -> Self {
        self.sse = Some(algorithm.into());
        self.sse_kms_key_id = kms_key_id;
        self
    }

    /// Whether every setting makes sense.
    pub(crate) fn checked(&self) -> Result<()> {
        if let Some(endpoint) = &self.endpoint {
            let known = endpoint.starts_with("http://") || endpoint.starts_with("https://");
            if !known {
                return Err(Error::config("the endpoint is no http:// or https:// URL"));
            }
            if endpoint.contains('@') {
                return Err(Error::config("the endpoint must hold no credentials"));
            }
        }
        let bounds = [
            (
                !self.bucket.is_empty() && !self.bucket.contains('/'),
                "the bucket's name is empty or holds a `/`",
            ),
            (self.max_attempts > 0, "max_attempts is at least 1"),
            (
                (5 << 20..=5 << 30).contains(&self.part_size),
                "part_size lies between 5MiB and 5GiB",
            ),
            (
                (1..=1000).contains(&self.concurrency),
                "concurrency lies between 1 and 1000",
            ),
            (
                self.memory_limit >= 1 << 20,
                "memory_limit is at least 1MiB",
            ),
            (
                self.sse_kms_key_id.is_none()
                    || self
                        .sse
                        .as_deref()
                        .is_some_and(|sse| sse.starts_with("aws:kms")),
                "sse_kms_key_id needs sse=aws:kms",
            ),
        ];
        match bounds.into_iter().find(|(kept, _)| !kept) {
            Some((_, message)) => Err(Error::config(message)),
            None => Ok(()),
        }
    }

    /// Connects, checks endpoint, credentials and bucket, and finds out what the store can do.
    ///
    /// # Errors
    /// Within 10 seconds: `NotFound` for a missing bucket, `PermissionDenied` for wrong or missing
    /// credentials, `Network` or `Timeout` for a host that does not answer, `Config` for a region
    /// that is not the bucket's, an endpoint that is no URL or a setting outside its bounds.
    pub async fn open(self) -> Result<S3Backend> {
        crate::open::open(self).await
    }
}

impl fmt::Debug for S3Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Builder")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("endpoint", &self.endpoint.as_deref().map(without_user))
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// A URL without what may be secret in it.
pub(crate) fn without_user(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or("");
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit('@').next().unwrap_or("");
            format!("{scheme}://{}", host.trim_end_matches('/'))
        }
        None => url.rsplit('@').next().unwrap_or("").to_owned(),
    }
}
