use bytes::{Bytes, BytesMut};

use crate::encoder::crc32c;
use crate::{Defect, Error, Options};

/// Most memory taken for a record before its bytes have arrived.
const RESERVE: usize = 1 << 20;

/// Finds the records in chunks of bytes, without input and output of its own.
///
/// A record that lies inside one chunk is a slice of it, and keeps the chunk in memory; one that
/// crosses chunks is put together.
///
/// ```
/// use storage_length_prefixed::Options;
///
/// let mut decoder = Options::default().decoder();
/// decoder.push("\x03abc\0\x05de".into());
/// assert_eq!(decoder.next_record()?.as_deref(), Some(&b"abc"[..]));
/// assert_eq!(decoder.next_slice()?, Some(&b""[..]));
/// assert_eq!(decoder.next_slice()?, None); // more input is needed
/// decoder.end();
/// let error = decoder.next_slice().unwrap_err();
/// assert_eq!(error.to_string(), "record 3 at byte 5 is cut off after 3 bytes of 6");
/// # Ok::<(), storage_length_prefixed::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Decoder {
    options: Options,
    chunk: Bytes,
    /// Where in `chunk` the next record goes on.
    at: usize,
    /// Offset in the stream of the first byte of `chunk`.
    base: u64,
    /// The beginning of a record whose end has not arrived.
    carry: BytesMut,
    /// A record that crossed chunks, kept while a slice of it is lent.
    joined: Bytes,
    /// Records taken so far.
    records: u64,
    /// Offset in the stream of the record in hand.
    start: u64,
    defect: Option<Defect>,
    ended: bool,
}

/// Where the payload of a record lies.
enum Found {
    /// In the chunk.
    Chunk(usize, usize),
    /// In `joined`.
    Joined,
}

/// The sizes of one record's parts in bytes.
#[derive(Clone, Copy)]
struct Layout {
    prefix: usize,
    payload: usize,
    total: usize,
}

