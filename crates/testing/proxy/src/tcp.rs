use std::io::Result;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::head::cut;
use crate::proxy::Shared;
use crate::{Fault, Request};

const BUFFER: usize = 64 << 10;

/// Both ends of a connection.
struct Pair {
    from_client: OwnedReadHalf,
    to_client: OwnedWriteHalf,
    from_server: OwnedReadHalf,
    to_server: OwnedWriteHalf,
}

/// Passes bytes both ways until either end has ended or a fault ends it.
pub(crate) async fn serve(client: TcpStream, shared: &Shared) -> Result<()> {
    let server = TcpStream::connect(shared.server).await?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut pair = Pair {
        from_client,
        to_client,
        from_server,
        to_server,
    };
    let (mut request, mut reply) = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        tokio::select! {
            read = pair.from_client.read(&mut request) => match read? {
                0 => return Ok(()),
                length => {
                    let bytes = &request[..length];
                    match shared.script.next(Request::tcp(bytes)) {
                        None => pair.to_server.write_all(bytes).await?,
                        Some(fault) => pair.suffer(fault, bytes).await?,
                    }
                }
            },
            read = pair.from_server.read(&mut reply) => match read? {
                0 => return Ok(()),
                length => pair.to_client.write_all(&reply[..length]).await?,
            },
        }
    }
}

impl Pair {
    async fn suffer(&mut self, fault: Fault, request: &[u8]) -> Result<()> {
        match fault {
            Fault::CutBefore => return Err(cut("before a request")),
            Fault::CutRequest(bytes) => {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                let part = &request[..request.len().min(bytes)];
                self.to_server.write_all(part).await?;
                return Err(cut("within a request"));
            }
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                return self.to_server.write_all(request).await;
            }
            Fault::Stall => return self.stall().await,
            Fault::Answer(answer) => return self.to_client.write_all(&answer.into_bytes()).await,
            Fault::LostReply
            | Fault::CutReply(_)
            | Fault::StallReply(_)
            | Fault::AnswerAfter(_) => {
                self.to_server.write_all(request).await?;
            }
            _ => {
                let text = format!("storage-proxy: {fault:?} is not for TCP\r\n");
                self.to_client.write_all(text.as_bytes()).await?;
                return Err(cut("for a fault that is not for it"));
            }
        }
        self.suffer_reply(fault).await
    }

    /// The faults that come when the request was sent.
    async fn suffer_reply(&mut self, fault: Fault) -> Result<()> {
        let (bytes, stalls) = match fault {
            Fault::CutReply(bytes) => (bytes, false),
            Fault::StallReply(bytes) => (bytes, true),
            fault => {
                let read = self.from_server.read(&mut vec![0; BUFFER]).await?;
                return match fault {
                    _ if read == 0 => Err(cut("before a reply")),
                    Fault::AnswerAfter(answer) => {
                        self.to_client.write_all(&answer.into_bytes()).await
                    }
                    _ => Err(cut("in place of a reply")),
                };
            }
        };
        copy(
            &mut (&mut self.from_server).take(bytes),
            &mut self.to_client,
        )
        .await?;
        match stalls {
            true => self.stall().await,
            false => Err(cut("within a reply")),
        }
    }

    /// Waits until the client ends the connection.
    async fn stall(&mut self) -> Result<()> {
        copy(&mut self.from_client, &mut sink()).await?;
        Err(cut("while it was stalled"))
    }
}
