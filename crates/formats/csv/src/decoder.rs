use bytes::{Bytes, BytesMut};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::columns::Columns;
use crate::{Defect, Error, Options, Ragged, Row};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Finds the rows in chunks of bytes, without input and output of its own.
///
/// Fields are unquoted into one [`Row`] that is used again and again, so that a row costs no
/// allocation.
///
/// ```
/// use storage_csv::Options;
///
/// let mut decoder = Options::default().decoder()?;
/// decoder.push("name,age\nAnn,7\n\"Bob\"".into());
/// let row = decoder.next_row()?.expect("a complete row");
/// assert_eq!(row.get(0), Some(&b"Ann"[..]));
/// assert!(decoder.next_row()?.is_none()); // more input is needed
/// decoder.push(",8".into());
/// decoder.end();
/// assert_eq!(decoder.next_record()?.unwrap(), r#"{"name":"Bob","age":8}"#);
/// # Ok::<(), storage_csv::Error>(())
/// ```
pub struct Decoder {
    pub(crate) options: Options,
    parser: Reader,
    chunk: Bytes,
    /// Where in `chunk` the next byte is.
    at: usize,
    /// Offset in the stream of the first byte of `chunk`.
    base: u64,
    /// How much of a byte order mark the stream began with; `None` once that is settled.
    mark: Option<usize>,
    pub(crate) row: Row,
    /// Whether `row` has begun, and how many of its bytes were looked at.
    begun: bool,
    looked_at: usize,
    filled: usize,
    header: Option<Row>,
    /// Fields that a row must have.
    width: Option<usize>,
    pub(crate) columns: Option<Columns>,
    /// The columns as the `csv` crate wants them.
    pub(crate) names: csv::StringRecord,
    /// The row in hand as the `csv` crate wants it.
    pub(crate) fields: csv::StringRecord,
    /// The columns as JSON.
    pub(crate) keys: Vec<String>,
    /// The record in hand, and room for the next ones.
    pub(crate) json: Vec<u8>,
    pub(crate) block: BytesMut,
    rows: u64,
    fault: Option<(u64, u64, Defect)>,
    ended: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Decoder {
    pub(crate) fn new(options: Options) -> Self {
        let mut builder = ReaderBuilder::new();
        builder
            .delimiter(options.delimiter)
            .quoting(options.quote.is_some())
            .quote(options.quote.unwrap_or(b'"'))
            .escape(options.escape);
        let mut parser = builder.build();
        // A call without room does nothing but end the parser's own search for a byte order mark,
        // which would depend on how the bytes arrive.
        let _ = parser.read_record(b" ", &mut [], &mut []);
        let width = options.columns.as_ref().map(Vec::len);
        Self {
            options,
            parser,
            chunk: Bytes::new(),
            at: 0,
            base: 0,
            mark: Some(0),
            row: Row::default(),
            begun: false,
            looked_at: 0,
            filled: 0,
            header: None,
            width,
            columns: None,
            names: csv::StringRecord::new(),
            fields: csv::StringRecord::new(),
            keys: Vec::new(),
            json: Vec::new(),
            block: BytesMut::new(),
            rows: 0,
            fault: None,
            ended: false,
        }
    }

    /// Adds the next bytes of the stream. Cheapest once all rows of the last chunk were taken: what
    /// is left of that is copied together with the new one. Nothing is taken after the
    /// [`end`](Self::end) or an error that makes the rest unreadable.
    pub fn push(&mut self, chunk: Bytes) {
        if self.ended || self.fault.is_some() {
            return;
        }
        let left = &self.chunk[self.at..];
        self.base += self.at as u64;
        if left.is_empty() {
            self.chunk = chunk;
        } else {
            self.chunk = [left, &chunk].concat().into();
        }
        self.at = 0;
    }

    /// Says that no more bytes come, so that an unterminated last row is one. `true` for the first
    /// call.
    pub fn end(&mut self) -> bool {
        !std::mem::replace(&mut self.ended, true)
    }

    /// The next row below the header; `None` when more bytes are needed or, after the end, when there
    /// is none.
    ///
    /// # Errors
    /// [`Error::Malformed`], `Corrupt`.
    pub fn next_row(&mut self) -> Result<Option<&Row>, Error> {
        Ok(self.advance()?.then_some(&self.row))
    }

    /// The header, once a row was taken or the stream has ended; `None` where there is none.
    #[must_use]
    pub const fn header(&self) -> Option<&Row> {
        self.header.as_ref()
    }

    /// How many rows were taken, the header not counted.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The offset in the stream of the first byte that was not looked at.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Whether an error has made everything that follows unreadable.
    pub(crate) const fn has_failed(&self) -> bool {
        self.fault.is_some()
    }

    /// Reads the next row below the header into `row`; `false` where [`next_row`](Self::next_row)
    /// has none.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        if let Some((line, offset, defect)) = self.fault {
            return Err(Error::Malformed {
                line,
                offset,
                defect,
            });
        }
        if self.options.header && self.header.is_none() {
            if !self.parse()? {
                return Ok(false);
            }
            self.take_header()?;
        }
        if !self.parse()? {
            return Ok(false);
        }
        let (found, expected) = (self.row.len(), *self.width.get_or_insert(self.row.len()));
        if found != expected && self.options.ragged == Ragged::Refuse {
            return Err(self.fail(Defect::Ragged { expected, found }));
        }
        self.rows += 1;
        Ok(true)
    }

    fn take_header(&mut self) -> Result<(), Error> {
        let header = std::mem::take(&mut self.row);
        if let Some(expected) = &self.options.columns
            && !header.iter().eq(expected.iter().map(String::as_bytes))
        {
            (self.row.line, self.row.offset) = (header.line, header.offset);
            return Err(self.fail(Defect::OtherColumns));
        }
        self.width = Some(header.len());
        self.header = Some(header);
        Ok(())
    }

    /// An error in the row in hand.
    pub(crate) fn fail(&mut self, defect: Defect) -> Error {
        if defect.is_final() {
            return self.fail_finally(defect);
        }
        let (line, offset) = (self.row.line, self.row.offset);
        Error::Malformed {
            line,
            offset,
            defect,
        }
    }

    /// An error in the row in hand behind which nothing can be read.
    pub(crate) fn fail_finally(&mut self, defect: Defect) -> Error {
        let (line, offset) = (self.row.line, self.row.offset);
        self.fault = Some((line, offset, defect));
        self.base += self.at as u64;
        (self.chunk, self.at) = (Bytes::new(), 0);
        Error::Malformed {
            line,
            offset,
            defect,
        }
    }

    /// Reads one row of any kind into `row`; `false` when more bytes are needed or there are none.
    fn parse(&mut self) -> Result<bool, Error> {
        self.skip_mark();
        if !self.begun && !self.begin() {
            return Ok(false);
        }
        while self.at < self.chunk.len() {
            // One byte more than the limit is the line ending.
            let limit = self.options.max_record.saturating_add(1);
            let room = limit.saturating_sub(self.looked_at);
            if room == 0 {
                let max = self.options.max_record;
                return Err(self.fail(Defect::TooLong { max }));
            }
            let end = self.chunk.len().min(self.at.saturating_add(room));
            let (complete, count) = self.feed(self.at..end);
            self.at += count;
            self.looked_at += count;
            if complete {
                (self.begun, self.filled) = (false, 0);
                return Ok(true);
            }
        }
        if self.ended { self.finish() } else { Ok(false) }
    }

    /// Gives the parser a part of the chunk. Returns whether that completes the row, and how many
    /// bytes were taken.
    fn feed(&mut self, range: std::ops::Range<usize>) -> (bool, usize) {
        let input = &self.chunk[range];
        feed(&mut self.parser, &mut self.row, &mut self.filled, input)
    }

    /// Skips a byte order mark at the beginning of the stream.
    fn skip_mark(&mut self) {
        while let Some(matched) = self.mark {
            match self.chunk.get(self.at) {
                _ if matched == BYTE_ORDER_MARK.len() => self.mark = None,
                Some(byte) if *byte == BYTE_ORDER_MARK[matched] => {
                    (self.at, self.mark) = (self.at + 1, Some(matched + 1));
                }
                None if !self.ended => return,
                // It was none: its bytes belong to the first row.
                _ => {
                    self.mark = None;
                    if matched > 0 {
                        self.begun = true;
                        (self.row.line, self.row.offset) = (1, 0);
                        let bytes = &BYTE_ORDER_MARK[..matched];
                        feed(&mut self.parser, &mut self.row, &mut self.filled, bytes);
                        self.looked_at = matched;
                    }
                }
            }
        }
    }

    /// Skips line endings up to the next row; `false` when there is none yet.
    fn begin(&mut self) -> bool {
        if self.mark.is_some() {
            return false;
        }
        while let Some(byte) = self.chunk.get(self.at) {
            match byte {
                b'\r' => {}
                b'\n' => self.parser.set_line(self.parser.line() + 1),
                _ => {
                    (self.begun, self.looked_at, self.row.fields) = (true, 0, 0);
                    self.row.line = self.parser.line();
                    self.row.offset = self.base + self.at as u64;
                    return true;
                }
            }
            self.at += 1;
        }
        false
    }

    /// Completes the row in hand at the end of the stream.
    fn finish(&mut self) -> Result<bool, Error> {
        if !self.begun {
            return Ok(false);
        }
        if self.looked_at > self.options.max_record {
            let max = self.options.max_record;
            return Err(self.fail(Defect::TooLong { max }));
        }
        // Inside quotes alone a line ending does not end a row.
        if !feed(&mut self.parser, &mut self.row, &mut self.filled, b"\n").0 {
            return Err(self.fail(Defect::UnclosedQuote));
        }
        (self.begun, self.filled) = (false, 0);
        Ok(true)
    }
}

/// Gives the parser bytes, of which there must be one, until they are used up or complete the row.
/// Returns whether they do, and how many were taken.
fn feed(parser: &mut Reader, row: &mut Row, filled: &mut usize, input: &[u8]) -> (bool, usize) {
    let mut taken = 0;
    loop {
        let (bytes, ends) = (&mut row.bytes[*filled..], &mut row.ends[row.fields..]);
        let (result, read, written, ended) = parser.read_record(&input[taken..], bytes, ends);
        taken += read;
        *filled += written;
        row.fields += ended;
        match result {
            ReadRecordResult::Record => return (true, taken),
            ReadRecordResult::OutputFull => grow(&mut row.bytes, 1 << 10),
            ReadRecordResult::OutputEndsFull => grow(&mut row.ends, 1 << 5),
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
        }
        if taken == input.len() {
            return (false, taken);
        }
    }
}

fn grow<T: Clone + Default>(room: &mut Vec<T>, least: usize) {
    room.resize((room.len() * 2).max(least), T::default());
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("options", &self.options)
            .field("rows", &self.rows)
            .field("offset", &self.offset())
            .finish_non_exhaustive()
    }
}
