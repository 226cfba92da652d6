use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use storage_core::{Error, ErrorKind, Operation, Result};

use crate::backend::{NAME, RedisBackend};
use crate::header::text_of;
use crate::link::{Effect, Request};
use crate::settings::Settings;
use crate::store::Store;

/// Settings for a [`RedisBackend`].
#[derive(Debug, Clone)]
#[must_use]
pub struct RedisBuilder {
    pub(crate) settings: Settings,
}

impl RedisBuilder {
    pub(crate) fn new(host: String) -> Self {
        Self {
            settings: Settings::new(host),
        }
    }

    /// The server's port; default 6379.
    pub const fn port(mut self, port: u16) -> Self {
        self.settings.port = port;
        self
    }

    /// Whether the connection is encrypted; default false. The certificate must be valid for the host.
    pub const fn tls(mut self, tls: bool) -> Self {
        self.settings.tls = tls;
        self
    }

    /// Certificates, as PEM, of the authorities that may have signed the server's; default those of the
    /// system.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.settings.root_certificates = Some(pem.into());
        self
    }

    /// The number of the database; default 0.
    pub const fn database(mut self, number: u32) -> Self {
        self.settings.database = number;
        self
    }

    /// Who to log in as; default the server's default user.
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.settings.username = Some(name.into());
        self
    }

    /// The password to log in with; default none.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.settings.password = Some(password.into());
        self
    }

    /// What all keys begin with, in braces; default `omnistorage`. Each prefix is a store of its own,
    /// in one slot of a cluster. Without braces, and not empty.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// How long objects live from their last write on, to the millisecond; default for ever.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.settings.ttl = Some(ttl);
        self
    }

    /// How long the server keeps the bytes of an object of more than 64 KiB that was replaced or deleted,
    /// for those who are reading it; default 60 seconds. A read that goes on makes it longer.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// How long to wait for a connection; default 5 seconds.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How long to wait for a reply, and how long after the first attempt at a request another may
    /// begin; default 30 seconds.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Attempts at a request whose connection fails, at least 1; default 5.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.settings.max_attempts = attempts;
        self
    }

    /// Requests of 1 MiB that one reader or writer has on their way at a time, at least 1; default 4.
    pub const fn concurrency(mut self, requests: usize) -> Self {
        self.settings.concurrency = requests;
        self
    }

    /// Bytes of chunks that the backend has on their way at a time, at least 1 MiB; default 64 MiB.
    pub const fn memory_limit(mut self, bytes: u64) -> Self {
        self.settings.memory_limit = bytes;
        self
    }

    /// Connects, and looks whether the server will do.
    ///
    /// # Errors
    /// `Config` for settings that make no sense or a database that is not there; `Network` or `Timeout`
    /// for a server that cannot be reached; `PermissionDenied` for a wrong login; `Corrupt` where the
    /// prefix is in use for something else; `Unsupported` for a server before Redis 7.0.
    pub async fn open(self) -> Result<RedisBackend> {
        let open = async {
            check(&self.settings)?;
            // A server that is not there now is told at once.
            let patient = self.settings.max_attempts;
            let mut settings = self.settings;
            settings.max_attempts = 1;
            let mut store = Store::new(settings)?;
            let looking = tokio::time::timeout(store.settings.connect_timeout, look(&store));
            let silent = || {
                Error::new(
                    ErrorKind::Timeout,
                    "the server accepts, and does not answer",
                )
            };
            looking.await.map_err(|_| silent())??;
            store.be_patient(patient);
            Ok(RedisBackend::new(Arc::new(store)))
        };
        open.await
            .map_err(|error: Error| error.on(Operation::Open, NAME))
    }
}

fn check(settings: &Settings) -> Result<()> {
    let at_least = [
        ("max_attempts", u64::from(settings.max_attempts), 1),
        ("concurrency", settings.concurrency as u64, 1),
        ("memory_limit", settings.memory_limit, 1 << 20),
        ("timeout", settings.timeout.as_millis() as u64, 1),
        (
            "connect_timeout",
            settings.connect_timeout.as_millis() as u64,
            1,
        ),
        ("grace", settings.grace.as_millis() as u64, 1),
        (
            "ttl",
            settings.ttl.map_or(1, |ttl| ttl.as_millis() as u64),
            1,
        ),
    ];
    for (key, value, least) in at_least {
        if value < least {
            let message = format!("the key {key:?} is too small: {value}, at least {least}");
            return Err(Error::config(message));
        }
    }
    Ok(())
}

/// Asks what the index is, and how old the server.
async fn look(store: &Store) -> Result<()> {
    let build = |request: &mut Request<'_>| {
        request.commands.cmd("TYPE").arg(&store.keys.index);
        // A command of Redis 7.0.
        let command = request.commands.cmd("COMMAND").arg("INFO");
        command.arg("EXPIRETIME");
    };
    let mut replies = store.link.request(Effect::None, build).await?.into_iter();
    let kind = text_of(replies.next().unwrap_or_default())?.unwrap_or_default();
    if kind != "none" && kind != "zset" {
        let message = format!(
            "the key {:?} holds a {kind} that this backend did not make; choose another `prefix`",
            store.keys.index
        );
        return Err(crate::failure::damaged(message));
    }
    match replies.next() {
        Some(Value::Array(commands)) if commands.iter().all(|value| *value == Value::Nil) => {
            Err(Error::unsupported("the server is older than Redis 7.0"))
        }
        _ => Ok(()),
    }
}
