use serde::Serialize;
use storage_core::{RecordOutput, RecordWriter, async_trait};
use tokio::io::AsyncWrite;

use crate::{Encoder, Error};

/// Writes CSV to any [`AsyncWrite`]: rows, values or JSON records.
///
/// Rows are gathered, up to 64 KiB, before the layer below is given them.
/// [`close`](Self::close) hands over the rest and closes all layers below; **dropping the writer
/// instead publishes nothing**. After an error of the layer below it is closed, and that layer
/// dropped.
#[derive(Debug)]
pub struct CsvWriter<W> {
    output: RecordOutput<W>,
    encoder: Encoder,
}

impl<W> CsvWriter<W> {
    pub(crate) const fn new(writer: W, encoder: Encoder) -> Self {
        Self {
            output: RecordOutput::new(writer),
            encoder,
        }
    }

    /// Writes one record, as [`Encoder::encode`], if there is room without waiting; `false` when it was not taken.
    ///
    /// # Errors
    /// Those of [`Encoder::encode`], which leave the stream as it was.
    pub fn try_write(&mut self, record: &[u8]) -> Result<bool, Error> {
        match self.output.try_ready() {
            Some(buffer) => self.encoder.encode(record, buffer).map(|()| true),
            None => Ok(false),
        }
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

impl<W: AsyncWrite + Unpin> CsvWriter<W> {
    /// Writes one record, a JSON object or array. Cancel safe: a dropped call has written nothing of it.
    ///
    /// # Errors
    /// Those of [`Encoder::encode`], which leave the stream as it was; those of the layer below,
    /// which close the writer; `WriterClosed` then and after a close.
    pub async fn write(&mut self, record: &[u8]) -> Result<(), Error> {
        self.encoder.encode(record, self.output.ready().await?)
    }

    /// Writes one row of fields. With a header that is not given by the options, the first is the
    /// header. Cancel safe, as [`write`](Self::write).
    ///
    /// # Errors
    /// Those of [`Encoder::encode_row`], and as [`write`](Self::write).
    pub async fn write_row<T: AsRef<[u8]>>(
        &mut self,
        fields: impl IntoIterator<Item = T>,
    ) -> Result<(), Error> {
        self.encoder.encode_row(fields, self.output.ready().await?)
    }

    /// Writes one value. Cancel safe, as [`write`](Self::write).
    ///
    /// # Errors
    /// Those of [`Encoder::encode_typed`], and as [`write`](Self::write).
    pub async fn write_typed<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.encoder.encode_typed(value, self.output.ready().await?)
    }

    /// Hands every row so far to the layer below and flushes that. A dropped call may be repeated.
    ///
    /// # Errors
    /// Those of the layer below, which close the writer; `WriterClosed` then.
    pub async fn flush(&mut self) -> Result<(), Error> {
        Ok(self.output.flush().await?)
    }

    /// Hands over the rest and closes all layers below, in order. A dropped call may be repeated, and
    /// a second call does nothing.
    ///
    /// # Errors
    /// As [`flush`](Self::flush); nothing was published then, as far as the layers below can tell.
    pub async fn close(&mut self) -> Result<(), Error> {
        // Without a row nothing is buffered, so that there is room.
        if let Some(buffer) = self.output.try_ready() {
            self.encoder.finish(buffer)?;
        }
        Ok(self.output.close().await?)
    }
}

/// Records are JSON, as [`Encoder::encode`] takes them.
#[async_trait]
impl<W: AsyncWrite + Unpin + Send> RecordWriter for CsvWriter<W> {
    async fn write(&mut self, record: &[u8]) -> storage_core::Result<()> {
        Ok(Self::write(self, record).await?)
    }

    fn try_write(&mut self, record: &[u8]) -> storage_core::Result<bool> {
        Ok(Self::try_write(self, record)?)
    }

    async fn flush(&mut self) -> storage_core::Result<()> {
        Ok(Self::flush(self).await?)
    }

    async fn close(&mut self) -> storage_core::Result<()> {
        Ok(Self::close(self).await?)
    }
}
