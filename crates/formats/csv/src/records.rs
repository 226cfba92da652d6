use bytes::{BufMut, Bytes, BytesMut};
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
        if !self.advance()? {
            return Ok(None);
        }
        self.name_columns()?;
        if self.json.capacity() == 0 {
            self.json.reserve(BLOCK);
        }
        let written = match &self.columns {
            Some(_) => write_object(&self.row, &self.keys, &self.options, &mut self.json),
            None => write_array(&self.row, &self.options, &mut self.json),
        };
        if let Err(column) = written {
            self.json.clear();
            return Err(self.fail(Defect::NotUtf8 { column }));
        }
        Ok(Some(self.json.split().freeze()))
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
        let mut record = match texts(&self.row).collect::<Result<csv::StringRecord, _>>() {
            Ok(record) => record,
            Err(column) => return Err(self.fail(Defect::NotUtf8 { column })),
        };
        let (line, offset) = (self.row.line, self.row.offset);
        let mut position = csv::Position::new();
        let record_number = self.rows();
        position
            .set_byte(offset)
            .set_line(line)
            .set_record(record_number);
        record.set_position(Some(position));
        let names = self.columns.as_ref().map(|_| &self.names);
        match record.deserialize(names) {
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
    let mut json = BytesMut::new();
    write_string(name, &mut json);
    json.put_u8(b':');
    String::from_utf8_lossy(&json).into_owned()
}

/// The fields of a row as text. `Err` with the number of a column that is not UTF-8.
fn texts(row: &Row) -> impl Iterator<Item = Result<&str, usize>> {
    let text = |(field, column)| std::str::from_utf8(field).map_err(|_| column);
    row.iter().zip(1..).map(text)
}

/// Appends a row as a JSON object. `Err` with the number of a column that is not UTF-8.
fn write_object(
    row: &Row,
    keys: &[String],
    options: &Options,
    json: &mut BytesMut,
) -> Result<(), usize> {
    json.put_u8(b'{');
    let mut first = true;
    for (text, key) in texts(row).zip(keys) {
        let content = options.cells.read(text?);
        if matches!(content, Content::Nothing) {
            continue;
        }
        if !std::mem::take(&mut first) {
            json.put_u8(b',');
        }
        json.put_slice(key.as_bytes());
        write_value(&content, json);
    }
    json.put_u8(b'}');
    Ok(())
}

/// Appends a row as a JSON array. `Err` with the number of a column that is not UTF-8.
fn write_array(row: &Row, options: &Options, json: &mut BytesMut) -> Result<(), usize> {
    json.put_u8(b'[');
    for (place, text) in texts(row).enumerate() {
        if place > 0 {
            json.put_u8(b',');
        }
        write_value(&options.cells.read(text?), json);
    }
    json.put_u8(b']');
    Ok(())
}

fn write_value(content: &Content<'_>, json: &mut BytesMut) {
    match content {
        Content::Nothing => json.put_slice(b"\"\""),
        // Line endings stand between the parts of a value alone, where they mean no more than a space.
        Content::Literal(text) if text.contains(['\r', '\n']) => {
            json.put_slice(text.replace(['\r', '\n'], " ").as_bytes());
        }
        Content::Literal(text) => json.put_slice(text.as_bytes()),
        Content::String(text) => write_string(text, json),
    }
}

fn write_string(text: &str, json: &mut BytesMut) {
    json.put_u8(b'"');
    let escape = |byte: &u8| matches!(byte, 0..=0x1f | b'"' | b'\\');
    let mut rest = text.as_bytes();
    while let Some(place) = rest.iter().position(escape) {
        json.put_slice(&rest[..place]);
        match rest[place] {
            b'"' => json.put_slice(b"\\\""),
            b'\\' => json.put_slice(b"\\\\"),
            b'\n' => json.put_slice(b"\\n"),
            b'\r' => json.put_slice(b"\\r"),
            b'\t' => json.put_slice(b"\\t"),
            control => json.put_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[place + 1..];
    }
    json.put_slice(rest);
    json.put_u8(b'"');
}
