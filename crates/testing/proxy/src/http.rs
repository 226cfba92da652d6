use std::io::Result;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWriteExt, BufReader, copy_buf, sink};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::body::{corrupt, pass};
use crate::head::{Framing, Head, cut};
use crate::proxy::Shared;
use crate::{Answer, Fault, Request};

/// The longest body that is held, to be sent twice.
const LONGEST: u64 = 64 << 20;

const BUFFER: usize = 64 << 10;

/// Whether a connection goes on.
enum Then {
    Next,
    /// Ends once the client, which may still be sending, has seen the reply.
    End,
}

/// Serves the requests of a connection; an error ends it.
pub(crate) async fn serve(client: TcpStream, shared: &Shared) -> Result<()> {
    let (reader, writer) = client.into_split();
    let mut client = Client {
        reader: BufReader::with_capacity(BUFFER, reader),
        writer,
    };
    while let Some(head) = Head::read(&mut client.reader).await? {
        let request = Request::http(head.method(), head.target(), head.headers());
        let fault = shared.script.next(request);
        let server = shared.server;
        let exchange = Exchange {
            client: &mut client,
            head,
            server,
        };
        if let Then::End = exchange.run(fault).await? {
            return client.linger().await;
        }
    }
    Ok(())
}

struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Client {
    /// Says that nothing more comes, and takes what the client still sends, lest the system cut off
    /// what it has not read.
    async fn linger(mut self) -> Result<()> {
        self.writer.shutdown().await?;
        self.stall().await
    }

    /// Waits until the client ends the connection.
    async fn stall(&mut self) -> Result<()> {
        copy_buf(&mut self.reader, &mut sink()).await.map(drop)
    }
}

/// A reply of the server of which the head was read.
struct Reply {
    head: Head,
    framing: Framing,
    reader: BufReader<OwnedReadHalf>,
    /// Held until the reply is over: some servers take a connection half closed for one closed. None
    /// when the server answered before it had the whole request.
    writer: Option<OwnedWriteHalf>,
}

impl Reply {
    /// The length of the body, where it is announced and comes.
    fn length(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(length) if length > 0 => Some(length),
            _ => None,
        }
    }

    async fn discard(mut self) -> Result<()> {
        pass(&mut self.reader, &mut sink(), self.framing).await
    }

    fn then(&self) -> Then {
        match self.writer.is_none() || self.framing == Framing::Close {
            true => Then::End,
            false => Then::Next,
        }
    }
}

/// One request of a client, of which the head was read.
struct Exchange<'a> {
    client: &'a mut Client,
    head: Head,
    server: SocketAddr,
}

