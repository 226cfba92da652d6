use crc_fast::{CrcAlgorithm, checksum};

use crate::{Error, Options};

/// Appends records to a buffer, without input and output of its own.
///
/// ```
/// use storage_length_prefixed::{Options, Prefix};
///
/// let mut buffer = Vec::new();
/// Options::default().encoder().encode(b"abc", &mut buffer)?;
/// Options::default().prefix(Prefix::U32Be).encoder().encode(b"d", &mut buffer)?;
/// assert_eq!(buffer, b"\x03abc\0\0\0\x01d");
/// # Ok::<(), storage_length_prefixed::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Encoder {
    options: Options,
    records: u64,
    #[cfg(feature = "json")]
    scratch: Vec<u8>,
}

impl Encoder {
    pub(crate) const fn new(options: Options) -> Self {
        Self {
            options,
            records: 0,
            #[cfg(feature = "json")]
            scratch: Vec::new(),
        }
    }

    /// Appends one record.
    ///
    /// # Errors
    /// [`Error::RecordTooLong`]; the buffer is as before then.
    pub fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        self.records += encode(&self.options, self.records, record, buffer)?;
        Ok(())
    }

    /// Appends one value as JSON.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and [`Error::NotJson`] for a value that JSON cannot express; the
    /// buffer is as before then.
    #[cfg(feature = "json")]
    pub fn encode_json<T: serde::Serialize + ?Sized>(
        &mut self,
        value: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.scratch.clear();
        serde_json::to_writer(&mut self.scratch, value).map_err(|source| Error::NotJson {
            record: self.records + 1,
            source,
        })?;
        self.records += encode(&self.options, self.records, &self.scratch, buffer)?;
        Ok(())
    }
}

/// Appends one record behind `records` others and returns how many it was.
fn encode(
    options: &Options,
    records: u64,
    record: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<u64, Error> {
    let size = record.len() as u64;
    let too_long = |max| Error::RecordTooLong {
        record: records + 1,
        size,
        max,
    };
    if record.len() > options.max_record {
        return Err(too_long(options.max_record as u64));
    }
    let start = buffer.len();
    buffer.reserve(record.len() + crate::prefix::LONGEST + 4);
    if !options.prefix.encode(size, buffer) {
        return Err(too_long(u32::MAX.into()));
    }
    buffer.extend_from_slice(record);
    if options.crc32c {
        let checksum = crc32c(&buffer[start..]);
        buffer.extend_from_slice(&checksum.to_le_bytes());
    }
    Ok(1)
}

/// The checksum of length and payload.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    checksum(CrcAlgorithm::Crc32Iscsi, bytes) as u32
}
