use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use storage_core::{RecordInput, RecordReader, async_trait};

use crate::{Decoder, Error, Options};

/// Reads length-prefixed records from a stream of chunks.
///
/// [`read`](Self::read) waits for one record at a time. The cheapest way to take many is to wait for
/// a chunk and to take what lies in it:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), storage_length_prefixed::Error> {
/// let mut reader = storage_length_prefixed::reader(&b"\x01a\x02bc\x03def"[..]);
/// let mut bytes = 0;
/// while reader.fill().await? {
///     while let Some(record) = reader.next_slice()? {
///         bytes += record.len();
///     }
/// }
/// assert_eq!(bytes, 6);
/// # Ok(())
/// # }
/// ```
///
/// It is also a [`Stream`] of records. Every call is cancel safe. After an error of the layer below,
/// every call that needs more input is `ReaderClosed`; a malformed record is reported by every later
/// call again. Streams end behind such an error.
#[derive(Debug)]
pub struct LengthPrefixedReader<S> {
    input: RecordInput<S>,
    /// Whether the stream of records has ended with an error.
    failed: bool,
    pub(crate) decoder: Decoder,
}

impl<S> LengthPrefixedReader<S> {
    pub(crate) const fn new(stream: S, decoder: Decoder) -> Self {
        Self {
            input: RecordInput::new(stream),
            failed: false,
            decoder,
        }
    }

    /// The next record of the chunk that has arrived, as a slice of it; `None` when more input is
    /// needed.
    ///
    /// # Errors
    /// As [`Decoder::next_record`].
    pub fn next_record(&mut self) -> Result<Option<Bytes>, Error> {
        self.decoder.next_record()
    }

    /// As [`next_record`](Self::next_record), lent.
    ///
    /// # Errors
    /// As [`Decoder::next_record`].
    #[inline]
    pub fn next_slice(&mut self) -> Result<Option<&[u8]>, Error> {
        self.decoder.next_slice()
    }

    /// How many records were taken.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.decoder.records()
    }

    /// Drops what was read ahead and the layers below. Every later read is `ReaderClosed`.
    pub fn close(&mut self) {
        self.decoder = Options::default().decoder();
        self.input.close();
    }

    /// An item of a stream, which ends behind an error that nothing can follow.
    pub(crate) fn item<T>(&mut self, next: Result<Option<T>, Error>) -> Option<Result<T, Error>> {
        self.failed = matches!(next, Err(Error::Storage(_) | Error::Malformed { .. }));
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

impl<S, E> LengthPrefixedReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    /// Waits for more input: `true` when records may now be taken, `false` once after the last one.
    /// Call it when [`next_slice`](Self::next_slice) has returned `None`.
    ///
    /// # Errors
    /// Those of the layer below; `ReaderClosed` after one and after a close.
    pub async fn fill(&mut self) -> Result<bool, Error> {
        std::future::poll_fn(|cx| self.poll_fill(cx)).await
    }

    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        Poll::Ready(Ok(match ready!(self.input.poll_chunk(cx))? {
            Some(chunk) => {
                self.decoder.push(chunk);
                true
            }
            None => self.decoder.end(),
        }))
    }

    fn poll_record(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        loop {
            if let Some(record) = self.decoder.next_record()? {
                return Poll::Ready(Ok(Some(record)));
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
    pub async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|cx| self.poll_record(cx)).await
    }
}

impl<S, E> Stream for LengthPrefixedReader<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<storage_core::Error>,
{
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_failed() {
            return Poll::Ready(None);
        }
        let record = ready!(self.poll_record(cx));
        Poll::Ready(self.item(record))
    }
}

#[async_trait]
impl<S, E> RecordReader for LengthPrefixedReader<S>
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