impl Exchange<'_> {
    async fn run(mut self, fault: Option<Fault>) -> Result<Then> {
        let closes = self.head.closes();
        let then = match fault {
            None => self.forward().await,
            Some(fault) => self.suffer(fault).await,
        }?;
        Ok(if closes { Then::End } else { then })
    }

    async fn suffer(&mut self, fault: Fault) -> Result<Then> {
        match fault {
            Fault::CutBefore => Err(cut("before a request")),
            Fault::CutRequest(bytes) => self.cut_request(bytes).await,
            Fault::CorruptRequest(offset) => self.corrupt_request(offset).await,
            Fault::LostReply => {
                self.send().await?.discard().await?;
                Err(cut("in place of a reply"))
            }
            Fault::CutReply(bytes) => self.begin_reply(bytes).await,
            Fault::StallReply(bytes) => {
                // The error is the body that is not over.
                let _ = self.begin_reply(bytes).await;
                self.client.stall().await.map(|()| Then::End)
            }
            Fault::PauseReply(bytes, time) => self.pause_reply(bytes, time).await,
            Fault::Truncate(bytes) => self.truncate(bytes).await,
            Fault::CorruptReply(offset) => self.corrupt_reply(offset).await,
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                self.forward().await
            }
            Fault::Stall => self.client.stall().await.map(|()| Then::End),
            Fault::Duplicate => self.duplicate().await,
            Fault::Answer(answer) => self.answer(&answer).await,
            Fault::AnswerAfter(answer) => {
                let reply = self.send().await?;
                let then = reply.then();
                reply.discard().await?;
                self.give(&answer).await.map(|()| then)
            }
        }
    }

    async fn forward(&mut self) -> Result<Then> {
        let reply = self.send().await?;
        self.pass_on(reply).await
    }

    async fn pass_on(&mut self, mut reply: Reply) -> Result<Then> {
        self.client
            .writer
            .write_all(&reply.head.to_bytes(""))
            .await?;
        pass(&mut reply.reader, &mut self.client.writer, reply.framing).await?;
        Ok(reply.then())
    }

    /// Sends the request and reads the head of the reply.
    async fn send(&mut self) -> Result<Reply> {
        let framing = self.head.request_framing();
        let Client { reader, writer } = &mut *self.client;
        send(self.server, &self.head, (reader, framing), writer).await
    }

    async fn cut_request(&mut self, bytes: u64) -> Result<Then> {
        let framing = self.head.request_framing();
        let mut body = (&mut self.client.reader).take(bytes);
        let writer = &mut self.client.writer;
        let server = connect(self.server).await?;
        let (_reader, mut to_server) = server.into_split();
        to_server.write_all(&self.head.to_bytes(CLOSE)).await?;
        if self.head.header("expect").is_some() {
            writer.write_all(CONTINUE).await?;
        }
        let _ = pass(&mut body, &mut to_server, framing).await;
        Err(cut("within a request"))
    }

    async fn corrupt_request(&mut self, offset: u64) -> Result<Then> {
        let Some(mut body) = self.body(offset.saturating_add(1)).await? else {
            return self
                .refuse("the request has no such byte, or no Content-Length")
                .await;
        };
        if let Some(byte) = usize::try_from(offset).ok().and_then(|at| body.get_mut(at)) {
            *byte = !*byte;
        }
        let reply = self.send_held(&body).await?;
        self.pass_on(reply).await
    }

    async fn duplicate(&mut self) -> Result<Then> {
        let Some(body) = self.body(0).await? else {
            return self
                .refuse("the request has no Content-Length of at most 64 MiB")
                .await;
        };
        self.send_held(&body).await?.discard().await?;
        let reply = self.send_held(&body).await?;
        self.pass_on(reply).await
    }

    /// The body of the request, of a known length from `least` to [`LONGEST`].
    async fn body(&mut self, least: u64) -> Result<Option<Vec<u8>>> {
        let framing = self.head.request_framing();
        match framing {
            Framing::Length(length) if (least..=LONGEST).contains(&length) => {}
            _ => return Ok(None),
        }
        if self.head.header("expect").is_some() {
            self.client.writer.write_all(CONTINUE).await?;
        }
        let mut body = Vec::new();
        pass(&mut self.client.reader, &mut body, framing).await?;
        Ok(Some(body))
    }

    async fn send_held(&mut self, mut body: &[u8]) -> Result<Reply> {
        let framing = self.head.request_framing();
        let body = (&mut body, framing);
        send(self.server, &self.head, body, &mut self.client.writer).await
    }

    /// Passes the head and some bytes of the body, then fails.
    async fn begin_reply(&mut self, bytes: u64) -> Result<Then> {
        let mut reply = self.send().await?;
        self.client
            .writer
            .write_all(&reply.head.to_bytes(""))
            .await?;
        let mut body = (&mut reply.reader).take(bytes);
        // It ends too early, which is the point.
        let _ = pass(&mut body, &mut self.client.writer, reply.framing).await;
        Err(cut("within a reply"))
    }

    async fn pause_reply(&mut self, bytes: u64, time: Duration) -> Result<Then> {
        let mut reply = self.send().await?;
        let Some(length) = reply.length() else {
            return self
                .refuse("the reply has no body with Content-Length")
                .await;
        };
        let first = Framing::Length(length.min(bytes));
        let rest = Framing::Length(length.saturating_sub(bytes));
        let writer = &mut self.client.writer;
        writer.write_all(&reply.head.to_bytes("")).await?;
        pass(&mut reply.reader, writer, first).await?;
        tokio::time::sleep(time).await;
        pass(&mut reply.reader, writer, rest).await?;
        Ok(reply.then())
    }

    async fn truncate(&mut self, bytes: u64) -> Result<Then> {
        let mut reply = self.send().await?;
        let Some(length) = reply.length() else {
            return self
                .refuse("the reply has no body with Content-Length")
                .await;
        };
        let length = length.min(bytes);
        self.client
            .writer
            .write_all(&reply.head.with_length(length))
            .await?;
        let framing = Framing::Length(length);
        pass(&mut reply.reader, &mut self.client.writer, framing).await?;
        Ok(reply.then())
    }

    async fn corrupt_reply(&mut self, offset: u64) -> Result<Then> {
        let mut reply = self.send().await?;
        let Some(length) = reply.length().filter(|length| offset < *length) else {
            return self
                .refuse("the reply has no such byte, or no Content-Length")
                .await;
        };
        self.client
            .writer
            .write_all(&reply.head.to_bytes(""))
            .await?;
        corrupt(&mut reply.reader, &mut self.client.writer, length, offset).await?;
        Ok(reply.then())
    }

    /// Answers without sending the request.
    async fn answer(&mut self, answer: &Answer) -> Result<Then> {
        // One that asks whether it may send its body has not sent it.
        if self.head.header("expect").is_some() {
            self.give(answer).await?;
            return Ok(Then::End);
        }
        let framing = self.head.request_framing();
        pass(&mut self.client.reader, &mut sink(), framing).await?;
        self.give(answer).await.map(|()| Then::Next)
    }

    /// Says that the fault is not for this exchange, so that a test does not pass without it.
    async fn refuse(&mut self, reason: &str) -> Result<Then> {
        let answer = Answer::new(501).body(format!("storage-proxy: {reason}"));
        self.give(&answer).await.map(|()| Then::End)
    }

    async fn give(&mut self, answer: &Answer) -> Result<()> {
        let bytes = answer.to_http(self.head.method() == "HEAD");
        self.client.writer.write_all(&bytes).await
    }
}

