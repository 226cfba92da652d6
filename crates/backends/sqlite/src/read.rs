//! Reading one object as it was when it was opened.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use rusqlite::{Connection, Row};
use storage_core::{ByteRange, Error, ObjectInfo, ObjectPath, ReadOptions, Reader, Result};
use storage_hash::verified;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::call::lost;
use crate::chunks::{self, CHUNK};
use crate::database::{Database, Snapshot};
use crate::failure::failure;
use crate::record::Record;

/// Bytes that one hop reads: 16 chunks.
const SPAN: u64 = 16 * CHUNK as u64;

/// What is going to be read of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its range.
    Range,
    /// Other ranges too.
    More,
}

/// One object in a snapshot of the file.
pub(crate) struct Opened {
    pub(crate) record: Record,
    range: Range<u64>,
    verify: bool,
    /// What came with the record, from the start of the range.
    first: Vec<u8>,
    snapshot: Snapshot,
}

impl Opened {
    /// Finds the object, and its first chunk with it. Holds the snapshot if the range, or what is
    /// `wanted` of the object, needs more. Blocks.
    pub(crate) fn find(
        database: &Arc<Database>,
        path: &ObjectPath,
        options: ReadOptions,
        wanted: Wanted,
    ) -> Result<Self> {
        let snapshot = database.reading()?;
        let (record, range, verify, first) = {
            let connection = snapshot.connection()?;
            let mut statement = connection
                .prepare_cached(&snapshot.schema().open)
                .map_err(failure)?;
            let mut rows = statement.query([path.as_str()]).map_err(failure)?;
            let row = rows.next().map_err(failure)?;
            let row = row.ok_or_else(|| Error::not_found(""))?;
            let record = Record::of_row(row)?;
            let parts = options.into_parts();
            let (range, verify) =
                parts.judge(&record.version, record.size, &record.attributes.hashes)?;
            let first = first_part(row, &record, &range)?;
            if wanted == Wanted::More || range.end > CHUNK as u64 {
                // The statement is under way: it is what it saw that is held.
                snapshot.hold()?;
            }
            (record, range, verify, first)
        };
        Ok(Self {
            record,
            range,
            verify,
            first,
            snapshot,
        })
    }

    /// All of the range in one piece. Blocks.
    pub(crate) fn all(self) -> Result<Bytes> {
        let Self {
            record,
            range,
            mut first,
            snapshot,
            ..
        } = self;
        let rest = range.start + first.len() as u64..range.end;
        if rest.start < rest.end {
            first.reserve_exact(
                usize::try_from(rest.end - rest.start)
                    .unwrap_or(0)
                    .min(1 << 30),
            );
            span(&snapshot, &record, rest, &mut first)?;
        }
        Ok(first.into())
    }

    /// Other ranges of the same snapshot. Blocks.
    pub(crate) fn ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let read = |range: &Range<u64>| {
            let range = ByteRange::from(range.clone()).resolve(self.record.size)?;
            let mut bytes = Vec::new();
            span(&self.snapshot, &self.record, range, &mut bytes)?;
            Ok(bytes.into())
        };
        ranges.iter().map(read).collect()
    }

    /// A reader, which has its first bytes already and needs the snapshot only for more. Blocks.
    pub(crate) fn into_reader(self, path: ObjectPath) -> Result<Reader> {
        let info = self.record.info(path);
        let range = self.range.clone();
        if range.end - range.start <= SPAN {
            let verify = self.verify.then(|| self.record.attributes.hashes.clone());
            let bytes = self.all()?;
            let Some(expected) = verify else {
                return Ok(Reader::from_bytes(info, range, bytes));
            };
            let stream = storage_core::Payload::from(bytes).stream();
            let stream = verified(stream, expected)?;
            return Ok(Reader::from_stream(info, range, stream));
        }
        self.stream(info)
    }

    fn stream(self, info: ObjectInfo) -> Result<Reader> {
        let Self {
            record,
            range,
            verify,
            first,
            snapshot,
        } = self;
        let expected = verify.then(|| record.attributes.hashes.clone());
        let stream = SnapshotStream {
            rest: range.start + first.len() as u64..range.end,
            first: Some(first.into()).filter(|first: &Bytes| !first.is_empty()),
            state: State::Idle(Box::new((snapshot, record))),
        };
        Ok(match expected {
            None => Reader::from_stream(info, range, Box::pin(stream)),
            Some(expected) => {
                Reader::from_stream(info, range, verified(Box::pin(stream), expected)?)
            }
        })
    }
}

/// What the first chunk, which follows the header in a row, has of the start of a range.
fn first_part(row: &Row<'_>, record: &Record, range: &Range<u64>) -> Result<Vec<u8>> {
    let wanted = range.start < CHUNK as u64 && range.start < range.end;
    if !wanted {
        return Ok(Vec::new());
    }
    let chunk = row.get_ref(9).map_err(failure)?.as_blob();
    let chunk = chunk.map_err(|_| crate::failure::damaged("the first chunk is missing"))?;
    Ok(chunks::part(chunk, 0, record.size, range)?.to_vec())
}

fn span(snapshot: &Snapshot, record: &Record, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
    let Some(blob) = record.blob else {
        return match range.is_empty() {
            true => Ok(()),
            false => Err(crate::failure::damaged(
                "the object has a size and no bytes",
            )),
        };
    };
    let connection: &Connection = snapshot.connection()?;
    chunks::read(connection, snapshot.schema(), blob, record.size, range, out)
}

/// The bytes of an object, one span read ahead. Keeps its snapshot of the file until it ends.
struct SnapshotStream {
    first: Option<Bytes>,
    rest: Range<u64>,
    state: State,
}

type Source = Box<(Snapshot, Record)>;

enum State {
    Idle(Source),
    Reading(JoinHandle<Result<(Source, Bytes)>>),
    Ended,
}

impl SnapshotStream {
    /// Begins to read the next span, if there is one.
    fn start(&mut self, source: Source) {
        let end = self.rest.end.min(self.rest.start + SPAN);
        let range = std::mem::replace(&mut self.rest.start, end)..end;
        self.state = if range.is_empty() {
            State::Ended
        } else {
            State::Reading(spawn_blocking(move || {
                let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
                span(&source.0, &source.1, range, &mut bytes)?;
                Ok((source, bytes.into()))
            }))
        };
    }
}

impl Stream for SnapshotStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let State::Idle(_) = self.state
            && let State::Idle(source) = std::mem::replace(&mut self.state, State::Ended)
        {
            self.start(source);
        }
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let State::Reading(reading) = &mut self.state else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(cx)).map_err(lost).flatten();
        self.state = State::Ended;
        Poll::Ready(Some(read.map(|(source, bytes)| {
            self.start(source);
            bytes
        })))
    }
}
