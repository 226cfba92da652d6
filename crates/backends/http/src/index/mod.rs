//! Index pages: what a server shows of one directory.

mod html;
mod json;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use storage_core::{Error, ErrorKind, Result};
use tokio::time::timeout;
use url::Url;

use crate::address::shown;
use crate::client::{Ask, Client, Reply};
use crate::failure;

/// One entry of an index page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) is_dir: bool,
    /// `None` where the page has none, or rounds it.
    pub(crate) size: Option<u64>,
    /// `None` where the page has none, or cuts it off at minutes.
    pub(crate) modified: Option<SystemTime>,
}

impl Child {
    fn new(name: String, is_dir: bool) -> Self {
        Self {
            name,
            is_dir,
            size: None,
            modified: None,
        }
    }

    /// The order of listings: by bytes, a directory as `name/`.
    fn listing_cmp(&self, other: &Self) -> Ordering {
        fn key(child: &Child) -> impl Iterator<Item = u8> + '_ {
            child.name.bytes().chain(child.is_dir.then_some(b'/'))
        }
        key(self).cmp(key(other))
    }
}

/// The entries of the directory at `url`, in the order of listings, none twice; `None` when there is
/// no such directory.
pub(crate) async fn fetch(client: &Client, url: Url) -> Result<Option<Vec<Child>>> {
    let mut ask = Ask::new(Method::GET, url);
    ask.is_object = false;
    let accept = "application/json, text/html;q=0.9, */*;q=0.1";
    ask.headers.insert(ACCEPT, HeaderValue::from_static(accept));
    let reply = client.send(&ask).await?;
    match reply.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            crate::client::discard(reply.body).await;
            return Ok(None);
        }
        StatusCode::FORBIDDEN => {
            crate::client::discard(reply.body).await;
            let message = format!(
                "the server shows no index of {}: switch its index pages on, or name a manifest",
                shown(&ask.url)
            );
            return Err(Error::new(ErrorKind::PermissionDenied, message));
        }
        _ => return Err(reply.into_error().await),
    }
    let url = reply.url.clone();
    let page = document(client, reply).await?;
    let mut children = parse(&page, &url).ok_or_else(|| {
        Error::unsupported(format!(
            "what is at {} is no index page: name a manifest",
            shown(&url)
        ))
    })?;
    children.sort_by(Child::listing_cmp);
    children.dedup_by(|next, first| next.listing_cmp(first).is_eq());
    Ok(Some(children))
}

/// The whole body of a reply.
///
/// # Errors
/// `QuotaExceeded` past the limit on index pages.
pub(crate) async fn document(client: &Client, reply: Reply) -> Result<Bytes> {
    let (limit, patience) = (client.limits().index_limit, client.limits().timeout);
    let mut body = Limited::new(reply.body, limit);
    let mut page = Vec::new();
    loop {
        let frame = timeout(patience, body.frame()).await;
        match frame.map_err(|_| failure::silence(patience))? {
            None => return Ok(page.into()),
            Some(Err(error)) => return Err(broken(error, &reply.url, limit)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    page.extend_from_slice(&data);
                }
            }
        }
    }
}

fn broken(error: Box<dyn std::error::Error + Send + Sync>, url: &Url, limit: usize) -> Error {
    if error.is::<LengthLimitError>() {
        let url = shown(url);
        let message = format!("{url} has more than {limit} bytes (the setting `index_limit`)");
        return Error::new(ErrorKind::QuotaExceeded, message);
    }
    match error.downcast::<hyper::Error>() {
        Ok(error) => failure::body(&error),
        Err(error) => Error::new(ErrorKind::Network, error.to_string()),
    }
}

/// `None` when the page is none of the kinds that are known.
fn parse(page: &[u8], url: &Url) -> Option<Vec<Child>> {
    // Names that are not UTF-8 have no path. In JSON they are written as they are, and their
    // replacement characters give them away; in HTML they are percent-encoded.
    let text = String::from_utf8_lossy(page);
    let is_lossy = matches!(text, Cow::Owned(_));
    match text.trim_start().starts_with('[') {
        true => json::parse(&text, is_lossy),
        false => html::parse(&text, url),
    }
}

/// A time of RFC 3339, in the whole seconds that `Last-Modified` tells of it.
pub(crate) fn rfc3339(text: &str) -> Option<SystemTime> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let seconds = jiff::Timestamp::from_second(time.as_second()).ok()?;
    Some(seconds.into())
}
