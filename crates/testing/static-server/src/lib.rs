//! A well-behaved static web server over any storage backend, for tests: ranges, conditions on strong
//! entity tags that are the backend's versions, index pages in JSON like those of nginx.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use storage_core::{Backend, BackendExt, Error, ErrorKind, ListOptions, ObjectInfo, ObjectPath};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// A running server; dropping it stops it.
#[derive(Debug)]
pub struct StaticServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl StaticServer {
    /// Serves `backend` on a free port of this machine, to be reached by itself alone.
    ///
    /// # Errors
    /// Those of opening a socket.
    pub async fn start(backend: Arc<dyn Backend>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, backend));
        Ok(Self { address, task })
    }

    /// The URL below which the objects lie, with a final `/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/base/", self.address)
    }
}

impl Drop for StaticServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, backend: Arc<dyn Backend>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let backend = Arc::clone(&backend);
        connections.spawn(async move {
            let service = service_fn(|request| answer(&*backend, request));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(backend: &dyn Backend, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = percent_decode_str(request.uri().path())
        .decode_utf8_lossy()
        .into_owned();
    let answered = match path.strip_prefix("/base/") {
        Some(path) if path.is_empty() || path.ends_with('/') => index(backend, path).await,
        Some(path) => object(backend, path, &request).await,
        None => Err(Error::not_found("")),
    };
    Ok(answered.unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::IsDirectory => status(StatusCode::NOT_FOUND),
        _ => status(StatusCode::INTERNAL_SERVER_ERROR),
    }))
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

async fn index(backend: &dyn Backend, path: &str) -> Result<Answer, Error> {
    let prefix = storage_core::Prefix::new(path)?;
    let entries = backend
        .entries(prefix.clone(), ListOptions::default())
        .collect()
        .await?;
    if entries.is_empty() && !prefix.is_root() {
        return Err(Error::not_found(""));
    }
    let entries: Vec<_> = entries
        .iter()
        .map(|info| {
            let kind = if info.is_dir { "directory" } else { "file" };
            let time = info.modified.map(httpdate::fmt_http_date);
            serde_json::json!({
                "name": info.path.file_name(), "type": kind, "size": info.size, "mtime": time,
            })
        })
        .collect();
    let text = serde_json::Value::from(entries).to_string();
    Ok(Response::new(Full::from(text)))
}

async fn object(
    backend: &dyn Backend,
    path: &str,
    request: &Request<Incoming>,
) -> Result<Answer, Error> {
    let reader = backend
        .reader(&ObjectPath::new(path)?, Default::default())
        .await?;
    let info = reader.info().clone();
    let bytes = reader.bytes().await?;
    let tag = tag(&info);
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if header("if-match").is_some_and(|wanted| wanted != tag) {
        return Ok(status(StatusCode::PRECONDITION_FAILED));
    }
    if header("if-none-match").is_some_and(|known| known == tag) {
        return Ok(status(StatusCode::NOT_MODIFIED));
    }
    let (mut answer, body) = match header("range") {
        Some(range) => ranged(range, &bytes),
        None => (status(StatusCode::OK), bytes),
    };
    let headers = answer.headers_mut();
    if let Ok(tag) = tag.parse() {
        headers.insert("etag", tag);
    }
    if let Some(Ok(time)) = info
        .modified
        .map(|time| httpdate::fmt_http_date(time).parse())
    {
        headers.insert("last-modified", time);
    }
    headers.insert("content-length", body.len().into());
    if request.method() != Method::HEAD {
        *answer.body_mut() = Full::from(body);
    }
    Ok(answer)
}

fn tag(info: &ObjectInfo) -> String {
    format!(
        "\"{}\"",
        info.version.as_ref().map_or("", |version| version.as_str())
    )
}

fn ranged(header: &str, bytes: &Bytes) -> (Answer, Bytes) {
    let size = bytes.len();
    let range = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'));
    let (start, end) = match range {
        Some(("", count)) => (size.saturating_sub(count.parse().unwrap_or(0)), size),
        Some((start, "")) => (start.parse().unwrap_or(usize::MAX), size),
        Some((start, last)) => {
            let end = last
                .parse::<usize>()
                .map_or(size, |last| size.min(last + 1));
            (start.parse().unwrap_or(usize::MAX), end)
        }
        None => (0, size),
    };
    let (code, told, body) = if start < end {
        let told = format!("bytes {start}-{}/{size}", end - 1);
        (StatusCode::PARTIAL_CONTENT, told, bytes.slice(start..end))
    } else {
        (
            StatusCode::RANGE_NOT_SATISFIABLE,
            format!("bytes */{size}"),
            Bytes::new(),
        )
    };
    let mut answer = status(code);
    if let Ok(told) = told.parse() {
        answer.headers_mut().insert("content-range", told);
    }
    (answer, body)
}
