//! Opening the file.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use storage_core::{Error, ErrorKind, Result};

use crate::builder::Settings;
use crate::failure::failure;
use crate::schema::Schema;

/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 32;

/// The connection that writes, to a file that has the tables, and the file's absolute path.
pub(crate) fn open(
    path: &Path,
    schema: &Schema,
    settings: &Settings,
) -> Result<(PathBuf, Connection)> {
    let path = std::path::absolute(path)?;
    let opened = open_once_free(&path, schema, settings);
    let connection = opened.map_err(|error| error.with_path(path.to_string_lossy()))?;
    // Links are resolved, so that one file has one name.
    Ok((path.canonicalize()?, connection))
}

/// A connection that reads.
pub(crate) fn reader(path: &Path, settings: &Settings) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failure)?;
    prepare(&connection, settings)?;
    let query_only = connection.pragma_update(None, "query_only", true);
    query_only.map_err(failure)?;
    Ok(connection)
}

fn prepare(connection: &Connection, settings: &Settings) -> Result<()> {
    connection
        .busy_timeout(settings.busy_timeout)
        .map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise statements that might do better with another plan for other parameters, as those on
    // two tables, are prepared anew each time.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(failure)?;
    // On Apple's systems a sync alone leaves the bytes in the disk's own memory; elsewhere it is no
    // matter. Whoever closes the file last checkpoints it, a reader too.
    connection
        .execute_batch("PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1")
        .map_err(failure)
}

/// Tries again while others open the same new file: the step to write-ahead logging does not wait.
fn open_once_free(path: &Path, schema: &Schema, settings: &Settings) -> Result<Connection> {
    let deadline = Instant::now() + settings.busy_timeout;
    loop {
        match open_now(path, schema, settings) {
            Err(error) if error.is_timeout() && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            opened => return opened,
        }
    }
}

fn open_now(path: &Path, schema: &Schema, settings: &Settings) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, settings.create);
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| explain(error, path, settings))?;
    prepare(&connection, settings)?;
    let present = schema.is_present(&connection)?;
    check_encoding(&connection)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(failure)?;
    if mode != "wal" {
        let message = format!("the file does not go to write-ahead logging, it keeps {mode:?}");
        return Err(Error::unsupported(message));
    }
    limit(&connection, settings)?;
    if !present {
        create(&connection, schema)?;
    }
    Ok(connection)
}

/// Says why a file could not be opened, where that can be seen.
fn explain(error: rusqlite::Error, path: &Path, settings: &Settings) -> Error {
    if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return failure(error);
    }
    let folder = path.parent().unwrap_or(path);
    let (kind, message) = if path.is_dir() {
        (ErrorKind::IsDirectory, "there is a directory")
    } else if !folder.is_dir() {
        (ErrorKind::NotFound, "the folder of the file does not exist")
    } else if !settings.create && !path.exists() {
        (
            ErrorKind::NotFound,
            "there is no such file, and `create` is false",
        )
    } else {
        (ErrorKind::PermissionDenied, "the file cannot be opened")
    };
    Error::new(kind, message).with_source(error)
}

/// Keys sort by their bytes only in UTF-8.
fn check_encoding(connection: &Connection) -> Result<()> {
    let encoding: String = connection
        .pragma_query_value(None, "encoding", |row| row.get(0))
        .map_err(failure)?;
    if encoding == "UTF-8" {
        return Ok(());
    }
    let message = format!("the database keeps text as {encoding}, and not as UTF-8");
    Err(Error::unsupported(message))
}

fn limit(connection: &Connection, settings: &Settings) -> Result<()> {
    let Some(bytes) = settings.max_bytes else {
        return Ok(());
    };
    let page: i64 = connection
        .pragma_query_value(None, "page_size", |row| row.get(0))
        .map_err(failure)?;
    let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
    connection
        .pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))
        .map_err(failure)
}

fn create(connection: &Connection, schema: &Schema) -> Result<()> {
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failure)?;
    // Another process may have been first.
    if !schema.is_present(&transaction)? {
        schema.create(&transaction)?;
    }
    transaction.commit().map_err(failure)
}
