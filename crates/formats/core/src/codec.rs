use bytes::Bytes;
use storage_core::Error;

/// Finds the records in chunks of bytes, without input and output of its own: push bytes, take
/// records.
pub trait Decode {
    /// What is wrong with the input, or the failure of the layer below.
    type Error: From<Error> + Into<Error>;

    /// Adds the next bytes of the stream. The reader does so once nothing more can be taken.
    fn push(&mut self, chunk: Bytes);

    /// Says that no more bytes come. `true` for the first call: what is left may be a record now.
    fn end(&mut self) -> bool;

    /// The next record, lent; `None` when more bytes are needed or, after the end, when there is
    /// none.
    ///
    /// # Errors
    /// Those of the format.
    fn next_slice(&mut self) -> Result<Option<&[u8]>, Self::Error>;

    /// The next record, shared: by default a copy of the one that [`next_slice`](Self::next_slice)
    /// lends.
    ///
    /// # Errors
    /// As [`next_slice`](Self::next_slice).
    fn next_record(&mut self) -> Result<Option<Bytes>, Self::Error> {
        Ok(self.next_slice()?.map(Bytes::copy_from_slice))
    }

    /// Whether an error has made everything that follows unreadable.
    fn has_failed(&self) -> bool {
        false
    }

    /// Forgets what was pushed.
    fn clear(&mut self);
}

/// Appends records to a buffer, without input and output of its own.
pub trait Encode {
    /// What is wrong with a record, or the failure of the layer below.
    type Error: From<Error> + Into<Error>;

    /// Appends one record.
    ///
    /// # Errors
    /// Those of the format. The buffer must then be as it was before.
    fn encode(&mut self, record: &[u8], buffer: &mut Vec<u8>) -> Result<(), Self::Error>;

    /// Appends what ends the stream; by default nothing does. Called once, unless it fails.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn finish(&mut self, buffer: &mut Vec<u8>) -> Result<(), Self::Error> {
        let _ = buffer;
        Ok(())
    }
}

/// A decoder of records that are JSON texts.
pub trait DecodeJson<T>: Decode {
    /// The next record, parsed.
    ///
    /// # Errors
    /// As [`next_record`](Decode::next_record), and where the record is no `T`.
    fn next_json(&mut self) -> Result<Option<T>, Self::Error>;
}

/// An encoder of records that are JSON texts.
pub trait EncodeJson<T: ?Sized>: Encode {
    /// Appends one value as JSON.
    ///
    /// # Errors
    /// As [`encode`](Encode::encode), and for a value that JSON cannot express.
    fn encode_json(&mut self, value: &T, buffer: &mut Vec<u8>) -> Result<(), Self::Error>;
}

/// A decoder of records that are rows of fields.
pub trait DecodeRows: Decode {
    /// The fields of one row.
    type Row;

    /// The next row; `None` as in [`next_record`](Decode::next_record).
    ///
    /// # Errors
    /// As [`next_record`](Decode::next_record).
    fn next_row(&mut self) -> Result<Option<&Self::Row>, Self::Error>;

    /// The row that was taken last.
    fn last_row(&self) -> &Self::Row;

    /// The row that names the columns, once a row was taken or the stream has ended; `None` where
    /// there is none.
    fn header(&self) -> Option<&Self::Row>;
}

/// A decoder of rows that become values by their columns.
pub trait DecodeTyped<T>: DecodeRows {
    /// The next row as a value.
    ///
    /// # Errors
    /// As [`next_row`](DecodeRows::next_row), and where the row is no `T`.
    fn next_typed(&mut self) -> Result<Option<T>, Self::Error>;
}

/// An encoder of records that are rows of fields.
pub trait EncodeRows: Encode {
    /// Appends one row.
    ///
    /// # Errors
    /// As [`encode`](Encode::encode).
    fn encode_row<F: AsRef<[u8]>>(
        &mut self,
        fields: impl IntoIterator<Item = F>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Self::Error>;
}

/// An encoder of values that become rows.
pub trait EncodeTyped<T: ?Sized>: EncodeRows {
    /// Appends one value as a row.
    ///
    /// # Errors
    /// As [`encode`](Encode::encode), and for a value that is no row.
    fn encode_typed(&mut self, value: &T, buffer: &mut Vec<u8>) -> Result<(), Self::Error>;
}
