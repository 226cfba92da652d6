//! Content as rows of at most [`CHUNK`] bytes: all of a blob's chunks but the last are full, so that
//! any offset is found by arithmetic.

use std::ops::Range;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use storage_core::{Error, ErrorKind, Result};

use crate::failure::{damaged, failure};
use crate::schema::Schema;

/// Bytes of a full chunk.
pub(crate) const CHUNK: usize = 64 << 10;

/// Bits of a chunk's id that count the chunks of one blob: 4 TiB.
const SEQUENCE_BITS: u32 = 26;

/// Chunks that one statement deletes: 16 MiB.
pub(crate) const BATCH: i64 = 256;

/// The ids of the chunks that hold a range of bytes of a blob.
fn ids(blob: i64, bytes: &Range<u64>) -> Result<(i64, i64)> {
    let last = bytes.end.saturating_sub(1) / CHUNK as u64;
    let first = (bytes.start / CHUNK as u64).min(last);
    if last >> SEQUENCE_BITS != 0 {
        let message = "an object has at most 4 TiB";
        return Err(Error::new(ErrorKind::QuotaExceeded, message));
    }
    let base = blob
        .checked_mul(1 << SEQUENCE_BITS)
        .ok_or_else(|| damaged("the number of a blob is out of range"))?;
    // Both are below 2^26.
    Ok((base + first as i64, base + last as i64))
}

/// A number above `floor` that no chunk belongs to, nor a draft that has no chunk yet.
pub(crate) fn new_blob(connection: &Connection, schema: &Schema, floor: i64) -> Result<i64> {
    let mut statement = connection
        .prepare_cached(&schema.last_blob)
        .map_err(failure)?;
    let found: i64 = statement.query_row([], |row| row.get(0)).map_err(failure)?;
    let last = floor.max(found);
    last.checked_add(1)
        .ok_or_else(|| damaged("the number of a blob is out of range"))
}

/// Cuts what it is given into chunks and stores them one after another.
#[derive(Debug)]
pub(crate) struct Chunker {
    blob: i64,
    /// Bytes stored in full chunks.
    stored: u64,
    /// What does not fill a chunk yet.
    partial: Vec<u8>,
}

impl Chunker {
    /// A blob without bytes.
    pub(crate) const fn new(blob: i64) -> Self {
        Self {
            blob,
            stored: 0,
            partial: Vec::new(),
        }
    }

    /// Goes on after the `size` bytes that the blob has.
    pub(crate) fn after(
        connection: &Connection,
        schema: &Schema,
        blob: i64,
        size: u64,
    ) -> Result<Self> {
        let stored = size - size % CHUNK as u64;
        let mut partial = Vec::new();
        read(connection, schema, blob, size, stored..size, &mut partial)?;
        Ok(Self {
            blob,
            stored,
            partial,
        })
    }

    /// What does not fill a chunk yet.
    pub(crate) fn partial(&self) -> &[u8] {
        &self.partial
    }

    pub(crate) const fn blob(&self) -> i64 {
        self.blob
    }

    pub(crate) fn size(&self) -> u64 {
        self.stored + self.partial.len() as u64
    }

    /// Stores every chunk that the bytes fill.
    pub(crate) fn add(
        &mut self,
        connection: &Connection,
        schema: &Schema,
        mut bytes: &[u8],
    ) -> Result<()> {
        while !bytes.is_empty() {
            if self.partial.is_empty()
                && let Some((full, rest)) = bytes.split_at_checked(CHUNK)
            {
                self.put(connection, schema, full)?;
                self.stored += CHUNK as u64;
                bytes = rest;
                continue;
            }
            let (part, rest) = bytes.split_at(bytes.len().min(CHUNK - self.partial.len()));
            self.partial.extend_from_slice(part);
            bytes = rest;
            if self.partial.len() == CHUNK {
                self.put(connection, schema, &self.partial)?;
                self.stored += CHUNK as u64;
                self.partial.clear();
            }
        }
        Ok(())
    }

    pub(crate) fn add_all(
        &mut self,
        connection: &Connection,
        schema: &Schema,
        pieces: &[Bytes],
    ) -> Result<()> {
        pieces
            .iter()
            .try_for_each(|piece| self.add(connection, schema, piece))
    }

