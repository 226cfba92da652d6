use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::cells::Content;
use crate::columns::Columns;
use crate::{Decoder, Defect, Error, Options, Row};

/// Most bytes of records that share one allocation.
const BLOCK: usize = 64 << 10;

impl Decoder {
    /// The next row as a JSON object by the header, as [`Cells`](crate::Cells) says; as an array where
    /// columns have no names. `None` as [`next_row`](Self::next_row).
    ///
    /// # Errors
    /// Those of [`next_row`](Self::next_row), and [`Error::Malformed`] for a row that is not UTF-8 or
    /// has more cells than there are names, and for a header with one name twice.
    pub fn next_record(&mut self) -> Result<Option<Bytes>, Error> {
        if self.next_slice()?.is_none() {
            return Ok(None);
        }
        if self.block.capacity() < self.json.len() {
            self.block.reserve(self.json.len().max(BLOCK));
        }
        self.block.extend_from_slice(&self.json);
        Ok(Some(self.block.split().freeze()))
    }

    /// As [`next_record`](Self::next_record), lent: without a copy.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record).
    pub fn next_slice(&mut self) -> Result<Option<&[u8]>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        self.name_columns()?;
        self.json.clear();
        let written = match &self.columns {
            Some(_) => write_object(&self.row, &self.keys, &self.options, &mut self.json),
            None => write_array(&self.row, &self.options, &mut self.json),
        };
        match written {
            Ok(()) => Ok(Some(&self.json)),
            Err(column) => Err(self.fail(Defect::NotUtf8 { column })),
        }
    }

    /// The next row as a value, by the rules of the `csv` crate: structs and maps by the header,
    /// tuples by position, an empty cell is `None`, numbers and booleans are parsed.
    /// [`Cells`](crate::Cells) plays no part. `None` as [`next_row`](Self::next_row).
    ///
    /// # Errors
    /// Those of [`next_record`](Self::next_record), and [`Error::Value`] where the row is no `T`.
    pub fn next_typed<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        self.name_columns()?;
        // Its memory is used again and again.
        self.fields.clear();
        let fields = &mut self.fields;
        let copied = texts(&self.row).try_for_each(|text| {
            fields.push_field(text?);
            Ok(())
        });
        if let Err(column) = copied {
            return Err(self.fail(Defect::NotUtf8 { column }));
        }
        let (line, offset) = (self.row.line, self.row.offset);
        let mut position = csv::Position::new();
        let record_number = self.rows();
        position
            .set_byte(offset)
            .set_line(line)
            .set_record(record_number);
        self.fields.set_position(Some(position));
        let names = self.columns.as_ref().map(|_| &self.names);
        match self.fields.deserialize(names) {
            Ok(value) => Ok(Some(value)),
            Err(source) => Err(Error::Value {
                line,
                offset,
                source,
            }),
        }
    }

    /// Sees to it that the columns are named, if they are, and that there are enough for the row.
    fn name_columns(&mut self) -> Result<(), Error> {
        if self.columns.is_none() {
            let Some(names) = self.find_names()? else {
                return Ok(());
            };
            self.names = names.iter().collect();
            self.keys = names.iter().map(|name| key(name)).collect();
            self.columns = match Columns::new(names) {
                Ok(columns) => Some(columns),
                Err(place) => {
                    let column = place + 1;
                    return Err(self.fail_header(Defect::DuplicateColumn { column }));
                }
            };
        }
        let (found, expected) = (self.row.len(), self.keys.len());
        if found > expected {
            return Err(self.fail(Defect::Ragged { expected, found }));
        }
        Ok(())
    }

    fn find_names(&mut self) -> Result<Option<Vec<String>>, Error> {
        let Some(header) = self.header() else {
            return Ok(self.options.columns.clone());
        };
        let names: Result<_, _> = texts(header).map(|name| Ok(name?.to_owned())).collect();
        names
            .map(Some)
            .map_err(|column| self.fail_header(Defect::NotUtf8 { column }))
    }

    fn fail_header(&mut self, defect: Defect) -> Error {
        if let Some((line, offset)) = self.header().map(|header| (header.line, header.offset)) {
            (self.row.line, self.row.offset) = (line, offset);
        }
        self.fail_finally(defect)
    }
}

/// A column's name as JSON, up to its value.
fn key(name: &str) -> String {
    let mut json = Vec::new();
    write_string(name, &mut json);
    json.push(b':');
    String::from_utf8_lossy(&json).into_owned()
}

/// The fields of a row as text. `Err` with the number of a column that is not UTF-8.
fn texts(row: &Row) -> impl Iterator<Item = Result<&str, usize>> {
    // One look at all of them: fields are text where their bytes are and each ends with a character.
    let end = row.ends[..row.fields].last().copied().unwrap_or(0);
    let whole = std::str::from_utf8(&row.bytes[..end]);
    let mut start = 0;
    row.ends[..row.fields]
        .iter()
        .zip(1..)
        .map(move |(end, column)| {
            let range = std::mem::replace(&mut start, *end)..*end;
            match whole {
                Ok(whole) => whole.get(range).ok_or(column),
                Err(_) => std::str::from_utf8(&row.bytes[range]).map_err(|_| column),
            }
        })
}

/// Appends a row as a JSON object. `Err` with the number of a column that is not UTF-8.
fn write_object(
    row: &Row,
    keys: &[String],
    options: &Options,
    json: &mut Vec<u8>,
) -> Result<(), usize> {
    json.push(b'{');
    let mut first = true;
    for (text, key) in texts(row).zip(keys) {
        let content = options.cells.read(text?);
        if matches!(content, Content::Nothing) {
            continue;
        }
        if !std::mem::take(&mut first) {
            json.push(b',');
        }
        json.extend_from_slice(key.as_bytes());
        write_value(&content, json);
    }
    json.push(b'}');
    Ok(())
}

/// Appends a row as a JSON array. `Err` with the number of a column that is not UTF-8.
fn write_array(row: &Row, options: &Options, json: &mut Vec<u8>) -> Result<(), usize> {
    json.push(b'[');
    for (place, text) in texts(row).enumerate() {
        if place > 0 {
            json.push(b',');
        }
        write_value(&options.cells.read(text?), json);
    }
    json.push(b']');
    Ok(())
}

fn write_value(content: &Content<'_>, json: &mut Vec<u8>) {
    match content {
        Content::Nothing => json.extend_from_slice(b"\"\""),
        // Line endings stand between the parts of a value alone, where they mean no more than a space.
        Content::Literal(text) if text.contains(['\r', '\n']) => {
            json.extend_from_slice(text.replace(['\r', '\n'], " ").as_bytes());
        }
        Content::Literal(text) => json.extend_from_slice(text.as_bytes()),
        Content::String(text) => write_string(text, json),
    }
}

/// The bytes that JSON cannot have in a string.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escaped[byte] = true;
        byte += 1;
    }
    escaped[b'"' as usize] = true;
    escaped[b'\\' as usize] = true;
    escaped
};

fn write_string(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(place) = rest.iter().position(|byte| ESCAPED[usize::from(*byte)]) {
        json.extend_from_slice(&rest[..place]);
        match rest[place] {
            b'"' => json.extend_from_slice(b"\\\""),
            b'\\' => json.extend_from_slice(b"\\\\"),
            b'\n' => json.extend_from_slice(b"\\n"),
            b'\r' => json.extend_from_slice(b"\\r"),
            b'\t' => json.extend_from_slice(b"\\t"),
            control => json.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[place + 1..];
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}
