use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::{ByteStream, Error, ErrorKind, Hashes, Result};

use crate::Hasher;

/// Passes a stream through and checks it against the digests kept with the object: where they
/// differ, the stream ends with `Corrupt`.
///
/// # Errors
/// `Unsupported` when there is no digest to check against.
pub fn verified(stream: ByteStream, expected: Hashes) -> Result<ByteStream> {
    let hasher = Hasher::new(expected.types());
    if hasher.is_idle() {
        return Err(Error::unsupported(
            "the object has no stored hash to verify against",
        ));
    }
    Ok(Box::pin(Verified {
        stream,
        expected,
        hasher: Some(hasher),
    }))
}

struct Verified {
    stream: ByteStream,
    expected: Hashes,
    hasher: Option<Hasher>,
}

impl Stream for Verified {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.stream.as_mut().poll_next(cx));
        if let (Some(Ok(chunk)), Some(hasher)) = (&next, &mut self.hasher) {
            hasher.update(chunk);
        }
        let Some(hasher) = self.hasher.take_if(|_| next.is_none()) else {
            return Poll::Ready(next);
        };
        let found = hasher.finish();
        Poll::Ready((found.matches(&self.expected) == Some(false)).then(|| {
            let message = format!("the bytes hash to {found:?}, not {:?}", self.expected);
            Err(Error::new(ErrorKind::Corrupt, message))
        }))
    }
}
