use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Backend, Config, Error, ErrorKind, Operation, Result, Uri};

/// Opens backends of one kind from settings.
#[async_trait]
pub trait BackendFactory: Send + Sync + 'static {
    /// Opens a backend. Unknown keys are refused ([`Config::finish`]).
    async fn open(&self, config: Config) -> Result<Arc<dyn Backend>>;

    /// The settings that a URI stands for. The default adds `authority` and `path`, where they are
    /// not empty, to those of the query.
    ///
    /// # Errors
    /// `Config` when the URI makes no sense for this kind of backend.
    fn config_of(&self, uri: &Uri) -> Result<Config> {
        let mut config = uri.to_config()?;
        for (key, value) in [("authority", uri.authority()), ("path", uri.path())] {
            if !value.is_empty() {
                config.set(key, value);
            }
        }
        Ok(config)
    }
}

/// The backends that a program can open by name: a value, built explicitly, with no global state.
///
/// ```
/// # use std::sync::Arc;
/// # use storage_core::*;
/// # struct Nowhere;
/// # #[async_trait]
/// # impl BackendFactory for Nowhere {
/// #     async fn open(&self, config: Config) -> Result<Arc<dyn Backend>> {
/// #         config.finish()?;
/// #         Err(Error::unsupported("nowhere"))
/// #     }
/// # }
/// let mut registry = Registry::new();
/// registry.register("nowhere", Nowhere)?;
/// registry.declare("s3", "s3");
/// assert_eq!(registry.names(), ["nowhere"]);
/// assert!(registry.register("nowhere", Nowhere).is_err());
/// # Ok::<(), Error>(())
/// ```
#[derive(Default, Clone)]
pub struct Registry {
    factories: BTreeMap<&'static str, Arc<dyn BackendFactory>>,
    /// Known schemes by the Cargo feature that would compile them in.
    declared: BTreeMap<&'static str, &'static str>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            factories: BTreeMap::new(),
            declared: BTreeMap::new(),
        }
    }

    /// Adds a backend under a name, which is also its URI scheme.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken.
    pub fn register(&mut self, name: &'static str, factory: impl BackendFactory) -> Result<()> {
        if self.factories.contains_key(name) {
            let message = format!("a backend named {name:?} is registered already");
            return Err(Error::new(ErrorKind::AlreadyExists, message));
        }
        self.factories.insert(name, Arc::new(factory));
        Ok(())
    }

    /// Makes a name known whose backend is not compiled in, with the Cargo feature that would do so.
    pub fn declare(&mut self, name: &'static str, feature: &'static str) {
        self.declared.insert(name, feature);
    }

    /// Removes a backend; `false` when there was none of that name.
    pub fn unregister(&mut self, name: &str) -> bool {
        self.factories.remove(name).is_some()
    }

    /// The registered names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.factories.keys().copied().collect()
    }

    /// Opens a backend by name.
    ///
    /// # Errors
    /// `UnknownBackend` for a name that is not registered, saying which Cargo feature is missing
    /// where that is known; otherwise those of the backend, `Config` among them.
    pub async fn open(&self, name: &str, config: Config) -> Result<Arc<dyn Backend>> {
        let (name, factory) = self.find(name)?;
        factory
            .open(config)
            .await
            .map_err(|error| error.on(Operation::Open, name))
    }

    /// Opens a backend by URI or plain path.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_uri(&self, uri: &str) -> Result<Arc<dyn Backend>> {
        let (name, config) = self.resolve(uri)?;
        self.open(name, config).await
    }

    /// The name and settings that a URI or plain path stands for, to be adjusted before
    /// [`open`](Self::open).
    ///
    /// # Errors
    /// `UnknownBackend` as for [`open`](Self::open); `Config` when the URI makes no sense.
    pub fn resolve(&self, uri: &str) -> Result<(&'static str, Config)> {
        let uri = Uri::parse(uri)?;
        let (name, factory) = self.find(uri.scheme())?;
        let config = factory
            .config_of(&uri)
            .map_err(|error| error.on(Operation::Open, name))?;
        Ok((name, config))
    }

    fn find(&self, name: &str) -> Result<(&'static str, &Arc<dyn BackendFactory>)> {
        if let Some((name, factory)) = self.factories.get_key_value(name) {
            return Ok((name, factory));
        }
        let message = match self.declared.get(name) {
            Some(feature) => {
                format!("backend {name:?} is not compiled in; enable the Cargo feature {feature:?}")
            }
            None => format!(
                "no backend is named {name:?}; known are {}",
                self.names().join(", ")
            ),
        };
        Err(Error::new(ErrorKind::UnknownBackend, message))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("names", &self.names())
            .field("declared", &self.declared)
            .finish()
    }
}
