//! A new, empty store of each kind that can be written.

use std::any::Any;
use std::sync::Arc;

use omnistorage::memory::MemoryBackend;
use omnistorage::{Backend, Config};
use storage_gcs_emulator::Emulator;
use storage_s3_server::{S3Server, ServerOptions};

/// A store and what must live as long as it.
pub(crate) struct Store {
    pub(crate) backend: Arc<dyn Backend>,
    _kept: Vec<Box<dyn Any>>,
}

impl Store {
    fn new(backend: impl Into<Arc<dyn Backend>>) -> Self {
        Self {
            backend: backend.into(),
            _kept: Vec::new(),
        }
    }

    fn keep(mut self, kept: impl Any) -> Self {
        self._kept.push(Box::new(kept));
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Memory,
    Sqlite,
    Redis,
    S3,
    Gcs,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::File,
        Self::Memory,
        Self::Sqlite,
        Self::Redis,
        Self::S3,
        Self::Gcs,
    ];

    /// Those that can be opened here; a server that is missing is said.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_here())
    }

    pub(crate) fn is_here(self) -> bool {
        self != Self::Redis || storage_conformance::server("redis").is_some()
    }

    pub(crate) async fn open(self) -> Store {
        match self {
            Self::File => file().await,
            Self::Memory => Store::new(Arc::new(MemoryBackend::new()) as Arc<dyn Backend>),
            Self::Sqlite => sqlite().await,
            Self::Redis => redis().await,
            Self::S3 => s3().await,
            Self::Gcs => gcs().await,
        }
    }
}

async fn file() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    Store::new(omnistorage::open_uri(path).await.unwrap()).keep(folder)
}

async fn sqlite() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let uri = format!("sqlite://{}?table=a_table", path.to_str().unwrap());
    Store::new(omnistorage::open_uri(&uri).await.unwrap()).keep(folder)
}

/// Below a prefix of its own on the server that all tests use.
async fn redis() -> Store {
    use std::hash::{BuildHasher, RandomState};
    let server = storage_conformance::server("redis").unwrap();
    let prefix = format!("test-{:016x}", RandomState::new().hash_one(0));
    let uri = format!("{server}?prefix={prefix}&ttl=1h");
    Store::new(omnistorage::open_uri(&uri).await.unwrap())
}

async fn gcs() -> Store {
    let emulator = Emulator::start().await.unwrap();
    emulator.create_bucket("bucket");
    let config = Config::new()
        .with("bucket", "bucket")
        .with("prefix", "a prefix/below")
        .with("endpoint", emulator.endpoint())
        .with("anonymous", "true");
    Store::new(omnistorage::open("gcs", config).await.unwrap()).keep(emulator)
}

/// The keys of the server; the secret is one that tests look for in everything that is said.
pub(crate) const ACCESS_KEY_ID: &str = "access-key";
pub(crate) const SECRET: &str = "hushhush/secret+key";

/// A server with an empty bucket, `bucket`.
pub(crate) async fn s3_server() -> S3Server {
    let store = MemoryBackend::builder().directories(false).build();
    let options = ServerOptions::new(ACCESS_KEY_ID, SECRET).bucket("bucket");
    S3Server::start(Arc::new(store), options).await.unwrap()
}

pub(crate) fn s3_config(endpoint: &str) -> Config {
    Config::new()
        .with("bucket", "bucket")
        .with("prefix", "a prefix/below")
        .with("endpoint", endpoint)
        .with("region", "us-east-1")
        .with("access_key_id", ACCESS_KEY_ID)
        .with("secret_access_key", SECRET)
}

async fn s3() -> Store {
    let server = s3_server().await;
    let config = s3_config(&server.endpoint());
    Store::new(omnistorage::open("s3", config).await.unwrap()).keep(server)
}
