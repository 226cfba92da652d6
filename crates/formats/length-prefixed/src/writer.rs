use storage_format::{Encode, FormatWriter};

use crate::{Encoder, Error};

/// Writes length-prefixed records to any [`AsyncWrite`](tokio::io::AsyncWrite); how it behaves is
/// said at [`FormatWriter`].
pub type LengthPrefixedWriter<W> = FormatWriter<W, Encoder>;

impl Encode for Encoder {
    type Error = Error;

    fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        Self::encode(self, record, buffer)
    }
}

#[cfg(feature = "json")]
impl<T: serde::Serialize + ?Sized> storage_format::EncodeJson<T> for Encoder {
    fn encode_json(&mut self, value: &T, buffer: &mut Vec<u8>) -> Result<(), Error> {
        Self::encode_json(self, value, buffer)
    }
}
