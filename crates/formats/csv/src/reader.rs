use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use serde::de::DeserializeOwned;
use storage_core::{RecordInput, RecordReader, async_trait};

use crate::{Decoder, Error, Row, TypedRows};

/// Reads CSV from a stream of chunks: [rows](Self::read_row), [values](Self::read_typed) or [JSON
/// records](Self::read).
///
/// The cheapest way to take many is to wait for a chunk and to take what lies in it:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), storage_csv::Error> {
/// let mut reader = storage_csv::reader(&b"a,b\n1,22\n333,4444\n"[..]);
/// let mut bytes = 0;
/// while reader.fill().await? {
///     while let Some(row) = reader.next_row()? {
///         bytes += row.iter().map(<[u8]>::len).sum::<usize>();
///     }
/// }
/// assert_eq!(bytes, 10);
/// # Ok(())
/// # }
/// ```
///
/// It is also a [`Stream`] of JSON records, and of values by [`into_typed`](Self::into_typed). Every
/// call is cancel safe. After an error of the layer below, every call that needs more input is
/// `ReaderClosed`. Streams end behind such an error, and behind one that makes the rest unreadable.
#[derive(Debug)]
pub struct CsvReader<S> {
    input: RecordInput<S>,
    /// Whether the stream of records has ended with an error.
    failed: bool,
    decoder: Decoder,
}

impl<S> CsvReader<S> {
    pub(crate) const fn new(stream: S, decoder: Decoder) -> Self {
        Self {
            input: RecordInput::new(stream),
            failed: false,
            decoder,
        }
    }

    /// The next row of what has arrived; `None` when more input is needed.
    ///
    /// # Errors
    /// As [`Decoder::next_row`].
    pub fn next_row(&mut self) -> Result<Option<&Row>, Error> {
        self.decoder.next_row()
    }

    /// The next row of what has arrived, as a JSON object or array; `None` when more input is needed.
    ///
    /// # Errors
    /// As [`Decoder::next_record`].
    pub fn next_record(&mut self) -> Result<Option<Bytes>, Error> {
        self.decoder.next_record()
    }

    /// The header, once a row was read or the stream has ended; `None` where there is none.
    #[must_use]
    pub const fn header(&self) -> Option<&Row> {
        self.decoder.header()
    }

    /// Drops what was read ahead and the layers below. Every later read is `ReaderClosed`.
    pub fn close(&mut self) {
        self.decoder = Decoder::default();
        self.input.close();
    }

    /// An item of a stream, which ends behind an error that nothing can follow.
    pub(crate) fn item<T>(&mut self, next: Result<Option<T>, Error>) -> Option<Result<T, Error>> {
        self.failed = matches!(next, Err(Error::Storage(_))) || self.decoder.has_failed();
        next.transpose()
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// The layer below, until it has ended, failed or been closed.
    pub const fn get_ref(&self) -> Option<&S> {
        self.input.get_ref()
    }

    /// The layer below again, until it has ended, failed or been closed. What was read ahead is
    /// discarded.
    pub fn into_inner(self) -> Option<S> {
        self.input.into_inner()
    }
}

impl<S, E> CsvReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    /// Waits for more input: `true` when rows may now be taken, `false` once after the last one.
    /// Call it when [`next_row`](Self::next_row) has returned `None`.
    ///
    /// # Errors
    /// Those of the layer below; `ReaderClosed` after one and after a close.
    pub async fn fill(&mut self) -> Result<bool, Error> {
        std::future::poll_fn(|cx| self.poll_fill(cx)).await
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        Poll::Ready(Ok(match ready!(self.input.poll_chunk(cx))? {
            Some(chunk) => {
                self.decoder.push(chunk);
                true
            }
            None => self.decoder.end(),
        }))
    }

    /// Fills until `next` finds something.
    pub(crate) fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        next: impl Fn(&mut Decoder) -> Result<Option<T>, Error>,
    ) -> Poll<Result<Option<T>, Error>> {
        loop {
            if let Some(found) = next(&mut self.decoder)? {
                return Poll::Ready(Ok(Some(found)));
            }
            if !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Waits for the next row below the header; `None` at the end.
    ///
    /// # Errors
    /// Those of [`fill`](Self::fill) and [`next_row`](Self::next_row).
    pub async fn read_row(&mut self) -> Result<Option<&Row>, Error> {
        let advance = |decoder: &mut Decoder| Ok(decoder.advance()?.then_some(()));
        let found = std::future::poll_fn(|cx| self.poll_with(cx, advance)).await?;
        Ok(found.map(|()| &self.decoder.row))
    }

    /// Waits for the next row as a JSON object or array; `None` at the end.
    ///
    /// # Errors
    /// Those of [`fill`](Self::fill) and [`next_record`](Self::next_record).
    pub async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|cx| self.poll_with(cx, Decoder::next_record)).await
    }

    /// Waits for the next row as a value; `None` at the end.
    ///
    /// # Errors
    /// Those of [`fill`](Self::fill) and [`Decoder::next_typed`].
    pub async fn read_typed<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        std::future::poll_fn(|cx| self.poll_with(cx, Decoder::next_typed)).await
    }

    /// A stream of the values of the rows.
    #[must_use]
    pub const fn into_typed<T: DeserializeOwned>(self) -> TypedRows<S, T> {
        TypedRows::new(self)
    }
}

impl<S, E> Stream for CsvReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_failed() {
            return Poll::Ready(None);
        }
        let record = ready!(self.poll_with(cx, Decoder::next_record));
        Poll::Ready(self.item(record))
    }
}

/// Records are JSON, as [`Decoder::next_record`] gives them.
#[async_trait]
impl<S, E> RecordReader for CsvReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Into<storage_core::Error>,
{
    async fn read(&mut self) -> storage_core::Result<Option<Bytes>> {
        Ok(Self::read(self).await?)
    }

    fn try_read(&mut self) -> storage_core::Result<Option<Bytes>> {
        Ok(self.next_record()?)
    }

    async fn close(&mut self) -> storage_core::Result<()> {
        Self::close(self);
        Ok(())
    }
}
