use std::sync::Arc;

use storage_core::{Backend, BackendFactory, Config, Error, Result, Uri, async_trait};

use crate::{RedisBackend, RedisBuilder};

/// Opens [`RedisBackend`]s from settings; the scheme is `redis`, and `rediss` with TLS.
///
/// | Key | Value | Default |
/// |---|---|---|
/// | `endpoint` | `host` or `host:port` | required |
/// | `tls` | whether the connection is encrypted | `false`, `true` for `rediss` |
/// | `root_certificates` | a file of certificates as PEM | the system's |
/// | `database` | its number | `0` |
/// | `username`, `password` | the login | none |
/// | `prefix` | what all keys begin with | `omnistorage` |
/// | `ttl` | how long objects live after a write | for ever |
/// | `grace` | how long readers of replaced objects have | `60s` |
/// | `connect_timeout`, `timeout` | for a connection, for a reply | `5s`, `30s` |
/// | `max_attempts` | at a request | `5` |
/// | `concurrency` | requests of 1 MiB of one object on their way | `4` |
/// | `memory_limit` | bytes of chunks on their way | `64MiB` |
///
/// As a URI: `redis://user:password@host:port/database?prefix=photos`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RedisFactory {
    tls: bool,
}

impl RedisFactory {
    /// For the scheme `redis`.
    #[must_use]
    pub const fn new() -> Self {
        Self { tls: false }
    }

    /// For the scheme `rediss`: connections are encrypted unless a setting says otherwise.
    #[must_use]
    pub const fn with_tls() -> Self {
        Self { tls: true }
    }
}

#[async_trait]
impl BackendFactory for RedisFactory {
    async fn open(&self, mut config: Config) -> Result<Arc<dyn Backend>> {
        let endpoint = config.require_string("endpoint")?;
        let (host, port) = split(&endpoint)?;
        let mut builder = RedisBackend::builder(host).tls(self.tls);
        if let Some(port) = port {
            builder = builder.port(port);
        }
        let certificates = config.take_string("root_certificates")?;
        builder = limits(login(builder, &mut config)?, &mut config)?;
        config.finish()?;
        if let Some(file) = certificates {
            let pem = tokio::task::spawn_blocking(move || std::fs::read(&file));
            let pem = pem
                .await
                .map_err(|error| Error::config(error.to_string()))??;
            builder = builder.root_certificates(pem);
        }
        Ok(Arc::new(builder.open().await?))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        let mut config = uri.to_config()?;
        let (login, endpoint) = match uri.authority().rsplit_once('@') {
            Some((login, endpoint)) => (login, endpoint),
            None => ("", uri.authority()),
        };
        let (username, password) = login.split_once(':').unwrap_or((login, ""));
        let database = uri.path().trim_matches('/');
        for (key, value) in [
            ("endpoint", endpoint),
            ("username", username),
            ("password", password),
            ("database", database),
        ] {
            if value.is_empty() {
                continue;
            }
            if config.get(key).is_some() {
                return Err(Error::config(format!("the key {key:?} is given twice")));
            }
            config.set(key, value);
        }
        Ok(config)
    }
}

const NO_HOST: &str = "the key \"endpoint\" needs a host, or host:port";

/// Host and port. An address of IPv6 stands in brackets.
fn split(endpoint: &str) -> Result<(&str, Option<u16>)> {
    // A login belongs into keys of its own, and is not to be shown here.
    if endpoint.contains(['@', '/']) {
        return Err(Error::config(NO_HOST));
    }
    let colon = endpoint.rfind(':').filter(|_| !endpoint.ends_with(']'));
    let (host, port) = match colon.and_then(|at| endpoint.split_at_checked(at)) {
        Some((host, port)) => (host, Some(&port[1..])),
        None => (endpoint, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(Error::config(NO_HOST));
    }
    let port = port.map(|port| {
        port.parse().map_err(|_| {
            Error::config(format!(
                "the key \"endpoint\" has a port that is none: {port:?}"
            ))
        })
    });
    Ok((host, port.transpose()?))
}

fn login(mut builder: RedisBuilder, config: &mut Config) -> Result<RedisBuilder> {
    if let Some(tls) = config.take_bool("tls")? {
        builder = builder.tls(tls);
    }
    if let Some(number) = config.take_parsed("database", "the number of a database")? {
        builder = builder.database(number);
    }
    if let Some(name) = config.take_string("username")? {
        builder = builder.username(name);
    }
    if let Some(password) = config.take_string("password")? {
        builder = builder.password(password);
    }
    if let Some(prefix) = config.take_string("prefix")? {
        builder = builder.prefix(prefix);
    }
    Ok(builder)
}

fn limits(mut builder: RedisBuilder, config: &mut Config) -> Result<RedisBuilder> {
    if let Some(ttl) = config.take_duration("ttl")? {
        builder = builder.ttl(ttl);
    }
    if let Some(grace) = config.take_duration("grace")? {
        builder = builder.grace(grace);
    }
    if let Some(timeout) = config.take_duration("connect_timeout")? {
        builder = builder.connect_timeout(timeout);
    }
    if let Some(timeout) = config.take_duration("timeout")? {
        builder = builder.timeout(timeout);
    }
    if let Some(attempts) = config.take_parsed("max_attempts", "a number from 1")? {
        builder = builder.max_attempts(attempts);
    }
    if let Some(requests) = config.take_parsed("concurrency", "a number from 1")? {
        builder = builder.concurrency(requests);
    }
    if let Some(bytes) = config.take_size("memory_limit")? {
        builder = builder.memory_limit(bytes);
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_of(uri: &str) -> Result<Config> {
        RedisFactory::new().config_of(&Uri::parse(uri).unwrap())
    }

    #[test]
    fn uris_name_server_login_database_and_prefix() {
        let config = config_of("redis://me:p%40ss:w@[::1]:6380/3?prefix=a%2Fb").unwrap();
        for (key, value) in [
            ("endpoint", "[::1]:6380"),
            ("username", "me"),
            ("password", "p@ss:w"),
            ("database", "3"),
            ("prefix", "a/b"),
        ] {
            assert_eq!(config.get(key), Some(value), "{key}");
        }
        assert!(!format!("{config:?}").contains("p@ss"));
        assert!(config_of("redis://:a@h?password=b").is_err());
        assert_eq!(split("[::1]:6380").unwrap(), ("::1", Some(6380)));
        assert_eq!(split("h").unwrap(), ("h", None));
        for endpoint in ["user:hush@h:x", "user:hush@h", "hush@h", "h:hush/x"] {
            let error = split(endpoint).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
            assert!(error.contains("endpoint"), "{error}");
        }
    }

    #[tokio::test]
    async fn unknown_and_malformed_keys_are_refused() {
        for (key, value) in [
            ("prefx", "a"),
            ("prefix", "a{b"),
            ("database", "first"),
            ("max_attempts", "0"),
            ("concurrency", "0"),
            ("memory_limit", "1k"),
            ("ttl", "0s"),
            ("timeout", "soon"),
        ] {
            let config = Config::from_iter([("endpoint", "127.0.0.1:1"), (key, value)]);
            let error = RedisFactory::new().open(config).await.unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
        assert!(RedisFactory::new().open(Config::new()).await.is_err());
    }
}
