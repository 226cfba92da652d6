use bytes::Bytes;
use serde::de::DeserializeOwned;
use storage_format::{Decode, DecodeJson, FormatReader, Values};

use crate::{Decoder, Error};

/// Reads NDJSON from a stream of chunks; how it behaves is said at [`FormatReader`].
///
/// The cheapest way to take many records is to wait for a chunk and to take what lies in it:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), storage_ndjson::Error> {
/// let mut reader = storage_ndjson::reader(&b"1\n22\n333\n"[..]);
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
/// After a malformed line, reading may go on with the next one.
pub type NdjsonReader<S> = FormatReader<S, Decoder>;

/// A stream of the values of the records of a [`NdjsonReader`].
pub type JsonRecords<S, T> = Values<S, Decoder, T>;

impl Decode for Decoder {
    type Error = Error;

    fn push(&mut self, chunk: Bytes) {
        Self::push(self, chunk);
    }

    fn end(&mut self) -> bool {
        Self::end(self)
    }

    #[inline]
    fn next_slice(&mut self) -> Result<Option<&[u8]>, Error> {
        Self::next_slice(self)
    }

    fn next_record(&mut self) -> Result<Option<Bytes>, Error> {
        Self::next_record(self)
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

impl<T: DeserializeOwned> DecodeJson<T> for Decoder {
    fn next_json(&mut self) -> Result<Option<T>, Error> {
        Self::next_json(self)
    }
}
