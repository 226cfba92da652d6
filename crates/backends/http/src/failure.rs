//! What failures of the connection mean.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use storage_core::{Error, ErrorKind};
use url::Url;

/// The server was silent for too long.
pub(crate) fn silence(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("the server was silent for {limit:?}"),
    )
}

/// A request that got no reply.
pub(crate) fn request(error: &hyper_util::client::legacy::Error, url: &Url) -> Error {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let what = if error.is_connect() {
        "cannot connect to"
    } else {
        "no answer from"
    };
    let deepest = deepest(error);
    let message = format!("{what} {host}:{port}: {deepest}");
    let chain = || chain(error);
    let is_timeout = chain()
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::TimedOut);
    // A certificate does not become valid by trying again.
    let is_tls = chain().any(|error| {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>())
    });
    let kind = if is_timeout {
        ErrorKind::Timeout
    } else {
        ErrorKind::Network
    };
    Error::new(kind, message).with_transient(!is_tls)
}

/// A body that broke off.
pub(crate) fn body(error: &hyper::Error) -> Error {
    let message = format!("the download broke off: {}", deepest(error));
    Error::new(ErrorKind::Network, message)
}

/// The text of the error at the end of the chain, which says the most.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    chain(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// An error, what caused it, and so on.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}
