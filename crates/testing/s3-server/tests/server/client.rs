//! A plain client: HTTP by hand, requests signed by version 4 without the body.

use std::sync::Arc;

use s3s::crypto::{Checksum as _, Sha256};
use s3s::dto::{Timestamp, TimestampFormat};
use storage_core::{BackendExt, ListOptions, ObjectInfo, Prefix};
use storage_memory::MemoryBackend;
use storage_s3_server::{S3Server, ServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server over a new store in memory, with the bucket `bucket`, and its client.
pub(crate) struct Client {
    pub(crate) backend: MemoryBackend,
    pub(crate) server: S3Server,
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut named = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What stands between all tags of this name.
    pub(crate) fn all(&self, tag: &str) -> Vec<String> {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let text = self.text();
        let pieces = text.split(&open).skip(1);
        let inner = pieces.filter_map(|piece| piece.split_once(&close));
        inner.map(|(inner, _)| inner.to_owned()).collect()
    }

    /// Status and error code.
    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status, self.all("Code").concat())
    }
}

impl Client {
    pub(crate) async fn new() -> Self {
        Self::over(MemoryBackend::builder().directories(false).build()).await
    }

    pub(crate) async fn over(backend: MemoryBackend) -> Self {
        let options = ServerOptions::new("key", "secret").bucket("bucket");
        let options = options.min_part_size(1 << 10).buffer(1 << 16);
        let server = S3Server::start(Arc::new(backend.clone()), options).await;
        Self {
            backend,
            server: server.unwrap(),
            key: "key",
            secret: "secret",
        }
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], b"").await
    }

    pub(crate) async fn put(&self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.send("PUT", target, headers, body).await
    }

    /// Sends a signed request for `bucket` and what follows it, such as `/key?query`.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let payload = headers
            .iter()
            .find(|(name, _)| *name == "x-amz-content-sha256");
        let payload = payload.map_or("UNSIGNED-PAYLOAD", |(_, payload)| payload);
        let mut head = self.head(method, target, payload);
        for (name, value) in headers {
            if *name != "x-amz-content-sha256" {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        self.exchange([head.as_bytes(), body].concat()).await
    }

    /// The head of a signed request, without its end.
    pub(crate) fn head(&self, method: &str, target: &str, payload: &str) -> String {
        let host = self.server.address();
        let date = now();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut query: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                if pair.contains('=') {
                    pair.to_owned()
                } else {
                    format!("{pair}=")
                }
            })
            .collect();
        query.sort();
        let signed = "host;x-amz-content-sha256;x-amz-date";
        let request = format!(
            "{method}\n/bucket{path}\n{}\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{date}\n\n{signed}\n{payload}",
            query.join("&"),
        );
        let (scope, signature) = self.sign(&date, &request);
        let key = self.key;
        format!(
            "{method} /bucket{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-amz-date: {date}\r\n\
             x-amz-content-sha256: {payload}\r\nauthorization: AWS4-HMAC-SHA256 Credential={key}/{scope}, \
             SignedHeaders={signed}, Signature={signature}\r\n",
        )
    }

    /// A URL's path and query that read an object for `seconds` from a moment on.
    pub(crate) fn presigned(&self, path: &str, date: &str, seconds: u32) -> String {
        let host = self.server.address();
        let day = &date[..8];
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{day}%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date={date}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host",
            self.key,
        );
        let request = format!("GET\n/bucket{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let (_, signature) = self.sign(date, &request);
        format!("/bucket{path}?{query}&X-Amz-Signature={signature}")
    }

    /// Scope and signature of a canonical request.
    fn sign(&self, date: &str, request: &str) -> (String, String) {
        let day = &date[..8];
        let scope = format!("{day}/us-east-1/s3/aws4_request");
        let digest = hex(&Sha256::checksum(request.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        let mut key = hmac(format!("AWS4{}", self.secret).as_bytes(), day.as_bytes());
        for step in ["us-east-1", "s3", "aws4_request", &text] {
            key = hmac(&key, step.as_bytes());
        }
        (scope, hex(&key))
    }

    pub(crate) async fn exchange(&self, request: Vec<u8>) -> Reply {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(&request).await.unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.unwrap();
        let end = reply
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(reply[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = reply.split_off(end + 4);
        Reply { status, head, body }
    }

    /// Every object of the backend, the server's own among them.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let options = ListOptions::default().recursive(true);
        let entries = self
            .backend
            .entries(Prefix::root(), options)
            .collect()
            .await;
        let entries: Vec<ObjectInfo> = entries.unwrap();
        entries.iter().map(ObjectInfo::listing_key).collect()
    }

    /// Requires that the backend holds these objects of the bucket, and nothing temporary.
    pub(crate) async fn holds_only(&self, keys: &[&str]) {
        let mut expected = vec![".omnistorage-s3/buckets/bucket".to_owned()];
        expected.extend(keys.iter().map(|key| format!("bucket/{key}")));
        assert_eq!(self.objects().await, expected);
    }

    pub(crate) async fn content(&self, key: &str) -> Vec<u8> {
        let content = self.backend.get(format!("bucket/{key}")).await;
        content.unwrap().to_vec()
    }
}

/// The present moment as signatures have it.
pub(crate) fn now() -> String {
    amz_date(std::time::SystemTime::now())
}

pub(crate) fn amz_date(time: std::time::SystemTime) -> String {
    let mut text = Vec::new();
    let time = Timestamp::from(time);
    time.format(TimestampFormat::DateTime, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap().replace(['-', ':'], "");
    format!("{}Z", &text[..15])
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad).to_vec();
    let inner = Sha256::checksum(&[padded(0x36), text.to_vec()].concat());
    Sha256::checksum(&[padded(0x5c), inner.to_vec()].concat())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (at % 251) as u8 ^ (at >> 12) as u8)
        .collect()
}
