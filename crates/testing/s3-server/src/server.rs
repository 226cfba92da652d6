use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Result, s3_error};
use storage_core::{Backend, Error, Operation, Result};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::ServerOptions;
use crate::gateway::Gateway;
use crate::service::Service;

/// Connections served at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;

/// A running S3 server. Dropping it closes its port and connections.
pub struct S3Server {
    address: SocketAddr,
    gateway: Arc<Gateway>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl S3Server {
    /// Starts to serve `backend` on a free port of the loopback interface, on the current Tokio
    /// runtime. Leaves the backend open when it ends.
    ///
    /// # Errors
    /// `Unsupported` when the backend lacks metadata, ranged reads or atomic writes; `Config` for a
    /// bad bucket name; otherwise those of the backend and of the operating system.
    pub async fn start(backend: Arc<dyn Backend>, options: ServerOptions) -> Result<Self> {
        let key = Key {
            id: options.access_key_id.clone(),
            secret: options.secret_access_key.clone().into(),
        };
        let gateway = Gateway::open(backend, options).await?;
        let mut builder = S3ServiceBuilder::new(Service(Arc::clone(&gateway)));
        builder.set_auth(key);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, builder.build(), stop.clone()));
        Ok(Self {
            address,
            gateway,
            stop,
            serving,
        })
    }

    /// Where the server listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the server listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and all connections, and waits until what they began is done.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        // The task ends by the token; that it was aborted or panicked changes nothing here.
        let _ = (&mut self.serving).await;
        self.gateway.finish().await;
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for S3Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Accepts until stopped. The set of connections ends with this call, and with it they do.
async fn serve(listener: TcpListener, service: S3Service, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = connections.join_next() => continue,
            accepted = accept => accepted,
        };
        // A connection that could not be accepted is the client's failure to see.
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let service = service.clone();
        connections.spawn(async move {
            let _slot = slot;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            // A client that goes away in the middle is no failure of the server.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

struct Key {
    id: String,
    secret: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for Key {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.id {
            return Ok(self.secret.clone());
        }
        Err(s3_error!(InvalidAccessKeyId, "no such access key"))
    }
}

/// The error of a backend that cannot be served.
pub(crate) fn unfit(backend: &dyn Backend, lacks: &str) -> Error {
    let message = format!("a backend without {lacks} cannot be served as S3");
    Error::unsupported(message).on(Operation::Open, backend.name())
}
