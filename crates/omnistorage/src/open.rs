use std::sync::Arc;

use storage_core::{Backend, Config, Registry, Result};

/// Every backend that is compiled in, under its name; the known others are declared, so that opening
/// one says which Cargo feature to enable.
///
/// # Errors
/// None in practice: the names differ.
pub fn registry() -> Result<Registry> {
    let mut registry = Registry::new();
    #[cfg(feature = "file")]
    registry.register("file", storage_file::FileFactory)?;
    #[cfg(not(feature = "file"))]
    registry.declare("file", "file");
    #[cfg(feature = "memory")]
    registry.register("memory", storage_memory::MemoryFactory)?;
    #[cfg(not(feature = "memory"))]
    registry.declare("memory", "memory");
    #[cfg(feature = "channel")]
    registry.register("channel", storage_channel::ChannelFactory)?;
    #[cfg(not(feature = "channel"))]
    registry.declare("channel", "channel");
    #[cfg(feature = "s3")]
    registry.register("s3", storage_s3::S3Factory)?;
    #[cfg(not(feature = "s3"))]
    registry.declare("s3", "s3");
    // The scheme of its URIs, and its name.
    for name in ["gs", "gcs"] {
        #[cfg(feature = "gcs")]
        registry.register(name, storage_gcs::GcsFactory)?;
        #[cfg(not(feature = "gcs"))]
        registry.declare(name, "gcs");
    }
    for name in ["http", "https"] {
        #[cfg(feature = "http")]
        registry.register(name, storage_http::HttpFactory)?;
        #[cfg(not(feature = "http"))]
        registry.declare(name, "http");
    }
    #[cfg(feature = "redis")]
    {
        registry.register("redis", storage_redis::RedisFactory::new())?;
        registry.register("rediss", storage_redis::RedisFactory::with_tls())?;
    }
    #[cfg(not(feature = "redis"))]
    {
        registry.declare("redis", "redis");
        registry.declare("rediss", "redis");
    }
    #[cfg(feature = "sqlite")]
    registry.register("sqlite", storage_sqlite::SqliteFactory)?;
    #[cfg(not(feature = "sqlite"))]
    registry.declare("sqlite", "sqlite");
    Ok(registry)
}

/// Opens a backend by name and settings.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// use omnistorage::{BackendExt, Config};
///
/// let backend = omnistorage::open("memory", Config::new().with("max_bytes", "1MiB")).await?;
/// backend.put("greeting", "hello").await?;
/// assert_eq!(backend.get("greeting").await?, "hello");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `UnknownBackend`, naming the Cargo feature that would compile it in where there is one; `Config`
/// for a missing, unknown or malformed setting; otherwise those of the backend.
pub async fn open(name: &str, config: Config) -> Result<Arc<dyn Backend>> {
    registry()?.open(name, config).await
}

/// Opens a backend by URI, `scheme://authority/path?key=value`, or by a plain path, which is a
/// directory of the file system.
///
/// # Errors
/// As [`open`].
pub async fn open_uri(uri: &str) -> Result<Arc<dyn Backend>> {
    registry()?.open_uri(uri).await
}