/// Each request has a connection of its own to the server, so that the end of a reply is plain.
const CLOSE: &str = "Connection: close\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

async fn connect(server: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads the head of the reply, which may come before the body was sent.
async fn send(
    server: SocketAddr,
    head: &Head,
    (body, framing): (&mut (impl AsyncBufRead + Unpin), Framing),
    client: &mut OwnedWriteHalf,
) -> Result<Reply> {
    let (reader, mut writer) = connect(server).await?.into_split();
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    writer.write_all(&head.to_bytes(CLOSE)).await?;
    // Drops the writer, and so ends the request, when the client has ended.
    let mut body = pin!(async move { pass(body, &mut writer, framing).await.map(|()| writer) });
    let (reply, writer) = {
        let mut reply = pin!(reply_head(&mut reader, client));
        tokio::select! {
            biased;
            writer = &mut body => (reply.await?, writer.ok()),
            reply = &mut reply => (reply?, None),
        }
    };
    let framing = reply.reply_framing(head.method());
    Ok(Reply {
        head: reply,
        framing,
        reader,
        writer,
    })
}

/// Reads the head of a reply, and passes those on that only say to go on.
async fn reply_head(
    reader: &mut BufReader<OwnedReadHalf>,
    client: &mut OwnedWriteHalf,
) -> Result<Head> {
    loop {
        let head = Head::read(reader)
            .await?
            .ok_or_else(|| cut("before a reply"))?;
        match head.status() {
            100..200 => client.write_all(&head.to_bytes("")).await?,
            _ => return Ok(head),
        }
    }
}
