use std::io;
use std::sync::Arc;

use ::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tonic::body::Body;

use crate::emulator::Shared;
use crate::fault::{Call, Fault};
use crate::{grpc, http};

/// Either an answer, or the end of the connection.
pub(crate) type Reply = io::Result<Response<Body>>;

/// Serves connections until it is dropped, and them with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, Arc::clone(&shared)));
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Answers are small; without this each waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    let builder = Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A client that goes away is no failure of the server's.
    let _ = connection.await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Reply {
    let content_type = request.headers().get("content-type");
    if content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        return grpc::answer(request, shared).await;
    }
    http::answer(request, shared).await
}

/// Counts a call. Gives the fault that the call itself has to act out, the status of one that
/// answers in its place, and does not come back from one that never answers.
pub(crate) async fn fault_of(shared: &Shared, call: Call) -> Result<Option<Fault>, u16> {
    let fault = shared.faults().next(call);
    match fault {
        Some(Fault::Status(status)) => Err(status),
        Some(Fault::Hang) => std::future::pending().await,
        fault => Ok(fault),
    }
}

/// The end of a connection in place of an answer.
pub(crate) fn lost() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the reply is lost")
}
