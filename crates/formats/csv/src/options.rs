use bytes::Bytes;
use futures_core::Stream;
use storage_format::Chunks;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Cells, CsvReader, CsvWriter, Decoder, Encoder, Error};

/// What becomes of rows of different lengths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ragged {
    /// A row of another length than the first is an error; reading may go on with the next row.
    #[default]
    Refuse,
    /// Rows are taken as they are. As a record or typed row, a short one lacks its last columns, and
    /// one with more cells than there are names is still an error.
    Accept,
}

/// How CSV is read and written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) crlf: bool,
    pub(crate) header: bool,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) ragged: Ragged,
    pub(crate) cells: Cells,
    pub(crate) max_record: usize,
}

impl Default for Options {
    /// Commas, double quotes, doubled inside quotes, `\n`, a header, no ragged rows, typed cells,
    /// rows of up to 64 MiB.
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            crlf: false,
            header: true,
            columns: None,
            ragged: Ragged::Refuse,
            cells: Cells::Typed,
            max_record: 64 << 20,
        }
    }
}

impl Options {
    /// The byte between fields.
    #[must_use]
    pub const fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// The byte around fields that need it; with `None` quotes mean nothing when reading, and a
    /// field that would need them is refused when writing.
    #[must_use]
    pub const fn quote(mut self, quote: Option<u8>) -> Self {
        self.quote = quote;
        self
    }

    /// The byte before a quote, or itself, inside quotes; with `None` quotes are doubled. Doubled
    /// quotes are always understood. Outside quotes it has no meaning.
    #[must_use]
    pub const fn escape(mut self, escape: Option<u8>) -> Self {
        self.escape = escape;
        self
    }

    /// Ends written rows with `\r\n` instead of `\n`. When reading, both and `\r` end a row.
    #[must_use]
    pub const fn crlf(mut self, crlf: bool) -> Self {
        self.crlf = crlf;
        self
    }

    /// Whether the first row names the columns.
    #[must_use]
    pub const fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The names of the columns. A reader refuses a header with others, and needs none; a writer
    /// writes them in this order, whatever the first record has.
    #[must_use]
    pub fn columns<T: Into<String>>(mut self, columns: impl IntoIterator<Item = T>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// What becomes of rows of different lengths.
    #[must_use]
    pub const fn ragged(mut self, ragged: Ragged) -> Self {
        self.ragged = ragged;
        self
    }

    /// How the values of JSON records become cells and back.
    #[must_use]
    pub const fn cells(mut self, cells: Cells) -> Self {
        self.cells = cells;
        self
    }

    /// Refuses rows of more than this many bytes as they lie in the stream, line ending not counted.
    /// A reader takes up to nine times as much memory for a row of nothing but delimiters.
    #[must_use]
    pub const fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// A decoder: push bytes, take rows.
    ///
    /// # Errors
    /// [`Error::Options`] for options that contradict each other.
    pub fn decoder(&self) -> Result<Decoder, Error> {
        self.check()?;
        Ok(Decoder::new(self.clone()))
    }

    /// An encoder.
    ///
    /// # Errors
    /// As [`decoder`](Self::decoder).
    pub fn encoder(&self) -> Result<Encoder, Error> {
        self.check()?;
        Ok(Encoder::new(self.clone()))
    }

    /// Reads from any [`AsyncRead`], up to 256 KiB at a time.
    ///
    /// # Errors
    /// As [`decoder`](Self::decoder).
    pub fn reader<R>(&self, reader: R) -> Result<CsvReader<Chunks<R>>, Error>
    where
        R: AsyncRead + Unpin,
    {
        self.from_chunks(storage_format::chunks(reader))
    }

    /// Reads from a stream of chunks.
    ///
    /// # Errors
    /// As [`decoder`](Self::decoder).
    #[allow(
        clippy::wrong_self_convention,
        reason = "named like the function of the crate"
    )]
    pub fn from_chunks<S, E>(&self, chunks: S) -> Result<CsvReader<S>, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<storage_core::Error>,
    {
        Ok(CsvReader::new(chunks, self.decoder()?))
    }

    /// Writes to any [`AsyncWrite`].
    ///
    /// # Errors
    /// As [`decoder`](Self::decoder).
    pub fn writer<W: AsyncWrite + Unpin>(&self, writer: W) -> Result<CsvWriter<W>, Error> {
        Ok(CsvWriter::new(writer, self.encoder()?))
    }

    fn check(&self) -> Result<(), Error> {
        let bytes = [Some(self.delimiter), self.quote, self.escape];
        let used = || bytes.iter().flatten();
        let problem = if used().any(|byte| !byte.is_ascii() || matches!(byte, b'\r' | b'\n' | 0)) {
            "delimiter, quote and escape must be ASCII, and neither NUL nor line endings"
        } else if (1..bytes.len()).any(|n| bytes[n].is_some() && bytes[..n].contains(&bytes[n])) {
            "delimiter, quote and escape must differ"
        } else if self.escape.is_some() && self.quote.is_none() {
            "an escape needs quotes"
        } else if self.columns.as_ref().is_some_and(Vec::is_empty) {
            "there must be a column"
        } else if self
            .columns
            .as_deref()
            .is_some_and(crate::columns::has_duplicate)
        {
            "columns must have different names"
        } else {
            return Ok(());
        };
        Err(Error::Options(problem))
    }
}
