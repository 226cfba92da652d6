use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use crate::reader::ByteStream;
use crate::{Error, ErrorKind, Result};

/// The whole content of a write: bytes, a rope of bytes, or something that can be streamed again
/// and again, such as a part of a file.
///
/// Cloning is cheap, so a retry can replay a payload and a fan-out can share it.
#[derive(Clone)]
pub struct Payload(Content);

#[derive(Clone)]
enum Content {
    Bytes(Bytes),
    Rope(Arc<[Bytes]>, u64),
    Source(Arc<dyn PayloadSource>),
}

/// Content of known length that can be streamed any number of times.
pub trait PayloadSource: Send + Sync + 'static {
    /// Bytes in all.
    fn len(&self) -> u64;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A new stream of all the bytes.
    fn stream(&self) -> ByteStream;

    /// The file and the range of it that hold the bytes, for backends that can copy within the
    /// operating system.
    fn file(&self) -> Option<(&File, Range<u64>)> {
        None
    }
}

impl Payload {
    /// Content from a source that can be streamed repeatedly.
    #[must_use]
    pub fn from_source(source: Arc<dyn PayloadSource>) -> Self {
        Self(Content::Source(source))
    }

    /// Bytes in all.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.0 {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Rope(_, len) => *len,
            Content::Source(source) => source.len(),
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces in order, when the content is in memory.
    #[must_use]
    pub fn as_slices(&self) -> Option<&[Bytes]> {
        match &self.0 {
            Content::Bytes(bytes) => Some(std::slice::from_ref(bytes)),
            Content::Rope(rope, _) => Some(rope),
            Content::Source(_) => None,
        }
    }

    /// The file and range that hold the content, when it is in a file.
    #[must_use]
    pub fn as_file(&self) -> Option<(&File, Range<u64>)> {
        match &self.0 {
            Content::Source(source) => source.file(),
            Content::Bytes(_) | Content::Rope(..) => None,
        }
    }

    /// A new stream of the content.
    #[must_use]
    pub fn stream(&self) -> ByteStream {
        match &self.0 {
            Content::Bytes(bytes) => Box::pin(Pieces(std::slice::from_ref(bytes).into(), 0)),
            Content::Rope(rope, _) => Box::pin(Pieces(Arc::clone(rope), 0)),
            Content::Source(source) => source.stream(),
        }
    }

    /// The content in one piece; without a copy when it is one piece already.
    ///
    /// # Errors
    /// Those of the source; [`ErrorKind::Corrupt`] when it gives another number of bytes than it said.
    pub async fn to_bytes(&self) -> Result<Bytes> {
        match &self.0 {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::Rope(rope, len) => {
                let mut all = BytesMut::with_capacity(usize::try_from(*len).unwrap_or(0));
                rope.iter().for_each(|piece| all.extend_from_slice(piece));
                Ok(all.freeze())
            }
            Content::Source(source) => {
                let mut all = BytesMut::new();
                let mut stream = source.stream();
                while let Some(chunk) = next(&mut stream).await {
                    all.extend_from_slice(&chunk?);
                }
                if all.len() as u64 != source.len() {
                    return Err(Error::new(
                        ErrorKind::Corrupt,
                        format!("the source gave {} bytes of {}", all.len(), source.len()),
                    ));
                }
                Ok(all.freeze())
            }
        }
    }
}

/// The next chunk of a stream.
pub(crate) async fn next(stream: &mut ByteStream) -> Option<Result<Bytes>> {
    std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await
}

struct Pieces(Arc<[Bytes]>, usize);

impl Stream for Pieces {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = self.0.get(self.1).cloned();
        self.1 += 1;
        Poll::Ready(piece.map(Ok))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Content::Bytes(_) => "bytes",
            Content::Rope(..) => "rope",
            Content::Source(_) => "source",
        };
        f.debug_struct("Payload")
            .field("kind", &kind)
            .field("len", &self.len())
            .finish()
    }
}

impl Default for Payload {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Bytes(bytes))
    }
}

impl From<Vec<Bytes>> for Payload {
    fn from(rope: Vec<Bytes>) -> Self {
        let len = rope.iter().map(|piece| piece.len() as u64).sum();
        Self(Content::Rope(rope.into(), len))
    }
}

macro_rules! from_bytes_like {
    ($($type:ty),+) => {
        $(impl From<$type> for Payload {
            fn from(content: $type) -> Self {
                Bytes::from(content).into()
            }
        })+
    };
}

from_bytes_like!(Vec<u8>, String, &'static str, &'static [u8], BytesMut);
