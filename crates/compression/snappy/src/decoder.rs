use std::fmt;

use snap::raw;
use storage_compression::{Compression, Decode, Fault, Output};

use crate::chunk::{
    BLOCK, CHECKSUM, COMPRESSED, HEADER, MAX_COMPRESSED, PADDING, STREAM, STREAM_START,
    UNCOMPRESSED, masked_crc,
};

/// Reads Snappy streams one after another; checks the checksum of every chunk before any of its bytes
/// are put out. Padding is skipped.
#[derive(Default)]
pub struct SnappyDecoder {
    block: raw::Decoder,
    skip_unknown: bool,
    started: bool,
    expects: Expects,
    /// The start of a header or chunk that came in pieces.
    gathered: Vec<u8>,
    /// A decompressed block that was not all put.
    decoded: Vec<u8>,
    put: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Expects {
    #[default]
    Header,
    /// The rest of a chunk that is to be skipped, in bytes.
    Skipped(usize),
    /// A chunk with its type and length.
    Chunk(u8, usize),
}

impl Expects {
    /// What follows a header.
    fn after(header: [u8; HEADER], started: bool, skip_unknown: bool) -> Result<Self, Fault> {
        let [kind, low, middle, high] = header;
        let length = u32::from_le_bytes([low, middle, high, 0]) as usize;
        if !started && kind != STREAM {
            return Err("the stream does not start with a stream identifier".into());
        }
        let (least, most) = match kind {
            STREAM => (STREAM_START.len() - HEADER, STREAM_START.len() - HEADER),
            COMPRESSED => (CHECKSUM, CHECKSUM + MAX_COMPRESSED),
            UNCOMPRESSED => (CHECKSUM, CHECKSUM + BLOCK),
            PADDING => return Ok(Self::Skipped(length)),
            0x80..=0xfd if skip_unknown => return Ok(Self::Skipped(length)),
            0x80..=0xfd => {
                return Err("a chunk has an unknown type, and is not to be skipped".into());
            }
            _ => return Err("a chunk has a reserved type".into()),
        };
        match (least..=most).contains(&length) {
            true => Ok(Self::Chunk(kind, length)),
            false => Err("a chunk has a length that its type does not allow".into()),
        }
    }
}

impl SnappyDecoder {
    pub(crate) fn skipping_unknown(skip_unknown: bool) -> Self {
        Self {
            skip_unknown,
            ..Self::default()
        }
    }

    /// Puts the rest of a block; `true` when nothing is left.
    fn put_decoded(&mut self, output: &mut Output<'_>) -> bool {
        let mut rest = self.decoded.get(self.put..).unwrap_or_default();
        output.put(&mut rest);
        self.put = self.decoded.len() - rest.len();
        rest.is_empty()
    }

    /// Handles one chunk without its header.
    fn chunk(&mut self, kind: u8, body: &[u8], output: &mut Output<'_>) -> Result<(), Fault> {
        if kind == STREAM {
            self.started = STREAM_START.ends_with(body);
            return match self.started {
                true => Ok(()),
                false => Err("the stream identifier is wrong".into()),
            };
        }
        let (checksum, data) = body.split_first_chunk().ok_or("a chunk is too short")?;
        let expected = u32::from_le_bytes(*checksum);
        if kind == UNCOMPRESSED {
            check(expected, data)?;
            let mut rest = data;
            output.put(&mut rest);
            self.hold(rest);
            return Ok(());
        }
        let length = raw::decompress_len(data).map_err(|error| fault(&error))?;
        if length > BLOCK {
            return Err("a chunk holds more than 64 KiB".into());
        }
        if let Some(room) = output.unfilled().get_mut(..length) {
            self.block
                .decompress(data, room)
                .map_err(|error| fault(&error))?;
            check(expected, room)?;
            output.advance(length);
            return Ok(());
        }
        self.decoded.resize(length, 0);
        // Nothing may be put before the checksum is known.
        self.put = length;
        self.block
            .decompress(data, &mut self.decoded)
            .map_err(|error| fault(&error))?;
        check(expected, &self.decoded)?;
        self.put = 0;
        self.put_decoded(output);
        Ok(())
    }

    fn hold(&mut self, rest: &[u8]) {
        self.decoded.clear();
        self.decoded.extend_from_slice(rest);
        self.put = 0;
    }

    /// Calls `then` with the next `length` bytes once they are all there; `false` when they are not.
    fn gather(
        &mut self,
        length: usize,
        input: &mut &[u8],
        then: impl FnOnce(&mut Self, &[u8]) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let missing = length - self.gathered.len();
        let Some((now, later)) = input.split_at_checked(missing) else {
            self.gathered.extend_from_slice(input);
            *input = &[];
            return Ok(false);
        };
        *input = later;
        if self.gathered.is_empty() {
            return then(self, now).map(|()| true);
        }
        let mut gathered = std::mem::take(&mut self.gathered);
        gathered.extend_from_slice(now);
        let done = then(self, &gathered).map(|()| true);
        gathered.clear();
        self.gathered = gathered;
        done
    }

    fn header(&mut self, header: &[u8]) -> Result<(), Fault> {
        let header = header.first_chunk().ok_or("a chunk header is too short")?;
        self.expects = Expects::after(*header, self.started, self.skip_unknown)?;
        Ok(())
    }
}

fn check(expected: u32, block: &[u8]) -> Result<(), Fault> {
    match masked_crc(block) == expected {
        true => Ok(()),
        false => Err("a chunk does not have its checksum".into()),
    }
}

fn fault(error: &snap::Error) -> Fault {
    Fault::Malformed(error.to_string().into())
}

impl Decode for SnappyDecoder {
    fn compression(&self) -> Compression {
        Compression::Snappy
    }

    fn decode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<(), Fault> {
        while self.put_decoded(output) && !output.is_full() {
            match self.expects {
                Expects::Header => {
                    if !self.gather(HEADER, input, Self::header)? {
                        break;
                    }
                }
                Expects::Skipped(length) => {
                    let now = length.min(input.len());
                    *input = input.get(now..).unwrap_or_default();
                    if now < length {
                        self.expects = Expects::Skipped(length - now);
                        break;
                    }
                    self.expects = Expects::Header;
                }
                Expects::Chunk(kind, length) => {
                    if !self.gather(length, input, |this, body| this.chunk(kind, body, output))? {
                        break;
                    }
                    self.expects = Expects::Header;
                }
            }
        }
        Ok(())
    }

    fn may_end(&self) -> bool {
        self.started && self.expects == Expects::Header && self.gathered.is_empty()
    }
}

impl fmt::Debug for SnappyDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnappyDecoder")
            .field("started", &self.started)
            .field("expects", &self.expects)
            .finish_non_exhaustive()
    }
}
