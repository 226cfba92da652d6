use std::sync::Arc;

use storage_core::{Backend, BackendFactory, Config, Error, Result, Uri, async_trait};

use crate::backend::FileBackend;
#[cfg(doc)]
use crate::builder::FileBackendBuilder;
use crate::builder::{Fsync, SymbolicLinks};

/// Opens [`FileBackend`]s from settings; the scheme is `file`.
///
/// | Key | Value | Default |
/// |---|---|---|
/// | `root` | the directory | required |
/// | `create` | whether a missing root is created | `true` |
/// | `fsync` | `none`, `data` or `full`, see [`Fsync`] | `data` |
/// | `links` | `followed` or `objects`, see [`SymbolicLinks`] | `followed` |
/// | `metadata` | `custom` alone or `system` as well, see [`FileBackendBuilder::system_metadata`] | `custom` |
/// | `dir_mode`, `file_mode` | octal permission bits, such as `750` | the process's mask decides |
///
/// A URI gives the root as its path: `file:///srv/data?fsync=none`, or a plain path. A host other
/// than `localhost` is a `Config` error.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileFactory;

#[async_trait]
impl BackendFactory for FileFactory {
    async fn open(&self, mut config: Config) -> Result<Arc<dyn Backend>> {
        let mut builder = FileBackend::builder(config.require_string("root")?);
        if let Some(create) = config.take_bool("create")? {
            builder = builder.create(create);
        }
        let levels = [
            ("none", Fsync::None),
            ("data", Fsync::Data),
            ("full", Fsync::Full),
        ];
        if let Some(fsync) = config.take_choice("fsync", &levels)? {
            builder = builder.fsync(fsync);
        }
        let kinds = [
            ("followed", SymbolicLinks::Followed),
            ("objects", SymbolicLinks::Objects),
        ];
        if let Some(links) = config.take_choice("links", &kinds)? {
            builder = builder.links(links);
        }
        let kinds = [("custom", false), ("system", true)];
        if let Some(system) = config.take_choice("metadata", &kinds)? {
            builder = builder.system_metadata(system);
        }
        if let Some(mode) = take_mode(&mut config, "dir_mode")? {
            builder = builder.dir_mode(mode);
        }
        if let Some(mode) = take_mode(&mut config, "file_mode")? {
            builder = builder.file_mode(mode);
        }
        config.finish()?;
        Ok(Arc::new(builder.open().await?))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        let host = uri.authority();
        if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
            let message = format!(
                "file URIs name no host, not {host:?}; an absolute path has three slashes: file:///…"
            );
            return Err(Error::config(message));
        }
        let mut config = uri.to_config()?;
        if !uri.path().is_empty() {
            if config.get("root").is_some() {
                return Err(Error::config("the root is given by the path and by `root`"));
            }
            config.set("root", uri.path());
        }
        Ok(config)
    }
}

fn take_mode(config: &mut Config, key: &'static str) -> Result<Option<u32>> {
    let Some(text) = config.take_string(key)? else {
        return Ok(None);
    };
    match u32::from_str_radix(&text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
        _ => Err(Error::config(format!(
            "the key {key:?} needs octal permission bits such as 750, not {text:?}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_of(uri: &str) -> Result<Config> {
        FileFactory.config_of(&Uri::parse(uri).unwrap())
    }

    #[test]
    fn uris_and_plain_paths_name_the_root() {
        for (uri, root) in [
            ("file:///srv/a%20b", "/srv/a b"),
            ("file://localhost/srv", "/srv"),
            ("some/dir%20", "some/dir%20"),
        ] {
            assert_eq!(config_of(uri).unwrap().get("root"), Some(root), "{uri}");
        }
        assert!(config_of("file://host/srv").is_err());
        assert!(config_of("file:///srv?root=/other").is_err());
    }

    #[tokio::test]
    async fn unknown_and_malformed_keys_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        for (key, value) in [
            ("fsnyc", "none"),
            ("fsync", "sometimes"),
            ("dir_mode", "9"),
            ("file_mode", "77777"),
            ("create", "perhaps"),
        ] {
            let config = Config::from_iter([("root", root), (key, value)]);
            let error = FileFactory.open(config).await.unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
        assert!(FileFactory.open(Config::new()).await.is_err());
    }
}
