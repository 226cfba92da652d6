//! A server that speaks enough of S3 for clients to be satisfied, takes everything and keeps nothing.

use std::convert::Infallible;
use std::io::Read;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::http::response::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::work::SMALL;
use crate::Result;

/// The size of every object named `large…`; others are small.
pub(crate) const LARGE: u64 = 256 << 20;

const TAG: &str = "\"0123456789abcdef0123456789abcdef\"";
const PIECE: u64 = 256 << 10;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Prints where it listens and serves until its input ends.
pub(crate) fn serve() -> Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("http://{}", listener.local_addr()?);
    let served = runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    served.abort();
    Ok(String::new())
}

async fn connection(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let server = hyper::server::conn::http1::Builder::new();
    let connection = server.serve_connection(TokioIo::new(stream), service_fn(answer));
    // A client that leaves is no error.
    let _ = connection.await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, hyper::http::Error> {
    let (head, mut body) = request.into_parts();
    while let Some(Ok(_)) = body.frame().await {}
    let key = head.uri.path().splitn(3, '/').nth(2).unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    let reply = Response::builder()
        .header("ETag", TAG)
        .header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    match head.method {
        Method::DELETE => reply.status(StatusCode::NO_CONTENT).body(whole("")),
        Method::POST if query.starts_with("uploads") => reply.body(whole(INITIATED)),
        Method::POST => reply.body(whole(COMPLETED)),
        Method::GET if key.is_empty() => reply.body(whole(EMPTY)),
        Method::GET | Method::HEAD => {
            let size = if key.starts_with("large") {
                LARGE
            } else {
                SMALL as u64
            };
            let wanted = head
                .headers
                .get("range")
                .and_then(|value| value.to_str().ok());
            give(
                reply,
                wanted.and_then(|text| range(text, size)),
                size,
                &head.method,
            )
        }
        _ => reply.body(whole("")),
    }
}

fn give(
    reply: Builder,
    range: Option<Range<u64>>,
    size: u64,
    method: &Method,
) -> Result<Response<Body>, hyper::http::Error> {
    let (reply, range) = match range {
        None => (reply, 0..size),
        Some(range) => {
            let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let reply = reply.status(StatusCode::PARTIAL_CONTENT);
            (reply.header("Content-Range", text), range)
        }
    };
    let length = range.end - range.start;
    let reply = reply.header("Content-Length", length);
    match *method == Method::HEAD {
        true => reply.body(whole("")),
        false => reply.body(zeros(length)),
    }
}

fn range(text: &str, size: u64) -> Option<Range<u64>> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start = start.parse().ok()?;
    let end = end.parse::<u64>().map_or(size, |last| (last + 1).min(size));
    (start < end).then_some(start..end)
}

fn zeros(length: u64) -> Body {
    static ZEROS: [u8; PIECE as usize] = [0; PIECE as usize];
    let pieces = (0..length).step_by(PIECE as usize).map(move |start| {
        let piece = PIECE.min(length - start) as usize;
        Ok(Frame::data(Bytes::from_static(&ZEROS[..piece])))
    });
    StreamBody::new(stream::iter(pieces)).boxed_unsync()
}

fn whole(text: &'static str) -> Body {
    Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync()
}

const INITIATED: &str = "<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>large</Key>\
     <UploadId>1</UploadId></InitiateMultipartUploadResult>";
const COMPLETED: &str = "<CompleteMultipartUploadResult><Bucket>bucket</Bucket><Key>large</Key>\
     <ETag>&quot;0123456789abcdef0123456789abcdef-16&quot;</ETag></CompleteMultipartUploadResult>";
const EMPTY: &str = "<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount>\
     <IsTruncated>false</IsTruncated></ListBucketResult>";
