use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::script::Script;
use crate::{Fault, Request, When, http, tcp};

/// How many connections there may be at once; more wait to be taken.
const CONNECTIONS: usize = 1024;

/// How long nothing is taken after taking a connection failed.
const PAUSE: Duration = Duration::from_millis(10);

/// A proxy on a loopback port in front of one server.
///
/// It runs on the tokio runtime that it was started on, until it is dropped.
pub struct Proxy {
    own: SocketAddr,
    scheme: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the proxy's connections have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) server: SocketAddr,
    pub(crate) script: Script,
    is_http: bool,
    down: watch::Sender<bool>,
}

impl Proxy {
    /// Starts one in front of a server that speaks HTTP/1.1: `http://host:port`, or `host:port`.
    /// What comes after the port is ignored, so that an endpoint or a server's address do.
    ///
    /// An error if the address has another scheme or no port, or its host cannot be resolved.
    pub async fn http(server: &str) -> Result<Self> {
        match server.split_once("://") {
            None | Some(("http", _)) => Self::start(server, "http", true).await,
            Some((scheme, _)) => {
                let message = format!("{server:?}: {scheme} is not http");
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
        }
    }

    /// Starts one in front of a server of any protocol without TLS: `redis://host:port/…`, or
    /// `host:port`.
    ///
    /// An error if the address has no port or its host cannot be resolved.
    pub async fn tcp(server: &str) -> Result<Self> {
        let scheme = server.split_once("://").map_or("tcp", |(scheme, _)| scheme);
        Self::start(server, scheme, false).await
    }

    async fn start(server: &str, scheme: &str, is_http: bool) -> Result<Self> {
        let address = server.split_once("://").map_or(server, |(_, rest)| rest);
        let address = address.split('/').next().unwrap_or(address);
        let missing = || Error::new(ErrorKind::NotFound, format!("{address:?} has no address"));
        let shared = Arc::new(Shared {
            server: lookup_host(address).await?.next().ok_or_else(missing)?,
            script: Script::default(),
            is_http,
            down: watch::Sender::new(false),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            own: listener.local_addr()?,
            scheme: scheme.to_owned(),
            task: tokio::spawn(listen(listener, Arc::clone(&shared))),
            shared,
        })
    }

    /// Where it listens, `127.0.0.1:PORT`.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.own
    }

    /// Where it listens, `http://127.0.0.1:PORT`; over TCP with the scheme of the server's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.own)
    }

    /// Adds a rule, after those there are.
    pub fn rule(&self, when: When, fault: Fault) {
        self.shared.script.add(when, fault);
    }

    /// Forgets all rules and requests.
    pub fn clear(&self) {
        self.shared.script.clear();
    }

    /// The requests so far, in the order in which they came, each with what was done to it; no more
    /// than the first 262,144.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.script.requests()
    }

    /// How many of [`requests`](Self::requests) are of a kind; which of them is not looked at.
    #[must_use]
    pub fn count(&self, when: &When) -> usize {
        self.shared.script.count(when)
    }

    /// How many rules with an end have not come to it: 0 once every fault has happened.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.shared.script.pending()
    }

    /// Ends all connections, and new ones as they come, until it is called with `false`: as a server
    /// that restarts.
    pub fn set_down(&self, down: bool) {
        self.shared.down.send_replace(down);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("own", &self.own)
            .field("server", &self.shared.server)
            .finish_non_exhaustive()
    }
}

/// Takes connections; ends them all when it is aborted.
async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        let Ok((stream, _)) = listener.accept().await else {
            // No file descriptor left, or a connection that has ended meanwhile.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&shared)));
    }
}

/// Serves a connection until it ends or the proxy goes down.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut down = shared.down.subscribe();
    let work = async {
        let _ = client.set_nodelay(true);
        match shared.is_http {
            true => http::serve(client, &shared).await,
            false => tcp::serve(client, &shared).await,
        }
    };
    tokio::select! {
        biased;
        _ = down.wait_for(|down| *down) => {}
        // However a connection ended, the client sees that it did.
        _ = work => {}
    }
}
