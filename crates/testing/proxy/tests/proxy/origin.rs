//! A server that keeps what is put, and a client that asks it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use storage_proxy::Proxy;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What was put, and every request: its method, path and the length of its body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    /// Starts it with a proxy in front; both end with the runtime.
    pub(crate) async fn behind_a_proxy() -> (Self, Proxy) {
        let origin = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(origin.clone().listen(listener));
        let proxy = Proxy::http(&format!("http://{address}")).await.unwrap();
        (origin, proxy)
    }

    async fn listen(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let origin = self.clone();
            connections.spawn(async move {
                let answer = service_fn(|request| origin.answer(request));
                let server = hyper::server::conn::http1::Builder::new();
                server.serve_connection(TokioIo::new(stream), answer).await
            });
        }
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn object(&self, path: &str) -> Option<Bytes> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Sent>, Infallible> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        if path == "/refused" {
            // Before the body was read.
            return Ok(response(StatusCode::FORBIDDEN, whole(Bytes::new())));
        }
        let chunked = request.uri().query() == Some("chunked");
        let body = request.into_body().collect().await;
        let line = |end: String| {
            self.seen
                .lock()
                .unwrap()
                .push(format!("{method} {path} {end}"));
        };
        let Ok(body) = body.map(http_body_util::Collected::to_bytes) else {
            line("cut".to_owned());
            return Ok(response(StatusCode::BAD_REQUEST, whole(Bytes::new())));
        };
        line(body.len().to_string());
        let mut objects = self.objects.lock().unwrap();
        if method == Method::PUT {
            objects.insert(path, body);
            return Ok(response(StatusCode::OK, whole(Bytes::new())));
        }
        Ok(match objects.get(&path) {
            None => response(StatusCode::NOT_FOUND, whole("no such object".into())),
            Some(found) if chunked => response(StatusCode::OK, pieces(found)),
            Some(found) => response(StatusCode::OK, whole(found.clone())),
        })
    }
}

type Sent = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

fn response(status: StatusCode, body: Sent) -> Response<Sent> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

pub(crate) fn whole(bytes: Bytes) -> Sent {
    Full::new(bytes).boxed_unsync()
}

/// A body without a length.
fn pieces(bytes: &Bytes) -> Sent {
    let frames: Vec<_> = bytes
        .chunks(1000)
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

/// A connection of a client.
#[derive(Debug)]
pub(crate) struct Client(SendRequest<Sent>);

impl Client {
    pub(crate) async fn new(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(proxy.address()).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    pub(crate) async fn send(&mut self, line: &str, body: Sent) -> hyper::Result<Response<Bytes>> {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(path);
        let request = match body.size_hint().exact() {
            Some(_) => request,
            None => request.header("expect", "100-continue"),
        };
        let request = request.header("host", "origin").body(body).unwrap();
        self.0.ready().await?;
        let (head, body) = self.0.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }

    pub(crate) async fn get(&mut self, path: &str) -> hyper::Result<Response<Bytes>> {
        self.send(&format!("GET {path}"), whole(Bytes::new())).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: &[u8]) -> hyper::Result<u16> {
        let body = whole(Bytes::copy_from_slice(body));
        let response = self.send(&format!("PUT {path}"), body).await?;
        Ok(response.status().as_u16())
    }

    /// Puts without a length, and asks whether it may.
    pub(crate) async fn put_in_pieces(&mut self, path: &str, body: &[u8]) -> hyper::Result<u16> {
        let body = pieces(&Bytes::copy_from_slice(body));
        let response = self.send(&format!("PUT {path}"), body).await?;
        Ok(response.status().as_u16())
    }
}
