use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::{CsvReader, Decoder, Error};

/// A [`Stream`] of the values of the rows of a [`CsvReader`].
///
/// A row that is no `T` is an error, and the stream goes on behind it. It ends behind an error that
/// nothing can follow.
pub struct TypedRows<S, T> {
    reader: CsvReader<S>,
    values: PhantomData<fn() -> T>,
}

impl<S, T> TypedRows<S, T> {
    pub(crate) const fn new(reader: CsvReader<S>) -> Self {
        Self {
            reader,
            values: PhantomData,
        }
    }

    /// The reader.
    pub const fn get_ref(&self) -> &CsvReader<S> {
        &self.reader
    }

    /// The reader again; nothing that it read ahead is lost.
    pub fn into_inner(self) -> CsvReader<S> {
        self.reader
    }
}

impl<S, T, E> Stream for TypedRows<S, T>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    T: DeserializeOwned,
    E: Into<storage_core::Error>,
{
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.reader.has_failed() {
            return Poll::Ready(None);
        }
        let value = ready!(self.reader.poll_with(cx, Decoder::next_typed));
        Poll::Ready(self.reader.item(value))
    }
}

impl<S: fmt::Debug, T> fmt::Debug for TypedRows<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedRows").field(&self.reader).finish()
    }
}
