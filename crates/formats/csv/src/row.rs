use std::fmt;

/// One row: fields of bytes, unquoted, and where it stood.
#[derive(Clone, Default)]
pub struct Row {
    /// The fields, one behind the other, and room for more.
    pub(crate) bytes: Vec<u8>,
    /// Where each field ends in `bytes`, and room for more.
    pub(crate) ends: Vec<usize>,
    pub(crate) fields: usize,
    pub(crate) line: u64,
    pub(crate) offset: u64,
}

impl Row {
    /// How many fields there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.fields
    }

    /// Whether there is no field. A row that was read has one at least.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fields == 0
    }

    /// A field, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(..self.fields)?.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..end)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        let mut start = 0;
        self.ends[..self.fields].iter().map(move |end| {
            let field = &self.bytes[start..*end];
            start = *end;
            field
        })
    }

    /// The line that the row begins on, counted from 1. Lines end with `\n`, also inside quotes.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The offset in the stream of its first byte.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.iter().map(String::from_utf8_lossy).collect();
        f.debug_struct("Row")
            .field("line", &self.line)
            .field("offset", &self.offset)
            .field("fields", &fields)
            .finish()
    }
}
