use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::{Error, RecordReader, async_trait};

use crate::input::Input;
use crate::{Decode, DecodeJson, DecodeRows, DecodeTyped, Values};

/// Reads records of the format of `D` from a stream of chunks.
///
/// [`read`](Self::read) waits for one record at a time. The cheapest way to take many is to wait for
/// a chunk by [`fill`](Self::fill) and to take what lies in it by [`next_slice`](Self::next_slice).
/// It is also a [`Stream`] of records.
///
/// # Errors, cancellation
/// Every call is cancel safe. After an error of the layer below, every call that needs more input is
/// `ReaderClosed`; after an error of the format, reading may go on as the format says. The stream
/// ends behind an error that nothing can follow.
#[derive(Debug)]
pub struct FormatReader<S, D> {
    input: Input<S>,
    /// Whether an error of the layer below was handed out.
    failed: bool,
    decoder: D,
}

impl<S, D> FormatReader<S, D> {
    /// Reads from a stream of chunks.
    pub const fn new(stream: S, decoder: D) -> Self {
        Self {
            input: Input::new(stream),
            failed: false,
            decoder,
        }
    }

    /// The decoder, which knows how far it has got.
    pub const fn decoder(&self) -> &D {
        &self.decoder
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

impl<S, D: Decode> FormatReader<S, D> {
    /// The next record of what has arrived; `None` when more input is needed.
    ///
    /// # Errors
    /// Those of the format.
    pub fn next_record(&mut self) -> Result<Option<Bytes>, D::Error> {
        self.decoder.next_record()
    }

    /// As [`next_record`](Self::next_record), lent.
    ///
    /// # Errors
    /// Those of the format.
    #[inline]
    pub fn next_slice(&mut self) -> Result<Option<&[u8]>, D::Error> {
        self.decoder.next_slice()
    }

    /// Drops what was read ahead and the layers below. Every later read is `ReaderClosed`.
    pub fn close(&mut self) {
        self.decoder.clear();
        self.input.close();
    }

    /// Whether nothing can follow the error that was handed out last.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed || self.decoder.has_failed()
    }
}

impl<S, D: DecodeRows> FormatReader<S, D> {
    /// The next row of what has arrived; `None` when more input is needed.
    ///
    /// # Errors
    /// Those of the format.
    pub fn next_row(&mut self) -> Result<Option<&D::Row>, D::Error> {
        self.decoder.next_row()
    }

    /// The header, once a row was read or the stream has ended; `None` where there is none.
    pub fn header(&self) -> Option<&D::Row> {
        self.decoder.header()
    }
}

impl<S, E, D> FormatReader<S, D>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Error>,
    D: Decode,
{
    /// Waits for more input: `true` when records may now be taken, `false` once after the last one.
    /// Call it when [`next_slice`](Self::next_slice) has returned `None`.
    ///
    /// # Errors
    /// Those of the layer below; `ReaderClosed` after one and after a close.
    pub async fn fill(&mut self) -> Result<bool, D::Error> {
        std::future::poll_fn(|cx| self.poll_fill(cx)).await
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, D::Error>> {
        let chunk = ready!(self.input.poll_chunk(cx));
        self.failed |= chunk.is_err();
        Poll::Ready(Ok(match chunk? {
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
        next: impl Fn(&mut D) -> Result<Option<T>, D::Error>,
    ) -> Poll<Result<Option<T>, D::Error>> {
        loop {
            if let Some(found) = next(&mut self.decoder)? {
                return Poll::Ready(Ok(Some(found)));
            }
            if !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Waits for the next record; `None` at the end.
    ///
    /// # Errors
    /// Those of [`fill`](Self::fill) and [`next_record`](Self::next_record).
    pub async fn read(&mut self) -> Result<Option<Bytes>, D::Error> {
        std::future::poll_fn(|cx| self.poll_with(cx, D::next_record)).await
    }

    /// Waits for the next record and parses it; `None` at the end.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), and where the record is no `T`.
    pub async fn read_json<T>(&mut self) -> Result<Option<T>, D::Error>
    where
        D: DecodeJson<T>,
    {
        std::future::poll_fn(|cx| self.poll_with(cx, D::next_json)).await
    }

    /// A stream of the values of the records.
    #[must_use]
    pub const fn into_json<T>(self) -> Values<S, D, T>
    where
        D: DecodeJson<T>,
    {
        Values::new(self, D::next_json)
    }

    /// Waits for the next row; `None` at the end.
    ///
    /// # Errors
    /// Those of [`fill`](Self::fill) and [`next_row`](Self::next_row).
    pub async fn read_row(&mut self) -> Result<Option<&D::Row>, D::Error>
    where
        D: DecodeRows,
    {
        let advance = |decoder: &mut D| Ok(decoder.next_row()?.map(drop));
        let found = std::future::poll_fn(|cx| self.poll_with(cx, advance)).await?;
        Ok(found.map(|()| self.decoder.last_row()))
    }

    /// Waits for the next row as a value; `None` at the end.
    ///
    /// # Errors
    /// Those of [`read_row`](Self::read_row), and where the row is no `T`.
    pub async fn read_typed<T>(&mut self) -> Result<Option<T>, D::Error>
    where
        D: DecodeTyped<T>,
    {
        std::future::poll_fn(|cx| self.poll_with(cx, D::next_typed)).await
    }

    /// A stream of the values of the rows.
    #[must_use]
    pub const fn into_typed<T>(self) -> Values<S, D, T>
    where
        D: DecodeTyped<T>,
    {
        Values::new(self, D::next_typed)
    }
}

impl<S, E, D> Stream for FormatReader<S, D>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Error>,
    D: Decode + Unpin,
{
    type Item = Result<Bytes, D::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_failed() {
            return Poll::Ready(None);
        }
        self.poll_with(cx, D::next_record).map(Result::transpose)
    }
}

#[async_trait]
impl<S, E, D> RecordReader for FormatReader<S, D>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Into<Error>,
    D: Decode + Send,
{
    async fn read(&mut self) -> storage_core::Result<Option<Bytes>> {
        std::future::poll_fn(|cx| self.poll_with(cx, D::next_record))
            .await
            .map_err(Into::into)
    }

    fn try_read(&mut self) -> storage_core::Result<Option<Bytes>> {
        self.next_record().map_err(Into::into)
    }

    async fn close(&mut self) -> storage_core::Result<()> {
        Self::close(self);
        Ok(())
    }
}
