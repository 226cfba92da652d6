use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use crate::call::Progress;

/// Most bytes handed to the connection at once, so that progress shows on a slow line.
const PIECE: usize = 256 * 1024;

/// A request's body: pieces in memory that are shared and never copied.
struct Rope {
    pieces: std::vec::IntoIter<Bytes>,
    current: Bytes,
    left: u64,
    progress: Progress,
}

impl Body for Rope {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.progress.moved();
        while self.current.is_empty() {
            match self.pieces.next() {
                Some(piece) => self.current = piece,
                None => return Poll::Ready(None),
            }
        }
        let count = self.current.len().min(PIECE);
        let piece = self.current.split_to(count);
        self.left = self.left.saturating_sub(count as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Bytes in all.
pub(crate) fn length(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

/// The pieces in one.
pub(crate) fn joined(pieces: &[Bytes]) -> Bytes {
    match pieces {
        [] => Bytes::new(),
        [one] => one.clone(),
        many => {
            let mut all = BytesMut::with_capacity(many.iter().map(Bytes::len).sum());
            many.iter().for_each(|piece| all.extend_from_slice(piece));
            all.freeze()
        }
    }
}

/// A body of the pieces. One that is signed has to be in one piece.
pub(crate) fn body(pieces: &[Bytes], signed: bool, progress: &Progress) -> ByteStream {
    if signed || pieces.is_empty() {
        return ByteStream::new(SdkBody::from(joined(pieces)));
    }
    ByteStream::new(SdkBody::from_body_1_x(Rope {
        left: length(pieces),
        pieces: Vec::from(pieces).into_iter(),
        current: Bytes::new(),
        progress: progress.clone(),
    }))
}
