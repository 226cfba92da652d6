use std::time::Duration;

/// What happens to a request that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Ends the connection; the server never sees the request.
    CutBefore,
    /// Sends the head of the request and this many bytes of its body, then ends both connections.
    /// Over TCP, this many bytes of the request.
    CutRequest(u64),
    /// Sends the request, waits for the whole reply and ends the connection in its place: the
    /// request was performed, the client cannot know. Over TCP, waits for the first bytes of it.
    LostReply,
    /// Ends the connection after the head of the reply and this many bytes of its body. Over TCP,
    /// after this many bytes of the reply.
    CutReply(u64),
    /// Passes a reply that is complete in itself but has no more than this many bytes of the body:
    /// `Content-Length` is changed accordingly. HTTP alone.
    Truncate(u64),
    /// Inverts the byte of the reply's body at this offset. HTTP alone.
    CorruptReply(u64),
    /// Inverts the byte of the request's body at this offset. HTTP alone, for bodies with
    /// `Content-Length`.
    CorruptRequest(u64),
    /// Waits before sending the request.
    Delay(Duration),
    /// Takes the request and neither sends it nor answers, until the client ends the connection.
    Stall,
    /// Passes the head of the reply and this many bytes of its body, then nothing more until the
    /// client ends the connection. Over TCP, this many bytes of the reply.
    StallReply(u64),
    /// Passes the head of the reply and this many bytes of its body, waits, and passes the rest. HTTP
    /// alone, for bodies with `Content-Length`.
    PauseReply(u64, Duration),
    /// Sends the request twice, one after the other, and passes the second reply. HTTP alone, for
    /// bodies up to 64 MiB with `Content-Length`.
    Duplicate,
    /// Takes the request and answers; the server never sees it.
    Answer(Answer),
    /// Sends the request, waits for the whole reply and gives another one: the request was performed,
    /// the client is told something else. Over TCP, waits for the first bytes of it.
    AnswerAfter(Answer),
}

/// A reply of the proxy itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// A reply with this status, no header but `Content-Length`, and no body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Bytes as they are, for [`Proxy::tcp`](crate::Proxy::tcp): `-LOADING try later\r\n`.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(200).body(bytes)
    }

    /// Adds a header, such as `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body, such as the XML of an error in a reply of status 200.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The body alone.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// The whole reply; to a `HEAD` without the body.
    pub(crate) fn to_http(&self, to_head: bool) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} Injected\r\n", self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = text.into_bytes();
        if !to_head {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}
