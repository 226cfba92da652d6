use bytes::Bytes;
use serde::de::DeserializeOwned;
use storage_format::{Decode, DecodeRows, DecodeTyped, FormatReader, Values};

use crate::{Decoder, Error, Row};

/// Reads CSV from a stream of chunks: rows, values or records as JSON objects or arrays. How it
/// behaves is said at [`FormatReader`].
///
/// The cheapest way to take many rows is to wait for a chunk and to take what lies in it:
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
/// After a ragged row, or one that is no value of the type asked for, reading may go on with the
/// next one; other malformed rows are reported by every later call again.
pub type CsvReader<S> = FormatReader<S, Decoder>;

/// A stream of the values of the rows of a [`CsvReader`].
pub type TypedRows<S, T> = Values<S, Decoder, T>;

impl Decode for Decoder {
    type Error = Error;

    fn push(&mut self, chunk: Bytes) {
        Self::push(self, chunk);
    }

    fn end(&mut self) -> bool {
        Self::end(self)
    }

    fn next_slice(&mut self) -> Result<Option<&[u8]>, Error> {
        Self::next_slice(self)
    }

    fn next_record(&mut self) -> Result<Option<Bytes>, Error> {
        Self::next_record(self)
    }

    fn has_failed(&self) -> bool {
        Self::has_failed(self)
    }

    fn clear(&mut self) {
        *self = Self::new(self.options.clone());
    }
}

impl DecodeRows for Decoder {
    type Row = Row;

    fn next_row(&mut self) -> Result<Option<&Row>, Error> {
        Self::next_row(self)
    }

    fn last_row(&self) -> &Row {
        &self.row
    }

    fn header(&self) -> Option<&Row> {
        Self::header(self)
    }
}

impl<T: DeserializeOwned> DecodeTyped<T> for Decoder {
    fn next_typed(&mut self) -> Result<Option<T>, Error> {
        Self::next_typed(self)
    }
}
