use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::{Error, LengthPrefixedReader};

impl<S, E> LengthPrefixedReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    /// Waits for the next record and parses it as JSON; `None` at the end.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), and [`Error::InvalidJson`] where the record is no `T`.
    pub async fn read_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        std::future::poll_fn(|cx| self.poll_json(cx)).await
    }

    fn poll_json<T: DeserializeOwned>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<T>, Error>> {
        loop {
            if let Some(value) = self.decoder.next_json()? {
                return Poll::Ready(Ok(Some(value)));
            }
            if !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// A stream of the values of the records.
    #[must_use]
    pub const fn into_json<T: DeserializeOwned>(self) -> JsonRecords<S, T> {
        JsonRecords::new(self)
    }
}

/// A [`Stream`] of the values of the records of a [`LengthPrefixedReader`].
///
/// A record that is no `T` is an error, and the stream goes on behind it.
pub struct JsonRecords<S, T> {
    reader: LengthPrefixedReader<S>,
    values: PhantomData<fn() -> T>,
}

impl<S, T> JsonRecords<S, T> {
    pub(crate) const fn new(reader: LengthPrefixedReader<S>) -> Self {
        Self {
            reader,
            values: PhantomData,
        }
    }

    /// The reader.
    pub const fn get_ref(&self) -> &LengthPrefixedReader<S> {
        &self.reader
    }

    /// The reader again; nothing that it read ahead is lost.
    pub fn into_inner(self) -> LengthPrefixedReader<S> {
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
