use std::borrow::Cow;

use storage_core::Result;

use crate::Compression;

/// A compressor without I/O: bytes in, compressed bytes out.
///
/// Every call goes on until `input` is used up or `output` is full.
pub trait Encode: Send + Unpin {
    /// Takes bytes from the front of `input`. What comes out may lag behind.
    ///
    /// # Errors
    /// `Other` when the codec fails, as for want of memory; the stream is lost then.
    fn encode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<()>;

    /// Brings out everything taken so far; `true` when done, `false` to be called again before any
    /// other method, with room for at least 16 bytes: deflate may begin its mark anew in less.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn flush(&mut self, output: &mut Output<'_>) -> Result<bool>;

    /// Brings out everything and ends the stream; answers as [`flush`](Self::flush). Once it was
    /// `true` no method may be called.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn finish(&mut self, output: &mut Output<'_>) -> Result<bool>;
}

/// A decompressor without I/O: compressed bytes in, bytes out. Members or frames that follow each
/// other are one stream.
pub trait Decode: Send + Unpin {
    /// The format.
    fn compression(&self) -> Compression;

    /// Takes from the front of `input` and brings out bytes until `input` is used up or `output` is
    /// full. With an empty `input` it brings out what it holds back.
    ///
    /// # Errors
    /// The [`Fault`]. What was put out before stands; nothing more can be decoded.
    fn decode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<(), Fault>;

    /// Whether the input may end here: between two members or frames, and after at least one.
    fn may_end(&self) -> bool;
}

/// Why a codec cannot go on decoding, in its own words. The reader adds where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The input makes no sense, or fails its checksum.
    Malformed(Cow<'static, str>),
    /// The input may be right, but there is no memory for it.
    OutOfMemory,
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self::Malformed(Cow::Borrowed(reason))
    }
}

/// Room for output: a buffer that fills from the front.
#[derive(Debug)]
pub struct Output<'a> {
    buffer: &'a mut [u8],
    filled: usize,
}

impl<'a> Output<'a> {
    /// All of `buffer`, none of it filled.
    #[must_use]
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, filled: 0 }
    }

    /// Bytes put so far.
    #[must_use]
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// Whether there is no room.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    /// The room that is left.
    #[must_use]
    pub fn unfilled(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// Counts `amount` bytes at the front of [`unfilled`](Self::unfilled) as put; at most all.
    pub fn advance(&mut self, amount: usize) {
        self.filled = self.filled.saturating_add(amount).min(self.buffer.len());
    }

    /// Takes the last `amount` bytes back; at most all.
    pub const fn retract(&mut self, amount: usize) {
        self.filled = self.filled.saturating_sub(amount);
    }

    /// Puts as much of the front of `bytes` as there is room for and takes it off `bytes`.
    pub fn put(&mut self, bytes: &mut &[u8]) {
        let room = self.unfilled();
        let amount = room.len().min(bytes.len());
        let (now, later) = bytes.split_at(amount);
        room[..amount].copy_from_slice(now);
        *bytes = later;
        self.advance(amount);
    }
}
