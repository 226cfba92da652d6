use storage_core::{RecordWriter, async_trait};
use tokio::io::AsyncWrite;

use crate::output::Output;
use crate::{Encode, EncodeJson, EncodeRows, EncodeTyped};

/// Writes records in the format of `C` to any [`AsyncWrite`].
///
/// Records are gathered, up to 64 KiB, before the layer below is given them.
/// [`close`](Self::close) hands over the rest and closes all layers below; **dropping the writer
/// instead publishes nothing**. After an error of the layer below it is closed, and that layer
/// dropped.
#[derive(Debug)]
pub struct FormatWriter<W, C> {
    output: Output<W>,
    encoder: C,
}

impl<W, C> FormatWriter<W, C> {
    /// Writes to `writer`.
    pub const fn new(writer: W, encoder: C) -> Self {
        Self {
            output: Output::new(writer),
            encoder,
        }
    }

    /// The encoder.
    pub const fn encoder(&self) -> &C {
        &self.encoder
    }

    /// The layer below; `None` after a failure.
    pub const fn get_ref(&self) -> Option<&W> {
        self.output.get_ref()
    }

    /// The layer below again; `None` after a failure. Records that were not flushed are discarded:
    /// close first.
    pub fn into_inner(self) -> Option<W> {
        self.output.into_inner()
    }
}

impl<W, C: Encode> FormatWriter<W, C> {
    /// Writes one record if there is room without waiting; `false` when it was not taken.
    ///
    /// # Errors
    /// Those of the format, which leave the stream as it was.
    pub fn try_write(&mut self, record: &[u8]) -> Result<bool, C::Error> {
        match self.output.try_ready() {
            Some(buffer) => self.encoder.encode(record, buffer).map(|()| true),
            None => Ok(false),
        }
    }
}

impl<W: AsyncWrite + Unpin, C: Encode> FormatWriter<W, C> {
    /// Writes one record. Cancel safe: a dropped call has written nothing of it.
    ///
    /// # Errors
    /// Those of the format, which leave the stream as it was; those of the layer below, which close
    /// the writer; `WriterClosed` then and after a close.
    pub async fn write(&mut self, record: &[u8]) -> Result<(), C::Error> {
        self.encoder.encode(record, self.output.ready().await?)
    }

    /// Writes one value as JSON. Cancel safe, as [`write`](Self::write).
    ///
    /// # Errors
    /// As [`write`](Self::write), and for a value that JSON cannot express.
    pub async fn write_json<T: ?Sized>(&mut self, value: &T) -> Result<(), C::Error>
    where
        C: EncodeJson<T>,
    {
        self.encoder.encode_json(value, self.output.ready().await?)
    }

    /// Writes one row of fields. Cancel safe, as [`write`](Self::write).
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_row<F: AsRef<[u8]>>(
        &mut self,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<(), C::Error>
    where
        C: EncodeRows,
    {
        self.encoder.encode_row(fields, self.output.ready().await?)
    }

    /// Writes one value as a row. Cancel safe, as [`write`](Self::write).
    ///
    /// # Errors
    /// As [`write`](Self::write), and for a value that is no row.
    pub async fn write_typed<T: ?Sized>(&mut self, value: &T) -> Result<(), C::Error>
    where
        C: EncodeTyped<T>,
    {
        self.encoder.encode_typed(value, self.output.ready().await?)
    }

    /// Hands every record so far to the layer below and flushes that. A dropped call may be repeated.
    ///
    /// # Errors
    /// Those of the layer below, which close the writer; `WriterClosed` then.
    pub async fn flush(&mut self) -> Result<(), C::Error> {
        Ok(self.output.flush().await?)
    }

    /// Hands over the rest and closes all layers below, in order. A dropped call may be repeated, and
    /// a second call does nothing.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); nothing was published then, as far as the layers below can tell.
    pub async fn close(&mut self) -> Result<(), C::Error> {
        if let Some(buffer) = self.output.last() {
            self.encoder.finish(buffer)?;
        }
        Ok(self.output.close().await?)
    }
}

#[async_trait]
impl<W, C> RecordWriter for FormatWriter<W, C>
where
    W: AsyncWrite + Unpin + Send,
    C: Encode + Send,
{
    async fn write(&mut self, record: &[u8]) -> storage_core::Result<()> {
        let buffer = self.output.ready().await?;
        self.encoder.encode(record, buffer).map_err(Into::into)
    }

    fn try_write(&mut self, record: &[u8]) -> storage_core::Result<bool> {
        Self::try_write(self, record).map_err(Into::into)
    }

    async fn flush(&mut self) -> storage_core::Result<()> {
        self.output.flush().await
    }

    async fn close(&mut self) -> storage_core::Result<()> {
        Self::close(self).await.map_err(Into::into)
    }
}
