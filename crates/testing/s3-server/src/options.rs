use std::fmt;

/// How an [`S3Server`](crate::S3Server) behaves.
#[derive(Clone)]
#[must_use]
pub struct ServerOptions {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) region: String,
    pub(crate) buckets: Vec<String>,
    pub(crate) min_part_size: u64,
    pub(crate) buffer: usize,
    pub(crate) memory_limit: usize,
}

impl ServerOptions {
    /// A server that takes requests signed with this key, and no others.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            region: "us-east-1".to_owned(),
            buckets: Vec::new(),
            min_part_size: 5 << 20,
            buffer: 1 << 20,
            memory_limit: 64 << 20,
        }
    }

    /// The region that the server says it is in; default `us-east-1`. Signatures for any are taken.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// A bucket to create at the start where it is not there yet; call it once a bucket.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.buckets.push(name.into());
        self
    }

    /// Fewest bytes of every part but the last; default 5 MiB, as on AWS.
    pub const fn min_part_size(mut self, bytes: u64) -> Self {
        self.min_part_size = bytes;
        self
    }

    /// Most bytes of one object that are gathered in memory before they are written; default 1 MiB.
    /// A larger object goes through a temporary one.
    pub const fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    /// Most bytes that all requests together gather in memory; default 64 MiB. Beyond it, objects of
    /// any size go through temporary ones.
    pub const fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = bytes;
        self
    }
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("buckets", &self.buckets)
            .field("min_part_size", &self.min_part_size)
            .field("buffer", &self.buffer)
            .field("memory_limit", &self.memory_limit)
            .finish_non_exhaustive()
    }
}
