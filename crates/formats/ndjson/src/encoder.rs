use memchr::memchr;
use serde::Serialize;

use crate::Error;
use crate::decoder::{content, is_blank, validate};

/// Appends records to a buffer, without input and output of its own.
///
/// ```
/// use storage_ndjson::Options;
///
/// let mut encoder = Options::default().encoder();
/// let mut buffer = Vec::new();
/// encoder.encode(b"[1]", &mut buffer)?;
/// encoder.encode_json("two\nlines", &mut buffer)?;
/// assert!(encoder.encode(b"two\nlines", &mut buffer).is_err());
/// assert_eq!(buffer, b"[1]\n\"two\\nlines\"\n");
/// # Ok::<(), storage_ndjson::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Encoder {
    records: u64,
    max_record: usize,
    validate: bool,
}

impl Encoder {
    pub(crate) const fn new(max_record: usize, validate: bool) -> Self {
        Self {
            records: 0,
            max_record,
            validate,
        }
    }

    /// Appends one record verbatim and a newline.
    ///
    /// # Errors
    /// [`Error::RecordTooLong`]; [`Error::Unwritable`] for a record with a raw newline, one that
    /// ends with a carriage return, which a reader would take for the end of the line, and a blank
    /// one, which it would skip; [`Error::NotJson`] when validating. The buffer is as before then.
    pub fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        self.check(record)?;
        buffer.reserve(record.len() + 1);
        buffer.extend_from_slice(record);
        buffer.push(b'\n');
        self.records += 1;
        Ok(())
    }

    /// Appends one value as JSON and a newline. Floating-point numbers that JSON has no notation for
    /// become `null`, as everywhere in `serde_json`.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and [`Error::NotJson`] for a value that JSON cannot express.
    pub fn encode_json<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let start = buffer.len();
        let written = serde_json::to_writer(&mut *buffer, value).map_err(|source| Error::NotJson {
            record: self.records + 1,
            source,
        });
        // A value may bring JSON text of its own, with newlines.
        if let Err(error) = written.and_then(|()| self.check_framing(&buffer[start..])) {
            buffer.truncate(start);
            return Err(error);
        }
        buffer.push(b'\n');
        self.records += 1;
        Ok(())
    }

    fn check(&self, record: &[u8]) -> Result<(), Error> {
        self.check_framing(record)?;
        if self.validate {
            validate(record).map_err(|source| Error::NotJson {
                record: self.records + 1,
                source,
            })?;
        }
        Ok(())
    }

    fn check_framing(&self, record: &[u8]) -> Result<(), Error> {
        if record.len() > self.max_record {
            return Err(Error::RecordTooLong {
                record: self.records + 1,
                size: record.len(),
                max: self.max_record,
            });
        }
        let problem = if memchr(b'\n', record).is_some() {
            "has a raw newline"
        } else if content(record) == record.len() && !record.is_empty() {
            return Ok(());
        } else if is_blank(record) {
            "is blank"
        } else {
            "ends with a carriage return"
        };
        Err(Error::Unwritable {
            record: self.records + 1,
            problem,
        })
    }
}
