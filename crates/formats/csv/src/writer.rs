use serde::Serialize;
use storage_format::{Encode, EncodeRows, EncodeTyped, FormatWriter};

use crate::{Encoder, Error};

/// Writes CSV to any [`AsyncWrite`](tokio::io::AsyncWrite): rows, values or records as JSON objects or
/// arrays. How it behaves is said at [`FormatWriter`].
///
/// With a header that is not given by the options, the first row that is written as fields is the
/// header.
pub type CsvWriter<W> = FormatWriter<W, Encoder>;

impl Encode for Encoder {
    type Error = Error;

    fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        Self::encode(self, record, buffer)
    }

    fn finish(&mut self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        Self::finish(self, buffer)
    }
}

impl EncodeRows for Encoder {
    fn encode_row<F: AsRef<[u8]>>(
        &mut self,
        fields: impl IntoIterator<Item = F>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        Self::encode_row(self, fields, buffer)
    }
}

impl<T: Serialize + ?Sized> EncodeTyped<T> for Encoder {
    fn encode_typed(&mut self, value: &T, buffer: &mut Vec<u8>) -> Result<(), Error> {
        Self::encode_typed(self, value, buffer)
    }
}
