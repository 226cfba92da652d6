//! Deleting the chunks that no object has: those of replaced large objects, and of writers that came
//! to nothing. They are in the table of pending blobs, without an owner.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use storage_core::Result;

use crate::call::Call;
use crate::chunks::{delete_batch, finds};
use crate::database::transact;
use crate::failure::failure;
use crate::owner;
use crate::schema::Schema;

/// Most transactions, of 16 MiB each, that one sweep takes.
const MAX_TURNS: usize = 64;

/// Whether there is something to sweep.
pub(crate) fn is_needed(schema: &Schema, connection: &Connection) -> Result<bool> {
    finds(connection, &schema.garbage, [])
}

/// Deletes in short transactions, between which other processes get their turn.
pub(crate) fn garbage(schema: &Schema, connection: &Connection) -> Result<()> {
    for _ in 0..MAX_TURNS {
        if !some(schema, connection)? {
            break;
        }
    }
    Ok(())
}

/// Deletes in one short transaction; `false` when there was nothing to delete.
pub(crate) fn some(schema: &Schema, connection: &Connection) -> Result<bool> {
    transact(connection, &Call::default(), |connection| {
        batch(schema, connection)
    })
}

/// Deletes some chunks; `false` when there was nothing to delete.
fn batch(schema: &Schema, connection: &Connection) -> Result<bool> {
    let mut statement = connection
        .prepare_cached(&schema.garbage)
        .map_err(failure)?;
    let found = statement
        .query_row([], |row| row.get::<_, i64>(0))
        .optional();
    let Some(blob) = found.map_err(failure)? else {
        return Ok(false);
    };
    if delete_batch(connection, schema, blob, 0)? {
        run(connection, &schema.forget_garbage, [blob])?;
    }
    Ok(true)
}

/// Leaves blobs of one's own to be swept.
pub(crate) fn retire(
    schema: &Schema,
    connection: &Connection,
    owner: &str,
    blobs: &[i64],
) -> Result<()> {
    transact(connection, &Call::default(), |connection| {
        blobs
            .iter()
            .try_for_each(|blob| run(connection, &schema.retire_pending, params![blob, owner]))
    })
}

/// Leaves everything of an owner to be swept.
pub(crate) fn retire_owner(schema: &Schema, connection: &Connection, owner: &str) -> Result<()> {
    transact(connection, &Call::default(), |connection| {
        run(connection, &schema.retire_owner, [owner])
    })
}

/// Takes over what processes that were killed have left, and sweeps it.
pub(crate) fn adopt(file: &Path, schema: &Schema, connection: &Connection) -> Result<()> {
    let owners = owners(schema, connection)?;
    let any = !owners.is_empty() || is_needed(schema, connection)?;
    if !any || connection.is_readonly("main").map_err(failure)? {
        return Ok(());
    }
    transact(connection, &Call::default(), |connection| {
        // With the write lock held nobody claims a name meanwhile.
        self::owners(schema, connection)?
            .iter()
            .filter(|id| !owner::is_alive(file, id))
            .try_for_each(|id| run(connection, &schema.retire_owner, [id]))
    })?;
    garbage(schema, connection)
}

fn owners(schema: &Schema, connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(&schema.owners).map_err(failure)?;
    let owners = statement.query_map([], |row| row.get(0)).map_err(failure)?;
    owners.collect::<Result<_, _>>().map_err(failure)
}

fn run(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    statement.execute(parameters).map(drop).map_err(failure)
}
