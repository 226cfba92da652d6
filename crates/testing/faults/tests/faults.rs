//! Each fault strikes where it says, and nowhere else.

// A test's helper fails the test by panicking.
#![allow(clippy::unwrap_used)]

#[path = "faults/counting.rs"]
mod counting;
#[path = "faults/crash.rs"]
mod crash;
#[path = "faults/failing.rs"]
mod failing;
#[path = "faults/masked.rs"]
mod masked;
#[path = "faults/slow.rs"]
mod slow;
#[path = "faults/transparent.rs"]
mod transparent;

use storage_core::{
    Backend, Bytes, Error, ErrorKind, ListOptions, ListPage, ObjectPath, Prefix, ReadOptions,
    Reader, Result, WriteOptions, Writer, async_trait,
};
use storage_memory::MemoryBackend;

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

fn cut() -> Error {
    Error::new(ErrorKind::Network, "cut")
}

/// Writes `chunks` chunks of 100,000 bytes, as far as that succeeds.
async fn stream(backend: &dyn Backend, key: &str, chunks: usize) -> Result<()> {
    let mut writer = backend.writer(&path(key), WriteOptions::default()).await?;
    for _ in 0..chunks {
        writer.write_bytes(Bytes::from(vec![7; 100_000])).await?;
    }
    writer.finish().await.map(|_| ())
}

/// A backend without an extended part.
#[derive(Debug)]
struct Basic(MemoryBackend);

#[async_trait]
impl Backend for Basic {
    fn name(&self) -> &'static str {
        "basic"
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.0.reader(path, options).await
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.0.writer(path, options).await
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.0.delete(path).await
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.0.list(prefix, options).await
    }

    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}
