use crate::Options;

/// Puts fields into quotes where they need them.
#[derive(Debug, Clone)]
pub(crate) struct Quoting {
    quote: Option<u8>,
    escape: u8,
    /// The bytes that cannot stand outside quotes.
    special: Box<[bool; 256]>,
}

impl Quoting {
    pub(crate) fn new(options: &Options) -> Self {
        let mut special = Box::new([false; 256]);
        let always = [options.delimiter, b'\r', b'\n'].into_iter();
        // An escape outside quotes is nothing to this crate, but it is to others.
        for byte in always.chain(options.quote).chain(options.escape) {
            special[usize::from(byte)] = true;
        }
        Self {
            quote: options.quote,
            escape: options.escape.or(options.quote).unwrap_or(b'"'),
            special,
        }
    }

    /// Appends a field; `false` where it needs quotes and there are none.
    pub(crate) fn append(&self, field: &[u8], buffer: &mut Vec<u8>) -> bool {
        // At the beginning of a stream a byte order mark would be skipped.
        let plain = !field.starts_with(b"\xef\xbb\xbf")
            && !field.iter().any(|byte| self.special[usize::from(*byte)]);
        if plain {
            buffer.extend_from_slice(field);
            return true;
        }
        let Some(quote) = self.quote else {
            return false;
        };
        buffer.reserve(field.len() + 2);
        buffer.push(quote);
        for byte in field {
            if *byte == quote || *byte == self.escape {
                buffer.push(self.escape);
            }
            buffer.push(*byte);
        }
        buffer.push(quote);
        true
    }

    /// Appends an empty field that is not nothing; `false` where that needs quotes and there are none.
    pub(crate) fn append_empty(&self, buffer: &mut Vec<u8>) -> bool {
        buffer.extend(self.quote.into_iter().chain(self.quote));
        self.quote.is_some()
    }
}