impl Decoder {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            chunk: Bytes::new(),
            at: 0,
            base: 0,
            carry: BytesMut::new(),
            joined: Bytes::new(),
            records: 0,
            start: 0,
            defect: None,
            ended: false,
        }
    }

    /// Adds the next bytes of the stream. Cheapest once all records of the last chunk were taken:
    /// what is left of that is copied together with the new one. Nothing is taken after the
    /// [`end`](Self::end) or a malformed record.
    pub fn push(&mut self, chunk: Bytes) {
        if self.ended || self.defect.is_some() {
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

    /// Says that no more bytes come, so that a record that lacks some is truncated. `true` for the
    /// first call.
    pub fn end(&mut self) -> bool {
        !std::mem::replace(&mut self.ended, true)
    }

    /// The next record, `None` when more bytes are needed or, after the end, when there is none.
    /// Neither copies nor allocates for a record inside one chunk.
    ///
    /// # Errors
    /// [`Error::Malformed`], `Corrupt`, from then on in every call.
    pub fn next_record(&mut self) -> Result<Option<Bytes>, Error> {
        Ok(match self.find()? {
            Some(Found::Chunk(start, end)) => Some(self.chunk.slice(start..end)),
            Some(Found::Joined) => Some(std::mem::take(&mut self.joined)),
            None => None,
        })
    }

    /// As [`next_record`](Self::next_record), lent instead of shared: without even counting a
    /// reference.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record).
    #[inline]
    pub fn next_slice(&mut self) -> Result<Option<&[u8]>, Error> {
        Ok(match self.find()? {
            Some(Found::Chunk(start, end)) => Some(&self.chunk[start..end]),
            Some(Found::Joined) => Some(&self.joined),
            None => None,
        })
    }

    /// The next record, parsed as JSON; it may borrow from the decoder.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record), and [`Error::InvalidJson`] where the record is no `T`.
    #[cfg(feature = "json")]
    pub fn next_json<'a, T: serde::Deserialize<'a>>(&'a mut self) -> Result<Option<T>, Error> {
        let found = self.find()?;
        let (record, offset) = (self.records, self.start);
        let payload = match found {
            Some(Found::Chunk(start, end)) => &self.chunk[start..end],
            Some(Found::Joined) => &self.joined[..],
            None => return Ok(None),
        };
        match serde_json::from_slice(payload) {
            Ok(value) => Ok(Some(value)),
            Err(source) => Err(Error::InvalidJson {
                record,
                offset,
                source,
            }),
        }
    }

    /// How many records were taken.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The offset in the stream of the first byte that was not looked at.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Whether a malformed record has put what follows out of reach.
    pub(crate) const fn has_failed(&self) -> bool {
        self.defect.is_some()
    }

    /// Forgets everything that was pushed.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.options.clone());
    }

    #[inline]
    fn find(&mut self) -> Result<Option<Found>, Error> {
        if self.defect.is_some() || !self.carry.is_empty() {
            return self.find_joined();
        }
        let rest = &self.chunk[self.at..];
        self.start = self.base + self.at as u64;
        match layout(&self.options, rest) {
            Ok(Some(layout)) if layout.total <= rest.len() => {
                if self.options.crc32c
                    && let Err(defect) = verify(&rest[..layout.total])
                {
                    return Err(self.fail(defect));
                }
                let start = self.at + layout.prefix;
                self.at += layout.total;
                self.records += 1;
                Ok(Some(Found::Chunk(start, start + layout.payload)))
            }
            Ok(layout) => self.keep(layout),
            Err(defect) => Err(self.fail(defect)),
        }
    }

    /// The chunk ends inside a record, or with the last one.
    #[cold]
    fn keep(&mut self, layout: Option<Layout>) -> Result<Option<Found>, Error> {
        if let Some(layout) = layout {
            self.carry.reserve(layout.total.min(RESERVE));
        }
        self.carry.extend_from_slice(&self.chunk[self.at..]);
        self.at = self.chunk.len();
        self.wait(layout)
    }

    /// Goes on with the record that began before this chunk.
    #[cold]
    fn find_joined(&mut self) -> Result<Option<Found>, Error> {
        if let Some(defect) = self.defect {
            return Err(self.fail(defect));
        }
        loop {
            let layout = layout(&self.options, &self.carry).map_err(|defect| self.fail(defect))?;
            let target = layout.map_or(self.carry.len() + 1, |layout| layout.total);
            if let Some(layout) = layout.filter(|layout| layout.total == self.carry.len()) {
                return self.join(layout);
            }
            let rest = &self.chunk[self.at..];
            if rest.is_empty() {
                return self.wait(layout);
            }
            let count = rest.len().min(target - self.carry.len());
            self.carry.extend_from_slice(&rest[..count]);
            self.at += count;
        }
    }

    /// The record in `carry` is complete.
    fn join(&mut self, layout: Layout) -> Result<Option<Found>, Error> {
        if self.options.crc32c {
            verify(&self.carry).map_err(|defect| self.fail(defect))?;
        }
        let whole = self.carry.split().freeze();
        self.joined = whole.slice(layout.prefix..layout.prefix + layout.payload);
        self.records += 1;
        Ok(Some(Found::Joined))
    }

    /// Everything that arrived is in `carry`, and it is no record yet.
    fn wait(&mut self, layout: Option<Layout>) -> Result<Option<Found>, Error> {
        if !self.ended || self.carry.is_empty() {
            return Ok(None);
        }
        let have = self.carry.len() as u64;
        let need = layout.map(|layout| layout.total as u64);
        Err(self.fail(Defect::Truncated { have, need }))
    }

    fn fail(&mut self, defect: Defect) -> Error {
        self.defect = Some(defect);
        self.base += self.at as u64;
        (self.chunk, self.carry, self.at) = (Bytes::new(), BytesMut::new(), 0);
        Error::Malformed {
            record: self.records + 1,
            offset: self.start,
            defect,
        }
    }
}

/// The sizes of the record that `bytes` begin with, as far as its length has arrived.
#[inline]
fn layout(options: &Options, bytes: &[u8]) -> Result<Option<Layout>, Defect> {
    let Some((size, prefix)) = options.prefix.decode(bytes, options.overlong)? else {
        return Ok(None);
    };
    let max = options.max_record as u64;
    let around = prefix + if options.crc32c { 4 } else { 0 };
    let payload = usize::try_from(size).ok().filter(|_| size <= max);
    match payload.and_then(|payload| Some((payload, payload.checked_add(around)?))) {
        Some((payload, total)) => Ok(Some(Layout {
            prefix,
            payload,
            total,
        })),
        None => Err(Defect::TooLong { size, max }),
    }
}

/// Checks a record whose last four bytes are its checksum.
fn verify(record: &[u8]) -> Result<(), Defect> {
    let Some((bytes, stored)) = record.split_last_chunk::<4>() else {
        return Ok(());
    };
    let (stored, found) = (u32::from_le_bytes(*stored), crc32c(bytes));
    if stored == found {
        Ok(())
    } else {
        Err(Defect::Checksum { stored, found })
    }
}
