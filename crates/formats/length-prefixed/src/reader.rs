use bytes::Bytes;
use storage_format::{Decode, FormatReader};

use crate::{Decoder, Error};

/// Reads length-prefixed records from a stream of chunks; how it behaves is said at [`FormatReader`].
///
/// The cheapest way to take many records is to wait for a chunk and to take what lies in it:
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
/// A malformed record is reported by every later call again.
pub type LengthPrefixedReader<S> = FormatReader<S, Decoder>;

/// A stream of the values of the records of a [`LengthPrefixedReader`].
#[cfg(feature = "json")]
pub type JsonRecords<S, T> = storage_format::Values<S, Decoder, T>;

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

    fn has_failed(&self) -> bool {
        Self::has_failed(self)
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

#[cfg(feature = "json")]
impl<T: serde::de::DeserializeOwned> storage_format::DecodeJson<T> for Decoder {
    fn next_json(&mut self) -> Result<Option<T>, Error> {
        Self::next_json(self)
    }
}
