use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest head that passes.
const LONGEST: u64 = 256 << 10;

/// The first line and the headers of a request or reply.
#[derive(Debug)]
pub(crate) struct Head {
    /// The first line, without its end.
    first: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// The header lines as they came, but for those about the connection.
    lines: Vec<u8>,
    /// Whether the sender ends the connection after this message.
    closes: bool,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    /// With the connection.
    Close,
}

impl Head {
    /// Reads one; none where the connection has ended before it.
    pub(crate) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Self>> {
        let mut reader = reader.take(LONGEST);
        let first = match line(&mut reader).await? {
            first if first.is_empty() => return Ok(None),
            first => text(&first),
        };
        let mut head = Self {
            closes: first.contains("HTTP/1.0"),
            first,
            headers: Vec::new(),
            lines: Vec::new(),
        };
        loop {
            let line = line(&mut reader).await?;
            match text(&line) {
                end if line.ends_with(b"\n") && end.is_empty() => return Ok(Some(head)),
                _ if !line.ends_with(b"\n") => return Err(cut("within a head")),
                text => head.add(&line, &text)?,
            }
        }
    }

    fn add(&mut self, line: &[u8], text: &str) -> Result<()> {
        let malformed = || Error::new(ErrorKind::InvalidData, format!("no header: {text:?}"));
        let (name, value) = text.split_once(':').ok_or_else(malformed)?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "connection" => self.closes |= value.eq_ignore_ascii_case("close"),
            "keep-alive" => {}
            _ => self.lines.extend_from_slice(line),
        }
        self.headers.push((name, value.to_owned()));
        Ok(())
    }

    pub(crate) fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// The status of a reply.
    pub(crate) fn status(&self) -> u16 {
        self.target().parse().unwrap_or(0)
    }

    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) const fn closes(&self) -> bool {
        self.closes
    }

    /// How the body of a request ends.
    pub(crate) fn request_framing(&self) -> Framing {
        self.framing().unwrap_or(Framing::Length(0))
    }

    /// How the body of a reply to a request of this method ends.
    pub(crate) fn reply_framing(&self, method: &str) -> Framing {
        match self.status() {
            100..200 | 204 | 304 => Framing::Length(0),
            _ if method == "HEAD" => Framing::Length(0),
            _ => self.framing().unwrap_or(Framing::Close),
        }
    }

    fn framing(&self) -> Option<Framing> {
        let coding = self.header("transfer-encoding").unwrap_or_default();
        if coding.to_ascii_lowercase().ends_with("chunked") {
            return Some(Framing::Chunked);
        }
        let length = self.header("content-length")?.parse().ok()?;
        Some(Framing::Length(length))
    }

    /// As it is sent on; `own` are header lines of the proxy.
    pub(crate) fn to_bytes(&self, own: &str) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.first).into_bytes();
        bytes.extend_from_slice(&self.lines);
        bytes.extend_from_slice(own.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// As it is sent on with another `Content-Length`.
    pub(crate) fn with_length(&self, length: u64) -> Vec<u8> {
        let lines = self.lines.split_inclusive(|byte| *byte == b'\n');
        let is_length = |line: &[u8]| {
            text(line)
                .to_ascii_lowercase()
                .starts_with("content-length:")
        };
        let kept: Vec<_> = lines.filter(|line| !is_length(line)).collect();
        let mut bytes = format!("{}\r\nContent-Length: {length}\r\n", self.first).into_bytes();
        bytes.extend(kept.concat());
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

async fn line(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).await?;
    Ok(line)
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line)
        .trim_end_matches(['\r', '\n'])
        .to_owned()
}

pub(crate) fn cut(place: &str) -> Error {
    Error::new(
        ErrorKind::UnexpectedEof,
        format!("the connection ended {place}"),
    )
}
