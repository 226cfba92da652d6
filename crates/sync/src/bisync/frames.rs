//! The form of a state object: frames, each with its length and CRC-32C. The first is the header, the
//! last says how many records there were; between them are packed records.

use bytes::{Buf, Bytes, BytesMut};
use storage_core::{HashType, Reader};

use super::record::{Packer, Record, Unpacker};

const MAGIC: &[u8; 8] = b"OMNISYNC";
const VERSION: u8 = 2;
/// The oldest that is read: without entity tags.
const OLDEST: u8 = 1;
const HEADER: u8 = 0;
const RECORDS: u8 = 1;
const END: u8 = 2;

/// Bytes of records after which a frame is closed.
const FRAME: usize = 32 << 10;

/// No frame is longer: keys are, on all stores, far shorter.
const MAX_FRAME: usize = 16 << 20;

/// What a state object says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Which state a journal belongs to.
    pub(crate) generation: u64,
    /// The two trees, and the settings that the records depend on.
    pub(crate) names: [String; 3],
}

/// What is wrong with a state object.
pub(crate) type Flaw = &'static str;

/// Turns records into frames.
#[derive(Debug)]
pub(crate) struct Encoder {
    packer: Packer,
    count: u64,
}

impl Encoder {
    /// Starts an object; its first frame.
    pub(crate) fn start(header: &Header) -> (Self, Bytes) {
        let mut payload = vec![HEADER];
        payload.extend_from_slice(MAGIC);
        payload.push(VERSION);
        payload.extend_from_slice(&header.generation.to_le_bytes());
        for name in &header.names {
            payload.extend_from_slice(&(name.len() as u32).to_le_bytes());
            payload.extend_from_slice(name.as_bytes());
        }
        let (packer, count) = (Packer::default(), 0);
        (Self { packer, count }, frame(&payload))
    }

    /// Adds a record; the frame that it completes.
    pub(crate) fn push(&mut self, record: &Record) -> Option<Bytes> {
        self.packer.push(0, record);
        self.count += 1;
        (self.packer.len() >= FRAME).then(|| self.records())
    }

    /// The last frames.
    pub(crate) fn finish(mut self) -> Bytes {
        let mut payload = vec![END];
        payload.extend_from_slice(&self.count.to_le_bytes());
        let mut last = BytesMut::from(&*self.records());
        last.extend_from_slice(&frame(&payload));
        last.freeze()
    }

    fn records(&mut self) -> Bytes {
        let mut payload = vec![RECORDS];
        payload.append(&mut self.packer.take());
        frame(&payload)
    }
}

fn frame(payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(8 + payload.len());
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&checksum(payload));
    frame.extend_from_slice(payload);
    frame.into()
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    let hashes = storage_hash::hash(HashType::Crc32c.into(), payload);
    let digest = hashes
        .get(HashType::Crc32c)
        .and_then(|digest| digest.try_into().ok());
    digest.unwrap_or_default()
}

/// Why a state object could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    Flawed(Flaw),
    Storage(storage_core::Error),
}

impl From<Flaw> for Unread {
    fn from(flaw: Flaw) -> Self {
        Self::Flawed(flaw)
    }
}

/// Reads the records of a state object. Holds a frame.
#[derive(Debug)]
pub(crate) struct Decoder {
    reader: Reader,
    buffer: BytesMut,
    frame: Unpacker<Bytes>,
    count: u64,
    last: Option<(String, bool)>,
}

impl Decoder {
    /// Reads the header.
    pub(crate) async fn start(reader: Reader) -> Result<(Self, Header), Unread> {
        let mut decoder = Self {
            reader,
            buffer: BytesMut::new(),
            frame: Unpacker::new(Bytes::new()),
            count: 0,
            last: None,
        };
        let payload = decoder.payload().await?;
        let header = parse_header(&payload)?;
        Ok((decoder, header))
    }

    /// The next record, `None` at the end of a complete object.
    pub(crate) async fn next(&mut self) -> Result<Option<Record>, Unread> {
        loop {
            match self.frame.next() {
                Some(Ok((0, record))) => return self.checked(record).map(Some),
                Some(_) => return Err("a record is malformed".into()),
                None => {}
            }
            let payload = self.payload().await?;
            match payload.split_first() {
                Some((&RECORDS, _)) => self.frame = Unpacker::new(payload.slice(1..)),
                Some((&END, count)) => {
                    let complete = count == self.count.to_le_bytes();
                    return if complete {
                        Ok(None)
                    } else {
                        Err("records are missing".into())
                    };
                }
                _ => return Err("a frame is of an unknown kind".into()),
            }
        }
    }

    /// The merge relies on the order.
    fn checked(&mut self, record: Record) -> Result<Record, Unread> {
        let in_order = self.last.as_ref().is_none_or(|(key, is_dir)| {
            crate::merge::cmp_keys(key, *is_dir, &record.key, record.is_dir).is_lt()
        });
        if !in_order || storage_core::ObjectPath::new(&record.key).is_err() {
            return Err("a record is out of order or has no valid key".into());
        }
        self.count += 1;
        self.last = Some((record.key.clone(), record.is_dir));
        Ok(record)
    }

    async fn payload(&mut self) -> Result<Bytes, Unread> {
        self.fill(8).await?;
        let len = self.buffer.get_u32_le() as usize;
        let expected = self.buffer.split_to(4);
        if len > MAX_FRAME {
            return Err("a frame is too long".into());
        }
        self.fill(len).await?;
        let payload = self.buffer.split_to(len).freeze();
        if expected != checksum(&payload)[..] {
            return Err("a checksum is wrong".into());
        }
        Ok(payload)
    }

    async fn fill(&mut self, len: usize) -> Result<(), Unread> {
        while self.buffer.len() < len {
            match self.reader.chunk().await {
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(error)) => return Err(Unread::Storage(error)),
                None => return Err("it is cut short".into()),
            }
        }
        Ok(())
    }
}

fn parse_header(payload: &[u8]) -> Result<Header, Flaw> {
    let not_ours = "it is not a state of omni bisync";
    let rest = payload.strip_prefix(&[HEADER]).ok_or(not_ours)?;
    let rest = rest.strip_prefix(MAGIC).ok_or(not_ours)?;
    let (version, rest) = rest.split_first().ok_or(not_ours)?;
    if !(OLDEST..=VERSION).contains(version) {
        return Err("it is of a version that this program does not know");
    }
    let (generation, mut rest) = rest.split_first_chunk::<8>().ok_or(not_ours)?;
    let mut names: [String; 3] = Default::default();
    for name in &mut names {
        (*name, rest) = parse_name(rest).ok_or("its header is malformed")?;
    }
    let generation = u64::from_le_bytes(*generation);
    Ok(Header { generation, names })
}

fn parse_name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    Some((std::str::from_utf8(name).ok()?.to_owned(), rest))
}
