use serde::Serialize;
use storage_format::{Encode, EncodeJson, FormatWriter};

use crate::{Encoder, Error};

/// Writes NDJSON to any [`AsyncWrite`](tokio::io::AsyncWrite); how it behaves is said at
/// [`FormatWriter`].
pub type NdjsonWriter<W> = FormatWriter<W, Encoder>;

impl Encode for Encoder {
    type Error = Error;

    fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        Self::encode(self, record, buffer)
    }
}

impl<T: Serialize + ?Sized> EncodeJson<T> for Encoder {
    fn encode_json(&mut self, value: &T, buffer: &mut Vec<u8>) -> Result<(), Error> {
        Self::encode_json(self, value, buffer)
    }
}
