use std::fmt;
use std::time::Duration;

use redis::{Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, TlsCertificates};
use storage_core::{Error, Result};

use crate::failure::Failure;

/// What a backend is opened with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    pub(crate) root_certificates: Option<Vec<u8>>,
    pub(crate) database: u32,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) prefix: String,
    pub(crate) ttl: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) concurrency: usize,
    pub(crate) memory_limit: u64,
}

impl Settings {
    pub(crate) fn new(host: String) -> Self {
        Self {
            host,
            port: 6379,
            tls: false,
            root_certificates: None,
            database: 0,
            username: None,
            password: None,
            prefix: "omnistorage".to_owned(),
            ttl: None,
            grace: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_attempts: 5,
            concurrency: 4,
            memory_limit: 64 << 20,
        }
    }

    /// Where the server is, without who connects to it.
    pub(crate) fn address(&self) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        format!("{scheme}://{}:{}/{}", self.host, self.port, self.database)
    }

    pub(crate) fn client(&self) -> Result<Client> {
        let (host, port) = (self.host.clone(), self.port);
        let address = match self.tls {
            false => ConnectionAddr::Tcp(host, port),
            true => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
        };
        let mut login = RedisConnectionInfo::default()
            .set_db(i64::from(self.database))
            .set_lib_name("omnistorage", env!("CARGO_PKG_VERSION"));
        if let Some(username) = &self.username {
            login = login.set_username(username);
        }
        if let Some(password) = &self.password {
            login = login.set_password(password);
        }
        let refused =
            |error| Error::config(Failure::of_connection(error).error.message().to_owned());
        let info = address.into_connection_info().map_err(refused)?;
        let info = info.set_redis_settings(login);
        if !self.tls {
            return Client::open(info).map_err(refused);
        }
        // The library asks for the process's provider; one that is there already is left alone.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: self.root_certificates.clone(),
        };
        Client::build_with_tls(info, certificates).map_err(refused)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address())
            .field("prefix", &self.prefix)
            .field("ttl", &self.ttl)
            .field("grace", &self.grace)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("max_attempts", &self.max_attempts)
            .field("concurrency", &self.concurrency)
            .field("memory_limit", &self.memory_limit)
            .finish_non_exhaustive()
    }
}
