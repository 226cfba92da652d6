//! What Redis and the connection to it report, in the terms of the contract.

use redis::{RedisError, ServerError};
use storage_core::{Error, ErrorKind};

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// Whether the connection is of no use any more.
    pub(crate) broken: bool,
    /// Whether it is the server's answer, by which nothing happened.
    pub(crate) answered: bool,
}

impl Failure {
    /// The server's answer to one command.
    pub(crate) fn of_server(error: &ServerError) -> Self {
        let text = match error.details() {
            Some(details) => format!("{} {details}", error.code()),
            None => error.code().to_owned(),
        };
        let (kind, transient, broken) = judge(error.code(), &text);
        Self {
            error: Error::new(kind, text).with_transient(transient),
            broken,
            answered: true,
        }
    }

    /// A failure of the connection, or of making one.
    pub(crate) fn of_connection(error: RedisError) -> Self {
        use redis::ErrorKind as Kind;
        let (kind, transient) = match error.kind() {
            Kind::AuthenticationFailed => (ErrorKind::PermissionDenied, false),
            Kind::InvalidClientConfig => (ErrorKind::Config, false),
            Kind::Io if error.is_timeout() => (ErrorKind::Timeout, true),
            Kind::Io | Kind::Parse => (ErrorKind::Network, true),
            _ => {
                let code = error.code().unwrap_or_default();
                let (kind, transient, _) = judge(code, &error.to_string());
                (kind, transient)
            }
        };
        Self {
            error: Error::new(kind, error.to_string())
                .with_transient(transient)
                .with_source(error),
            broken: true,
            answered: false,
        }
    }
}

/// Kind, whether trying again may help, and whether it needs another connection.
fn judge(code: &str, text: &str) -> (ErrorKind, bool, bool) {
    match code {
        "OOM" => (ErrorKind::QuotaExceeded, false, false),
        "NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED" => (ErrorKind::PermissionDenied, false, false),
        "WRONGTYPE" | "CORRUPT" => (ErrorKind::Corrupt, false, false),
        "MOVED" | "ASK" | "CROSSSLOT" => (ErrorKind::Config, false, false),
        "LOADING" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" => {
            (ErrorKind::Other, true, false)
        }
        // After a failover another connection may lead to the one that writes.
        "READONLY" => (ErrorKind::PermissionDenied, true, true),
        "NOSCRIPT" | "UNBLOCKED" => (ErrorKind::Other, true, true),
        "MISCONF" | "NOREPLICAS" => (ErrorKind::Io, true, false),
        _ if text.contains("max number of clients") => (ErrorKind::RateLimited, true, true),
        _ if text.contains("DB index") => (ErrorKind::Config, false, false),
        _ if text.contains("without any password configured") => {
            (ErrorKind::PermissionDenied, false, false)
        }
        _ => (ErrorKind::Other, false, false),
    }
}

/// Something under the backend's keys that it does not write.
pub(crate) fn damaged(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}
