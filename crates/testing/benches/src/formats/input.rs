//! What is read and written: the same in every run.

use std::io::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How much a stream brings at once.
pub(super) const CHUNK: usize = 256 << 10;

/// A line of a log, as most NDJSON is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) time: String,
    pub(super) level: String,
    pub(super) service: String,
    pub(super) user: u64,
    pub(super) took: f64,
    pub(super) message: String,
}

/// Numbers without end.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new() -> Self {
        Self(7)
    }

    pub(super) const fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

const WORDS: [&str; 16] = [
    "request",
    "served",
    "from",
    "cache",
    "after",
    "retry",
    "to",
    "backend",
    "timeout",
    "while",
    "reading",
    "upstream",
    "closed",
    "connection",
    "slow",
    "query",
];

/// Records of about 150 bytes.
pub(super) fn events(count: usize) -> Vec<Event> {
    let mut dice = Dice::new();
    let event = |number: usize| {
        let words = 3 + dice.below(8);
        let message: Vec<_> = (0..words).map(|_| WORDS[dice.below(16)]).collect();
        let (minute, second) = (number / 60_000 % 60, number / 1000 % 60);
        Event {
            time: format!(
                "2026-03-01T12:{minute:02}:{second:02}.{:03}Z",
                number % 1000
            ),
            level: ["info", "info", "info", "warn", "error"][dice.below(5)].to_owned(),
            service: ["gateway", "search", "billing"][dice.below(3)].to_owned(),
            user: dice.below(1_000_000) as u64,
            took: dice.below(100_000) as f64 / 100.0,
            message: message.join(" "),
        }
    };
    (0..count).map(event).collect()
}

/// Events as NDJSON, at least so many bytes.
pub(super) fn ndjson(bytes: usize) -> crate::Result<Bytes> {
    let some = events(20_000);
    let mut text = Vec::with_capacity(bytes + 1024);
    for event in some.iter().cycle() {
        if text.len() >= bytes {
            break;
        }
        serde_json::to_writer(&mut text, event)?;
        text.push(b'\n');
    }
    Ok(text.into())
}

/// Events as CSV with a header, at least so many bytes.
pub(super) fn csv(bytes: usize) -> crate::Result<Bytes> {
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(bytes + 1024));
    for event in events(20_000).iter().cycle() {
        writer.serialize(event)?;
        if writer.get_ref().len() >= bytes {
            break;
        }
    }
    Ok(writer
        .into_inner()
        .map_err(|error| error.to_string())?
        .into())
}

/// Lines of one byte again and again, of lengths around `length`, at least so many bytes.
pub(super) fn lines(length: usize, bytes: usize) -> Bytes {
    let (mut dice, mut text) = (Dice::new(), Vec::with_capacity(bytes + 2 * length));
    while text.len() < bytes {
        let this = length * 3 / 4 + dice.below(length / 2 + 1);
        text.resize(text.len() + this, b'x');
        text.push(b'\n');
    }
    text.into()
}

/// The records of NDJSON behind their lengths, as 32-bit numbers, the most significant byte first.
pub(super) fn framed(ndjson: &[u8]) -> crate::Result<Bytes> {
    let mut framed = Vec::with_capacity(ndjson.len() * 2);
    for line in ndjson
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        framed.write_all(&u32::try_from(line.len())?.to_be_bytes())?;
        framed.write_all(line)?;
    }
    Ok(framed.into())
}

pub(super) fn chunks(input: &Bytes) -> impl Iterator<Item = Bytes> + Send + 'static {
    let input = input.clone();
    let starts = (0..input.len()).step_by(CHUNK);
    starts.map(move |start| input.slice(start..input.len().min(start + CHUNK)))
}