    /// Stores what is left, and says where the bytes are and how many.
    pub(crate) fn end(
        &self,
        connection: &Connection,
        schema: &Schema,
    ) -> Result<(Option<i64>, u64)> {
        if !self.partial.is_empty() {
            self.put(connection, schema, &self.partial)?;
        }
        let size = self.size();
        Ok(((size > 0).then_some(self.blob), size))
    }

    fn put(&self, connection: &Connection, schema: &Schema, chunk: &[u8]) -> Result<()> {
        let (id, _) = ids(self.blob, &(self.stored..self.stored + 1))?;
        let mut statement = connection
            .prepare_cached(&schema.put_chunk)
            .map_err(failure)?;
        let put = statement.execute(params![id, chunk]);
        put.map(drop).map_err(failure)
    }
}

/// Adds a range of the blob of an object of `size` bytes to `out`.
///
/// # Errors
/// `Corrupt` when chunks are missing or have not the length that they must have.
pub(crate) fn read(
    connection: &Connection,
    schema: &Schema,
    blob: i64,
    size: u64,
    range: Range<u64>,
    out: &mut Vec<u8>,
) -> Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    let (first, last) = ids(blob, &range)?;
    let mut statement = connection.prepare_cached(&schema.chunks).map_err(failure)?;
    let mut rows = statement.query([first, last]).map_err(failure)?;
    let mut at = range.start - range.start % CHUNK as u64;
    while let Some(row) = rows.next().map_err(failure)? {
        let chunk = row.get_ref(0).map_err(failure)?.as_blob();
        let chunk = chunk.map_err(|_| damaged("a chunk is not a blob"))?;
        out.extend_from_slice(part(chunk, at, size, &range)?);
        at += CHUNK as u64;
    }
    if at < range.end {
        return Err(damaged(format!("the chunk at byte {at} is missing")));
    }
    Ok(())
}

/// What a chunk at offset `at` of an object has of a range.
pub(crate) fn part<'c>(
    chunk: &'c [u8],
    at: u64,
    size: u64,
    range: &Range<u64>,
) -> Result<&'c [u8]> {
    let expected = size.saturating_sub(at).min(CHUNK as u64);
    let start = range.start.saturating_sub(at);
    let end = range.end.saturating_sub(at).min(expected);
    match chunk.get(start as usize..end as usize) {
        Some(part) if chunk.len() as u64 == expected => Ok(part),
        _ => Err(damaged(format!(
            "the chunk at byte {at} has {} bytes, not {expected}",
            chunk.len()
        ))),
    }
}

/// Deletes up to [`BATCH`] chunks of a blob, of those from a byte on; `true` when none is left there.
pub(crate) fn delete_batch(
    connection: &Connection,
    schema: &Schema,
    blob: i64,
    from: u64,
) -> Result<bool> {
    let (first, last) = ids(blob, &(from..(CHUNK as u64) << SEQUENCE_BITS))?;
    let mut statement = connection
        .prepare_cached(&schema.delete_chunks)
        .map_err(failure)?;
    let deleted = statement.execute([first, last, BATCH]).map_err(failure)?;
    Ok((deleted as i64) < BATCH)
}

/// Copies all chunks of one blob to another.
pub(crate) fn copy(
    connection: &Connection,
    schema: &Schema,
    from: i64,
    size: u64,
    to: i64,
) -> Result<()> {
    let (first, last) = ids(from, &(0..size))?;
    let (target, _) = ids(to, &(0..1))?;
    let mut statement = connection
        .prepare_cached(&schema.copy_chunks)
        .map_err(failure)?;
    let copied = statement.execute([first, last, target]).map_err(failure)?;
    if copied as u64 != size.div_ceil(CHUNK as u64) {
        return Err(damaged("chunks of the source are missing"));
    }
    Ok(())
}

/// Whether a statement finds anything.
pub(crate) fn finds(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<bool> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let found = statement.query_row(parameters, |_| Ok(())).optional();
    Ok(found.map_err(failure)?.is_some())
}
