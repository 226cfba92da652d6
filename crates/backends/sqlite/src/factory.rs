use std::sync::Arc;

use storage_core::{Backend, BackendFactory, Config, Error, Result, Uri, async_trait};

use crate::{SqliteBackend, Synchronous};

/// Opens [`SqliteBackend`]s from settings; the scheme is `sqlite`.
///
/// | Key | Value | Default |
/// |---|---|---|
/// | `path` | the file | required |
/// | `table` | the table that holds the objects | `objects` |
/// | `create` | whether a missing file is made | `true` |
/// | `synchronous` | `normal` or `full`, see [`Synchronous`] | `full` |
/// | `busy_timeout` | how long a write waits for other processes | `10s` |
/// | `max_bytes` | most bytes of the file, such as `1GiB` | no limit |
///
/// A URI gives the file as its path: `sqlite:///srv/data.db?table=photos`. A host other than
/// `localhost` is a `Config` error.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteFactory;

#[async_trait]
impl BackendFactory for SqliteFactory {
    async fn open(&self, mut config: Config) -> Result<Arc<dyn Backend>> {
        let path = config.require_string("path")?;
        if path == ":memory:" {
            let message = "a store in memory is the backend \"memory\"; `path` names a file";
            return Err(Error::config(message));
        }
        let mut builder = SqliteBackend::builder(path);
        if let Some(table) = config.take_string("table")? {
            builder = builder.table(table);
        }
        if let Some(create) = config.take_bool("create")? {
            builder = builder.create(create);
        }
        let levels = [("normal", Synchronous::Normal), ("full", Synchronous::Full)];
        if let Some(level) = config.take_choice("synchronous", &levels)? {
            builder = builder.synchronous(level);
        }
        if let Some(timeout) = config.take_duration("busy_timeout")? {
            builder = builder.busy_timeout(timeout);
        }
        if let Some(bytes) = config.take_size("max_bytes")? {
            builder = builder.max_bytes(bytes);
        }
        config.finish()?;
        Ok(Arc::new(builder.open().await?))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        let host = uri.authority();
        if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
            let message = format!(
                "sqlite URIs name no host, not {host:?}; an absolute path has three slashes: sqlite:///…"
            );
            return Err(Error::config(message));
        }
        let mut config = uri.to_config()?;
        if !uri.path().is_empty() {
            if config.get("path").is_some() {
                return Err(Error::config("the file is given by the path and by `path`"));
            }
            config.set("path", uri.path());
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_of(uri: &str) -> Result<Config> {
        SqliteFactory.config_of(&Uri::parse(uri).unwrap())
    }

    #[test]
    fn uris_name_the_file() {
        let config = config_of("sqlite:///srv/a%20b.db?table=t").unwrap();
        assert_eq!(config.get("path"), Some("/srv/a b.db"));
        assert_eq!(config.get("table"), Some("t"));
        assert!(config_of("sqlite://host/a.db").is_err());
        assert!(config_of("sqlite:///a.db?path=/b.db").is_err());
    }

    #[tokio::test]
    async fn unknown_and_malformed_keys_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        for (key, value) in [
            ("tabel", "a"),
            ("table", "a b"),
            ("synchronous", "sometimes"),
            ("busy_timeout", "soon"),
            ("max_bytes", "some"),
            ("create", "perhaps"),
        ] {
            let config = Config::from_iter([("path", path.to_str().unwrap()), (key, value)]);
            let error = SqliteFactory.open(config).await.unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
            assert!(!path.exists(), "{key}");
        }
        for config in [Config::new(), Config::new().with("path", ":memory:")] {
            assert!(SqliteFactory.open(config).await.is_err());
        }
    }
}
