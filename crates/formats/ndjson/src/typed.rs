use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::{Error, NdjsonReader};

/// A [`Stream`] of the values of the records of a [`NdjsonReader`].
///
/// A record that is no `T` is an error, and the stream goes on behind it. It ends behind an
/// error of the layer below.
pub struct JsonRecords<S, T> {
    reader: NdjsonReader<S>,
    values: PhantomData<fn() -> T>,
}

impl<S, T> JsonRecords<S, T> {
    pub(crate) const fn new(reader: NdjsonReader<S>) -> Self {
        Self {
            reader,
            values: PhantomData,
        }
    }

    /// The reader.
    pub const fn get_ref(&self) -> &NdjsonReader<S> {
        &self.reader
    }

    /// The reader again; nothing that it read ahead is lost.
    pub fn into_inner(self) -> NdjsonReader<S> {
        self.reader
    }
}

impl<S, T, E> Stream for JsonRecords<S, T>
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
        let value = ready!(self.reader.poll_json(cx));
        Poll::Ready(self.reader.item(value))
    }
}

impl<S: fmt::Debug, T> fmt::Debug for JsonRecords<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonRecords").field(&self.reader).finish()
    }
}
