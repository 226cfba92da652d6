//! The server in the process behind a proxy that breaks what a test says.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use bytes::Bytes;
use storage_core::{BackendExt, ListOptions, ObjectPath, Prefix};
use storage_memory::MemoryBackend;
use storage_proxy::Proxy;
use storage_s3::{Capabilities, S3Backend, S3Builder};
use storage_s3_server::{S3Server, ServerOptions};

use crate::bucket::{Bucket, KEY, SECRET};

pub(crate) const PART: u64 = 5 << 20;

/// A server, a backend that reaches it through a proxy, and one that reaches it directly.
pub(crate) struct Local {
    _server: S3Server,
    pub(crate) proxy: Proxy,
    pub(crate) through: S3Backend,
    pub(crate) direct: S3Backend,
    bucket: Bucket,
}

impl Local {
    pub(crate) async fn start() -> Self {
        let store = MemoryBackend::builder().directories(false).build();
        let options = ServerOptions::new(KEY, SECRET).bucket("bucket");
        let server = S3Server::start(Arc::new(store), options).await.unwrap();
        let proxy = Proxy::http(&server.endpoint()).await.unwrap();
        let bucket = Bucket {
            address: server.endpoint(),
            name: "bucket".to_owned(),
        };
        let direct = bucket.builder().capabilities(Capabilities::ALL);
        Self {
            direct: direct.open().await.unwrap(),
            through: builder(&bucket, &proxy).open().await.unwrap(),
            _server: server,
            proxy,
            bucket,
        }
    }

    /// Settings of a backend behind the proxy, of known capabilities.
    pub(crate) fn builder(&self) -> S3Builder {
        builder(&self.bucket, &self.proxy)
    }

    /// Settings without capabilities, which opening has to find out.
    pub(crate) fn unknown(&self) -> S3Builder {
        self.bucket.builder().endpoint(self.proxy.url())
    }

    pub(crate) fn client(&self) -> Client {
        self.bucket.client()
    }

    pub(crate) async fn unfinished(&self) -> usize {
        let found = self.direct.unfinished_uploads(Duration::ZERO).await;
        found.unwrap().len()
    }

    pub(crate) async fn keys(&self, backend: &S3Backend, options: ListOptions) -> Vec<String> {
        let entries = backend.entries(Prefix::root(), options).collect().await;
        let entries = entries.unwrap();
        entries.iter().map(|entry| entry.listing_key()).collect()
    }
}

fn builder(bucket: &Bucket, proxy: &Proxy) -> S3Builder {
    let builder = bucket.builder().endpoint(proxy.url());
    builder
        .capabilities(Capabilities::ALL)
        .sign_payload(false)
        .part_size(PART)
        .max_attempts(3)
}

pub(crate) fn bytes(count: usize) -> Bytes {
    (0..count).map(|n| (n % 251) as u8).collect()
}

pub(crate) fn path(key: &str) -> ObjectPath {
    ObjectPath::new(key).unwrap()
}
