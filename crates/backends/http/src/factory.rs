use std::sync::Arc;

use async_trait::async_trait;
use storage_core::{Backend, BackendFactory, Config, Error, Result, Uri};

use crate::address::escaped;
use crate::{HttpBackend, HttpBuilder};

/// Opens HTTP backends by name, as `http` with the key `endpoint`, and as `http://host/path` and
/// `https://host/path`, whose query holds settings and is not sent to the server.
///
/// Keys: `endpoint`, `manifest`, `versions`, `username`, `password`, `token`, `headers` (lines of
/// `Name: value`), `connect_timeout`, `timeout`, `max_attempts`, `concurrency`, `list_concurrency`,
/// `index_limit`. They mean what the methods of [`HttpBuilder`] of the same names do.
///
/// ```no_run
/// use storage_core::Registry;
/// use storage_http::HttpFactory;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> storage_core::Result<()> {
/// let mut registry = Registry::new();
/// registry.register("https", HttpFactory)?;
/// let backend = registry.open_uri("https://example.com/files?timeout=10s").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct HttpFactory;

#[async_trait]
impl BackendFactory for HttpFactory {
    async fn open(&self, config: Config) -> Result<Arc<dyn Backend>> {
        Ok(Arc::new(builder(config)?.open().await?))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        let mut config = uri.to_config()?;
        let (user, host) = uri
            .authority()
            .rsplit_once('@')
            .unwrap_or(("", uri.authority()));
        let (username, password) = user.split_once(':').unwrap_or((user, ""));
        let endpoint = format!("{}://{host}{}", uri.scheme(), escaped(uri.path()));
        for (key, value) in [
            ("endpoint", endpoint.as_str()),
            ("username", username),
            ("password", password),
        ] {
            if value.is_empty() {
                continue;
            }
            if config.get(key).is_some() {
                let message =
                    format!("the key {key:?} is given twice: in the URI and in its query");
                return Err(Error::config(message));
            }
            config.set(key, value);
        }
        Ok(config)
    }
}

fn builder(mut config: Config) -> Result<HttpBuilder> {
    let mut builder = HttpBackend::builder(config.require_string("endpoint")?);
    builder.manifest = config.take_string("manifest")?;
    builder.versions = config.take_bool("versions")?.unwrap_or(false);
    builder.username = config.take_string("username")?;
    builder.password = config.take_string("password")?;
    builder.token = config.take_string("token")?;
    if let Some(lines) = config.take_string("headers")? {
        builder.headers = header_lines(&lines)?;
    }
    let limits = &mut builder.limits;
    if let Some(limit) = config.take_duration("connect_timeout")? {
        limits.connect_timeout = limit;
    }
    if let Some(limit) = config.take_duration("timeout")? {
        limits.timeout = limit;
    }
    if let Some(attempts) = config.take_parsed("max_attempts", "a number from 1")? {
        limits.max_attempts = attempts;
    }
    if let Some(requests) = config.take_parsed("concurrency", "a number from 1")? {
        limits.concurrency = requests;
    }
    if let Some(requests) = config.take_parsed("list_concurrency", "a number from 1")? {
        limits.list_concurrency = requests;
    }
    if let Some(bytes) = config.take_size("index_limit")? {
        limits.index_limit = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    config.finish()?;
    Ok(builder)
}

fn header_lines(lines: &str) -> Result<Vec<(String, String)>> {
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    let pair = |(index, line): (usize, &str)| {
        let (name, value) = line.split_once(':').ok_or_else(|| {
            let number = index + 1;
            Error::config(format!(
                "line {number} of the key \"headers\" is not `Name: value`"
            ))
        })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    lines.enumerate().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(uri: &str) -> Result<Config> {
        HttpFactory.config_of(&Uri::parse(uri)?)
    }

    #[test]
    fn a_uri_becomes_settings_and_shows_no_password() {
        let config = config("https://me:p%40ss@host:8443/a%20b/c?timeout=5s").unwrap();
        assert_eq!(config.get("endpoint"), Some("https://host:8443/a%20b/c"));
        assert_eq!(config.get("username"), Some("me"));
        assert_eq!(config.get("password"), Some("p@ss"));
        let builder = builder(config.clone()).unwrap();
        assert_eq!(builder.limits.timeout.as_secs(), 5);
        for shown in [format!("{config:?}"), format!("{builder:?}")] {
            assert!(!shown.contains("p@ss"), "{shown}");
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for (uri, expected) in [
            ("http://host/?tmieout=5s", "tmieout"),
            ("http://host/?headers=hush", "line 1"),
            ("http://host/?endpoint=x", "twice"),
            ("http://me@host/?username=you", "twice"),
        ] {
            let error = config(uri).and_then(builder).unwrap_err().to_string();
            assert!(
                error.contains(expected) && !error.contains("hush"),
                "{error}"
            );
        }
        for (uri, expected) in [
            ("http://host/?password=hush", "username"),
            ("http://host/?token=hush&username=me", "exclude"),
            ("http://host/?headers=Range:%20hush", "range"),
            ("http://host/?headers=a%20b:%20hush", "a b"),
            (
                "http://host/?headers=authorization:%20hush&token=hush",
                "twice",
            ),
            ("http://host/?token=hu%0Ash", "credentials"),
        ] {
            let builder = config(uri).and_then(builder).unwrap();
            let error = builder.secret_headers().unwrap_err().to_string();
            assert!(
                error.contains(expected) && !error.contains("hush"),
                "{error}"
            );
        }
        assert!(
            builder(Config::new())
                .unwrap_err()
                .to_string()
                .contains("endpoint")
        );
        let zero = HttpBackend::builder("http://host").max_attempts(0);
        assert!(
            zero.limits
                .checked()
                .unwrap_err()
                .to_string()
                .contains("max_attempts")
        );
    }
}
