//! A server that answers each request as a script says, down to the byte.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use storage_core::Result;
use storage_http::{HttpBackend, HttpBuilder};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A request, as far as tests look at it. Names of headers are in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is sent, and whether the connection is closed or left open in silence.
pub(crate) struct Answer {
    bytes: Vec<u8>,
    silent: bool,
}

impl Answer {
    /// A status with headers and a body, whose length is told unless the headers tell one.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status} Scripted\r\nConnection: close\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !headers.iter().any(|(name, _)| *name == "Content-Length") {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        Self {
            bytes: [head.as_bytes(), body].concat(),
            silent: false,
        }
    }

    /// Nothing more comes after it, and the connection stays open.
    pub(crate) fn then_silence(mut self) -> Self {
        self.silent = true;
        self
    }

    pub(crate) fn silence() -> Self {
        Self {
            bytes: Vec::new(),
            silent: true,
        }
    }

    /// The connection is closed without an answer.
    pub(crate) fn hang_up() -> Self {
        Self {
            bytes: Vec::new(),
            silent: false,
        }
    }
}

type Script = dyn Fn(usize, &Asked) -> Answer + Send + Sync;

/// A running server; dropping it stops it.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// The script is given how many requests for objects came before, and the request. The one with
    /// which a backend opens is answered by itself, and does not count.
    pub(crate) async fn start(
        script: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Arc::default();
        let task = tokio::spawn(accept(listener, Arc::new(script), Arc::clone(&asked)));
        Ok(Self {
            address,
            asked,
            task,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn builder(&self) -> HttpBuilder {
        HttpBackend::builder(self.url())
    }

    /// The requests so far, but for those that open.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, script: Arc<Script>, asked: Arc<Mutex<Vec<Asked>>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&script), Arc::clone(&asked)));
    }
}

async fn converse(
    stream: TcpStream,
    script: Arc<Script>,
    asked: Arc<Mutex<Vec<Asked>>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = request(&mut stream).await?;
    let answer = if request.method == "HEAD" && request.path == "/" {
        Answer::new(200, &[], b"")
    } else {
        let count = {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(request.clone());
            asked.len() - 1
        };
        script(count, &request)
    };
    stream.write_all(&answer.bytes).await?;
    stream.flush().await?;
    if answer.silent {
        std::future::pending::<()>().await;
    }
    stream.shutdown().await
}

async fn request(stream: &mut BufReader<TcpStream>) -> std::io::Result<Asked> {
    let mut asked = Asked::default();
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split(' ').map(str::to_owned);
    asked.method = words.next().unwrap_or_default();
    asked.path = words.next().unwrap_or_default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(asked);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            return Ok(asked);
        };
        asked
            .headers
            .insert(name.to_ascii_lowercase(), value.to_owned());
    }
}

/// Bytes that differ from place to place.
pub(crate) fn content(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8)
        .collect()
}
