use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::cells::Style;
use crate::columns::Columns;
use crate::object::{Name, Record};
use crate::quoting::Quoting;
use crate::{Error, Options, Ragged};

/// Appends rows to a buffer, without input and output of its own.
///
/// ```
/// use storage_csv::Options;
///
/// let mut encoder = Options::default().encoder()?;
/// let mut buffer = Vec::new();
/// encoder.encode_row(["name", "age"], &mut buffer)?; // the header
/// encoder.encode_row(["Ann, B.", "7"], &mut buffer)?;
/// encoder.encode(br#"{"age":8,"name":"C \"D\""}"#, &mut buffer)?;
/// assert_eq!(buffer, b"name,age\n\"Ann, B.\",7\n\"C \"\"D\"\"\",8\n");
/// # Ok::<(), storage_csv::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Encoder {
    options: Options,
    quoting: Quoting,
    columns: Option<Columns>,
    /// Fields that a row must have; `None` before the first.
    width: Option<usize>,
    /// Records so far, the header not counted unless it was given as a row.
    records: u64,
    scratch: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Encoder {
    pub(crate) fn new(options: Options) -> Self {
        // The options were checked: no name occurs twice.
        let columns = options
            .columns
            .clone()
            .and_then(|names| Columns::new(names).ok());
        Self {
            quoting: Quoting::new(&options),
            options,
            columns,
            width: None,
            records: 0,
            scratch: Vec::new(),
        }
    }

    /// Appends one row of fields. With [`Options::header`] and without [`Options::columns`] the first
    /// row is the header.
    ///
    /// # Errors
    /// [`Error::RaggedRecord`], [`Error::RecordTooLong`]; [`Error::Unwritable`] for a row without
    /// fields; [`Error::Cell`] for a field that needs quotes where there are none. Buffer and encoder
    /// are as before then.
    pub fn encode_row<T: AsRef<[u8]>>(
        &mut self,
        fields: impl IntoIterator<Item = T>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let start = buffer.len();
        let written = self.append_header(buffer).and_then(|()| {
            let row = buffer.len();
            let width = self.append(fields, buffer)?;
            Ok((row, width))
        });
        match written {
            Ok((row, width)) => {
                self.settle(width, &buffer[row..]);
                Ok(())
            }
            Err(error) => {
                buffer.truncate(start);
                Err(error)
            }
        }
    }

    /// Appends one record: a JSON object, whose keys are columns, or without a header a JSON array.
    /// [`Cells`](crate::Cells) says what becomes of the values. Without [`Options::columns`] the
    /// keys of the first record are the columns.
    ///
    /// # Errors
    /// As [`encode_row`](Self::encode_row), and [`Error::NotJson`]; [`Error::Unwritable`] for JSON of
    /// another kind; [`Error::Cell`] for a key that is no column or occurs twice and for a value
    /// that cannot be a cell.
    pub fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_json(record, Style::Cells(self.options.cells), buffer)
    }

    /// Appends one value by the rules of the `csv` crate: a struct or map by its names, a tuple or
    /// sequence by position, where columns have no names all of them. `None` and numbers that are not finite are empty cells, strings stand as
    /// they are; [`Cells`](crate::Cells) plays no part. Without [`Options::columns`] the names of the
    /// first value are the columns.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); a nested value cannot be a cell.
    pub fn encode_typed<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut json = std::mem::take(&mut self.scratch);
        json.clear();
        let result = match serde_json::to_writer(&mut json, value) {
            Ok(()) => self.encode_json(&json, Style::Plain, buffer),
            Err(source) => Err(self.not_json(source)),
        };
        self.scratch = json;
        result
    }

    /// Appends what is missing at the end of the stream: the header, where the options give columns and
    /// there was no row.
    ///
    /// # Errors
    /// As [`encode_row`](Self::encode_row).
    pub fn finish(&mut self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let start = buffer.len();
        match self.append_header(buffer) {
            Ok(()) => {
                self.width = self.width.or(self.columns.as_ref().map(Columns::len));
                Ok(())
            }
            Err(error) => {
                buffer.truncate(start);
                Err(error)
            }
        }
    }

    fn encode_json(
        &mut self,
        json: &[u8],
        style: Style,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match serde_json::from_slice(json).map_err(|source| self.not_json(source))? {
            Record::Array(values) => {
                let cells = self.cells_of_array(&values, style)?;
                self.encode_row(cells.iter().map(|cell| cell.as_bytes()), buffer)
            }
            Record::Object(entries) if self.columns.is_some() => {
                let cells = self.cells_of_object(&entries, style)?;
                self.encode_row(cells.iter().map(|cell| cell.as_bytes()), buffer)
            }
            Record::Object(entries) if style == Style::Plain && !self.options.header => {
                let values: Vec<_> = entries.iter().map(|(_, value)| *value).collect();
                let cells = self.cells_of_array(&values, style)?;
                self.encode_row(cells.iter().map(|cell| cell.as_bytes()), buffer)
            }
            Record::Object(entries) => {
                self.columns = Some(self.columns_of(&entries)?);
                let result = self.encode_json(json, style, buffer);
                if result.is_err() {
                    self.columns = None;
                }
                result
            }
        }
    }

    /// The columns of a stream whose first record this is.
    fn columns_of(&self, entries: &[(Name<'_>, &RawValue)]) -> Result<Columns, Error> {
        if !self.options.header {
            return Err(self.unwritable("is an object, but columns have no names"));
        }
        if self.width.is_some() {
            return Err(self.unwritable("is an object, but the header does not name columns"));
        }
        if entries.is_empty() {
            return Err(self.unwritable("has no columns"));
        }
        let names = entries.iter().map(|(name, _)| name.0.clone().into_owned());
        Columns::new(names.collect())
            .map_err(|place| self.cell(&entries[place].0.0, "is there twice"))
    }

    fn cells_of_object<'a>(
        &self,
        entries: &[(Name<'_>, &'a RawValue)],
        style: Style,
    ) -> Result<Vec<Cow<'a, str>>, Error> {
        let columns = self.columns.as_ref().map_or(0, Columns::len);
        let mut cells: Vec<Option<Cow<'a, str>>> = vec![None; columns];
        for (likely, (Name(name), value)) in entries.iter().enumerate() {
            let place = self
                .columns
                .as_ref()
                .and_then(|columns| columns.place(name, likely));
            let cell = place.and_then(|place| cells.get_mut(place));
            let cell = cell.ok_or_else(|| self.cell(name, "is not a column"))?;
            let content = style
                .write(value.get())
                .map_err(|problem| self.cell(name, problem))?;
            if cell.replace(content).is_some() {
                return Err(self.cell(name, "is there twice"));
            }
        }
        let missing = cells.iter().position(Option::is_none);
        if let Some(place) = missing.filter(|_| !style.may_lack()) {
            let names = self.columns.as_ref().map_or(&[][..], Columns::names);
            let name = names.get(place).map_or("", String::as_str);
            return Err(self.cell(name, "is missing, which needs typed cells"));
        }
        Ok(cells.into_iter().map(Option::unwrap_or_default).collect())
    }

    fn cells_of_array<'a>(
        &self,
        values: &[&'a RawValue],
        style: Style,
    ) -> Result<Vec<Cow<'a, str>>, Error> {
        let by_name = self.options.header && (style != Style::Plain || self.columns.is_none());
        if by_name {
            return Err(self.unwritable("is an array, but columns have names"));
        }
        let cell = |(place, value): (usize, &&'a RawValue)| match value.get() {
            // Here no key is left out, so that an empty cell can be nothing else.
            "\"\"" => Ok(Cow::Borrowed("")),
            json => style
                .write(json)
                .map_err(|problem| self.cell(&(place + 1).to_string(), problem)),
        };
        values.iter().enumerate().map(cell).collect()
    }

    /// The header of a stream that has columns, before its first row.
    fn append_header(&self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        match &self.columns {
            Some(columns) if self.options.header && self.width.is_none() => {
                self.append(columns.names(), buffer).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Appends a row, and returns how many fields it has.
    fn append<T: AsRef<[u8]>>(
        &self,
        fields: impl IntoIterator<Item = T>,
        buffer: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let start = buffer.len();
        let mut found = 0;
        for field in fields {
            if found > 0 {
                buffer.push(self.options.delimiter);
            }
            found += 1;
            if !self.quoting.append(field.as_ref(), buffer) {
                return Err(self.cell(&found.to_string(), "needs quotes, and there are none"));
            }
        }
        if found == 0 {
            return Err(self.unwritable("has no fields"));
        }
        // An empty line would be skipped.
        if buffer.len() == start && !self.quoting.append_empty(buffer) {
            return Err(self.unwritable("is one empty field, which needs quotes"));
        }
        self.check(found, buffer.len() - start)?;
        buffer.extend_from_slice(if self.options.crlf { b"\r\n" } else { b"\n" });
        Ok(found)
    }

    fn check(&self, found: usize, size: usize) -> Result<(), Error> {
        let (record, max) = (self.records + 1, self.options.max_record);
        let expected = self
            .width
            .or(self.columns.as_ref().map(Columns::len))
            .unwrap_or(found);
        if found != expected && self.options.ragged == Ragged::Refuse {
            return Err(Error::RaggedRecord {
                record,
                expected,
                found,
            });
        }
        if size > max {
            return Err(Error::RecordTooLong { record, size, max });
        }
        Ok(())
    }

    /// A row was appended.
    fn settle(&mut self, width: usize, row: &[u8]) {
        self.records += 1;
        if self.width.is_some() {
            return;
        }
        self.width = Some(self.columns.as_ref().map_or(width, Columns::len));
        if self.options.header && self.columns.is_none() {
            self.columns = self.parse_header(row);
        }
    }

    /// The names of a header that was given as a row; `None` where it cannot name columns.
    fn parse_header(&self, row: &[u8]) -> Option<Columns> {
        let mut decoder = self.options.clone().header(false).decoder().ok()?;
        decoder.push(row.to_vec().into());
        let row = decoder.next_row().ok()??;
        let names = row
            .iter()
            .map(|name| std::str::from_utf8(name).map(str::to_owned));
        Columns::new(names.collect::<Result<_, _>>().ok()?).ok()
    }

    fn unwritable(&self, problem: &'static str) -> Error {
        Error::Unwritable {
            record: self.records + 1,
            problem,
        }
    }

    fn cell(&self, column: &str, problem: &'static str) -> Error {
        Error::Cell {
            record: self.records + 1,
            column: column.to_owned(),
            problem,
        }
    }

    fn not_json(&self, source: serde_json::Error) -> Error {
        Error::NotJson {
            record: self.records + 1,
            source,
        }
    }
}
