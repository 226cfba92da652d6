//! Making a write visible, in one transaction.

use bytes::Bytes;
use rusqlite::{Connection, params};
use std::sync::atomic::Ordering;
use std::time::SystemTime;
use storage_core::timestamp::nanoseconds;
use storage_core::{
    Error, ErrorKind, Hashes, ObjectPath, Result, Version, WriteMode, WriteParts, Written,
};

use crate::chunks::{BATCH, CHUNK, Chunker, delete_batch};
use crate::database::Database;
use crate::draft::Draft;
use crate::failure::failure;
use crate::record::{Attributes, Record};

/// Bytes whose chunks, and no more, one statement deletes.
const AT_ONCE: u64 = BATCH as u64 * CHUNK as u64;

/// What a write is about to publish.
pub(crate) struct Publication {
    pub(crate) path: ObjectPath,
    pub(crate) mode: WriteMode,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) attributes: Attributes,
    /// For `Written`.
    pub(crate) reported: Hashes,
}

/// The bytes of a write.
pub(crate) enum Content<'c> {
    Pieces(&'c [Bytes]),
    Draft(&'c mut Draft),
    /// All bytes of another object, which is in the same transaction.
    Of(&'c Record),
}

impl Publication {
    /// Everything of the options that is stored but the digests. `hashes`, `verify`, `expected` and
    /// `size` are the hasher's, `attributes` has been judged, `durability` is the transaction's.
    pub(crate) fn new(path: ObjectPath, parts: &WriteParts) -> Self {
        Self {
            path,
            mode: parts.mode.clone(),
            modified: parts.modified,
            attributes: Attributes::of(parts),
            reported: Hashes::new(),
        }
    }

    /// In the transaction that is open: judges the mode, and puts the new object in the place of the
    /// old one.
    pub(crate) fn publish(
        self,
        database: &Database,
        connection: &Connection,
        content: Content<'_>,
    ) -> Result<Written> {
        let old = record(database, connection, &self.path)?;
        check_mode(&self.mode, old.as_ref().map(|old| &old.version))?;
        let modified = nanoseconds(self.modified.unwrap_or_else(SystemTime::now))?;
        let (blob, size, attributes) = match old {
            Some(old) if self.mode == WriteMode::Append => {
                let (blob, size) = append(database, connection, &old, content)?;
                (blob, size, self.attributes.or(old.attributes))
            }
            old => {
                let (blob, size) = replace(database, connection, old.as_ref(), content)?;
                (blob, size, self.attributes)
            }
        };
        let record = Record {
            version: database.next_version(),
            size,
            modified,
            blob,
            attributes,
        };
        let mut statement = connection
            .prepare_cached(&database.schema.put_header)
            .map_err(failure)?;
        record.put(&mut statement, &self.path)?;
        Ok(record.written(self.reported))
    }
}

/// The header of an object, in the transaction that is open.
pub(crate) fn record(
    database: &Database,
    connection: &Connection,
    path: &ObjectPath,
) -> Result<Option<Record>> {
    let mut statement = connection
        .prepare_cached(&database.schema.header)
        .map_err(failure)?;
    let mut rows = statement.query([path.as_str()]).map_err(failure)?;
    let row = rows.next().map_err(failure)?;
    row.map(Record::of_row).transpose()
}

/// Judges the mode of a write against the version that is there.
pub(crate) fn check_mode(mode: &WriteMode, actual: Option<&Version>) -> Result<()> {
    match mode {
        WriteMode::Replace | WriteMode::Append => Ok(()),
        WriteMode::CreateNew if actual.is_some() => Err(Error::new(ErrorKind::AlreadyExists, "")),
        WriteMode::CreateNew => Ok(()),
        WriteMode::IfVersion(expected) if actual == Some(expected) => Ok(()),
        WriteMode::IfVersion(expected) => Err(Error::precondition_failed(
            Some(expected.clone()),
            actual.cloned(),
        )),
    }
}

/// Takes the bytes of an object away, at once or, where there are many, by the sweep that follows.
pub(crate) fn retire(
    database: &Database,
    connection: &Connection,
    old: Option<&Record>,
) -> Result<()> {
    let Some((old, blob)) = old.and_then(|old| Some((old, old.blob?))) else {
        return Ok(());
    };
    if old.size < AT_ONCE {
        return delete_batch(connection, &database.schema, blob, 0).map(drop);
    }
    let mut statement = connection
        .prepare_cached(&database.schema.pend)
        .map_err(failure)?;
    let owner: Option<&str> = None;
    statement.execute(params![blob, owner]).map_err(failure)?;
    database.garbage.store(true, Ordering::Release);
    Ok(())
}

/// Puts bytes in the place of those of an object, if there is one: where both are few, over its chunks.
fn replace(
    database: &Database,
    connection: &Connection,
    old: Option<&Record>,
    content: Content<'_>,
) -> Result<(Option<i64>, u64)> {
    let over = old.and_then(|old| Some((old.blob?, old.size)));
    match (over, &content) {
        (Some((blob, old)), Content::Pieces(pieces))
            if old < AT_ONCE && !pieces.iter().all(Bytes::is_empty) =>
        {
            let mut chunker = Chunker::new(blob);
            chunker.add_all(connection, &database.schema, pieces)?;
            let end = chunker.size().next_multiple_of(CHUNK as u64);
            if old > end {
                delete_batch(connection, &database.schema, blob, end)?;
            }
            chunker.end(connection, &database.schema)
        }
        _ => {
            retire(database, connection, old)?;
            store(database, connection, content)
        }
    }
}

/// Where the bytes of a new object are, and how many.
fn store(
    database: &Database,
    connection: &Connection,
    content: Content<'_>,
) -> Result<(Option<i64>, u64)> {
    match content {
        Content::Draft(draft) => draft.publish(database, connection),
        Content::Pieces(pieces) if pieces.iter().all(Bytes::is_empty) => Ok((None, 0)),
        Content::Pieces(pieces) => {
            let mut chunker = Chunker::new(database.new_blob(connection)?);
            chunker.add_all(connection, &database.schema, pieces)?;
            chunker.end(connection, &database.schema)
        }
        Content::Of(source) => {
            let Some(from) = source.blob else {
                return Ok((None, 0));
            };
            let to = database.new_blob(connection)?;
            crate::chunks::copy(connection, &database.schema, from, source.size, to)?;
            Ok((Some(to), source.size))
        }
    }
}

/// Adds bytes to an object.
fn append(
    database: &Database,
    connection: &Connection,
    old: &Record,
    content: Content<'_>,
) -> Result<(Option<i64>, u64)> {
    let Some(blob) = old.blob else {
        return store(database, connection, content);
    };
    let schema = &database.schema;
    let mut chunker = Chunker::after(connection, schema, blob, old.size)?;
    match content {
        Content::Pieces(pieces) => chunker.add_all(connection, schema, pieces)?,
        Content::Draft(draft) => draft.append_to(database, connection, &mut chunker)?,
        Content::Of(_) => return Err(Error::unsupported("copy in mode append")),
    }
    chunker.end(connection, schema)
}

/// Removes an object; `false` when there is none.
pub(crate) fn delete(
    database: &Database,
    connection: &Connection,
    path: &ObjectPath,
) -> Result<bool> {
    let Some(old) = record(database, connection, path)? else {
        return Ok(false);
    };
    retire(database, connection, Some(&old))?;
    let mut statement = connection
        .prepare_cached(&database.schema.delete_header)
        .map_err(failure)?;
    statement.execute([path.as_str()]).map_err(failure)?;
    Ok(true)
}

/// Changes one header, and says whether it is there.
pub(crate) fn update(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    match statement.execute(parameters).map_err(failure)? {
        0 => Err(Error::not_found("")),
        _ => Ok(()),
    }
}
