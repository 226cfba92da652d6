use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::Error;

use crate::{Decode, FormatReader};

/// A [`Stream`] of the values of the records of a [`FormatReader`].
///
/// A record that is no `T` is an error, and the stream goes on behind it. It ends behind an error
/// that nothing can follow.
pub struct Values<S, D: Decode, T> {
    reader: FormatReader<S, D>,
    next: Next<D, T>,
}

type Next<D, T> = fn(&mut D) -> Result<Option<T>, <D as Decode>::Error>;

impl<S, D: Decode, T> Values<S, D, T> {
    pub(crate) const fn new(reader: FormatReader<S, D>, next: Next<D, T>) -> Self {
        Self { reader, next }
    }

    /// The reader.
    pub const fn get_ref(&self) -> &FormatReader<S, D> {
        &self.reader
    }

    /// The reader again; nothing that it read ahead is lost.
    pub fn into_inner(self) -> FormatReader<S, D> {
        self.reader
    }
}

impl<S, E, D, T> Stream for Values<S, D, T>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Error>,
    D: Decode + Unpin,
{
    type Item = Result<T, D::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.reader.has_failed() {
            return Poll::Ready(None);
        }
        this.reader.poll_with(cx, this.next).map(Result::transpose)
    }
}

impl<S: fmt::Debug, D: Decode + fmt::Debug, T> fmt::Debug for Values<S, D, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Values").field(&self.reader).finish()
    }
}
