use std::sync::Arc;

use async_trait::async_trait;
use storage_core::{Backend, BackendFactory, Config, Error, Result, Uri};

use crate::MemoryBackend;
use crate::store::Store;

/// Settings for a [`MemoryBackend`].
#[derive(Debug, Clone)]
#[must_use]
pub struct MemoryBuilder {
    max_bytes: Option<u64>,
    directories: bool,
}

impl MemoryBuilder {
    pub(crate) const fn new() -> Self {
        Self {
            max_bytes: None,
            directories: true,
        }
    }

    /// Most bytes of content that the store may hold; default without a limit. A write that would go
    /// over it is `QuotaExceeded` and changes nothing.
    ///
    /// What unfinished writers hold counts too, so replacing an object through a writer needs room
    /// for the old and the new content until it finishes; a whole-object `write` does not. Keys and
    /// attributes do not count.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Whether the store has directories, as a file system has; default true. Without them it is
    /// flat, as an object store is: `x` may stand beside `x/y`, and a directory is no more than what
    /// keys have in common.
    pub const fn directories(mut self, directories: bool) -> Self {
        self.directories = directories;
        self
    }

    /// A new, empty store.
    #[must_use]
    pub fn build(self) -> MemoryBackend {
        let store = Arc::new(Store::new(self.max_bytes, self.directories));
        MemoryBackend::with_store(store, self.directories)
    }
}

/// Opens memory backends by name or as `memory://`; each time a new, empty store.
///
/// Keys: `max_bytes`, a size such as `64MiB`, and `directories`, `true` or `false`.
///
/// ```
/// use storage_core::Registry;
/// use storage_memory::MemoryFactory;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> storage_core::Result<()> {
/// let mut registry = Registry::new();
/// registry.register("memory", MemoryFactory)?;
/// let backend = registry.open_uri("memory://?max_bytes=64MiB").await?;
/// assert_eq!(backend.name(), "memory");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryFactory;

#[async_trait]
impl BackendFactory for MemoryFactory {
    async fn open(&self, mut config: Config) -> Result<Arc<dyn Backend>> {
        let mut builder = MemoryBackend::builder();
        if let Some(bytes) = config.take_size("max_bytes")? {
            builder = builder.max_bytes(bytes);
        }
        if let Some(directories) = config.take_bool("directories")? {
            builder = builder.directories(directories);
        }
        config.finish()?;
        Ok(Arc::new(builder.build()))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        if !uri.authority().is_empty() || !matches!(uri.path(), "" | "/") {
            let message = "a memory URI has no name and no path, for every one is a new store";
            return Err(Error::config(message));
        }
        uri.to_config()
    }
}
