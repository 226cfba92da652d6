//! The open file: one connection that writes, and any number that read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use storage_core::{Durability, Error, ErrorKind, Result, Version};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use crate::builder::{Settings, Synchronous};
use crate::call::{Call, hop};
use crate::failure::failure;
use crate::owner::Owner;
use crate::schema::Schema;
use crate::version::Versions;
use crate::{connect, sweep};

/// Connections for reading that are kept while nobody uses them.
const MAX_IDLE: usize = 8;

/// One open store. Shared by the backend, its readers and its writers.
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) schema: Schema,
    pub(crate) settings: Settings,
    /// Whoever changes something takes the connection for the time of one transaction, in the order
    /// of asking. `None` when the backend is closed.
    writer: Arc<Turn<Option<WriteConnection>>>,
    /// `None` when the backend is closed.
    idle: Mutex<Option<Vec<Connection>>>,
    versions: Versions,
    /// The largest number of a blob that was handed out here: none is handed out twice.
    last_blob: AtomicI64,
    /// Whether something was committed that a loss of power may undo.
    unflushed: AtomicBool,
    owner: Mutex<Option<Owner>>,
    /// Blobs of writers that came to nothing.
    pub(crate) discarded: Mutex<Vec<i64>>,
}

/// The connection that writes, and the level of durability that it is set to.
struct WriteConnection {
    connection: Connection,
    synchronous: Synchronous,
}

type Held = OwnedMutexGuard<Option<WriteConnection>>;

fn closed() -> Error {
    Error::new(ErrorKind::BackendClosed, "")
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Database {
    /// Opens the file and makes the tables that are missing. Blocks.
    pub(crate) fn open(path: &Path, table: &str, settings: Settings) -> Result<Self> {
        let schema = Schema::new(table)?;
        let (path, connection) = connect::open(path, &schema, &settings)?;
        sweep::adopt(&path, &schema, &connection)?;
        Ok(Self {
            path,
            schema,
            writer: Arc::new(Turn::new(Some(WriteConnection {
                connection,
                synchronous: Synchronous::Full,
            }))),
            idle: Mutex::new(Some(Vec::new())),
            versions: Versions::new(),
            last_blob: AtomicI64::new(0),
            unflushed: AtomicBool::new(false),
            owner: Mutex::new(None),
            discarded: Mutex::new(Vec::new()),
            settings,
        })
    }

    /// Runs `work` in one transaction that holds the write lock of the file, on a thread that may
    /// block, and commits it. What the work leaves to be swept is swept afterwards.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        durability: Durability,
        work: impl FnOnce(&Database, &Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let database = Arc::clone(self);
        hop(move |call| database.change_now(writer, call, durability, work)).await
    }

    fn change_now<T>(
        &self,
        mut held: Held,
        call: &Call,
        durability: Durability,
        work: impl FnOnce(&Database, &Connection) -> Result<T>,
    ) -> Result<T> {
        let writer = held.as_mut().ok_or_else(closed)?;
        let level = self.settings.synchronous.of(durability);
        writer.set(level)?;
        let (done, garbage) = transact(&writer.connection, call, |connection| {
            let done = work(self, connection)?;
            Ok((done, sweep::is_needed(&self.schema, connection)?))
        })?;
        if level == Synchronous::Normal {
            self.unflushed.store(true, Ordering::Release);
        }
        if garbage {
            // It is out of sight already, and whoever changes something next goes on with it.
            writer.set(Synchronous::Normal)?;
            let _ = sweep::garbage(&self.schema, &writer.connection);
        }
        Ok(done)
    }

    /// Marks what writers that came to nothing have left, and deletes it. Blocks.
    pub(crate) fn sweep_discarded(&self) {
        if let Some(writer) = self.writer.blocking_lock().as_mut() {
            self.sweep_with(&writer.connection);
        }
    }

    fn sweep_with(&self, connection: &Connection) {
        let discarded = std::mem::take(&mut *lock(&self.discarded));
        let Some(owner) = self.owner_id().filter(|_| !discarded.is_empty()) else {
            return;
        };
        // What cannot be swept now is swept when the file is opened again.
        let _ = sweep::retire(&self.schema, connection, &owner, &discarded)
            .and_then(|()| sweep::garbage(&self.schema, connection));
    }

    /// Makes every commit before the call durable.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<()> {
        if !self.unflushed.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let flushed = self.change(Durability::Immediate, |_, connection| {
            // A commit writes the log through to the disk, and with it all commits before. This one
            // changes a number of the file into itself.
            let number: i64 = connection
                .pragma_query_value(None, "user_version", |row| row.get(0))
                .map_err(failure)?;
            connection
                .pragma_update(None, "user_version", number)
                .map_err(failure)
        });
        let flushed = flushed.await;
        if flushed.is_err() {
            self.unflushed.store(true, Ordering::Release);
        }
        flushed
    }

    /// A connection with a snapshot. Blocks.
    pub(crate) fn snapshot(self: &Arc<Self>) -> Result<Snapshot> {
        let idle = lock(&self.idle).as_mut().ok_or_else(closed)?.pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect::reader(&self.path, &self.settings)?,
        };
        connection
            .prepare_cached("BEGIN")
            .and_then(|mut begin| begin.execute([]))
            .map_err(failure)?;
        Ok(Snapshot {
            connection: Some(connection),
            database: Arc::clone(self),
        })
    }

    /// Closes the connections that nobody uses, and lets no other be opened.
    pub(crate) async fn close(self: &Arc<Self>) -> Result<()> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let database = Arc::clone(self);
        hop(move |_| {
            if let Some(WriteConnection { connection, .. }) = writer.take() {
                if let Some(owner) = lock(&database.owner).take() {
                    // No writer can publish any more.
                    let _ = sweep::retire_owner(&database.schema, &connection, &owner.id)
                        .and_then(|()| sweep::garbage(&database.schema, &connection));
                }
                drop(lock(&database.idle).take());
                connection.close().map_err(|(_, error)| failure(error))?;
            }
            Ok(())
        })
        .await
    }

    pub(crate) fn next_version(&self) -> Version {
        self.versions.next()
    }

    /// A number for a new blob, in the transaction that is open.
    pub(crate) fn new_blob(&self, connection: &Connection) -> Result<i64> {
        let floor = self.last_blob.load(Ordering::Acquire);
        let blob = crate::chunks::new_blob(connection, &self.schema, floor)?;
        self.last_blob.fetch_max(blob, Ordering::AcqRel);
        Ok(blob)
    }

    /// The name under which this instance keeps unpublished chunks, for which the write lock is held.
    pub(crate) fn claim_owner(&self) -> Result<String> {
        let mut owner = lock(&self.owner);
        if owner.is_none() {
            *owner = Some(Owner::claim(&self.path, self.versions.instance())?);
        }
        Ok(owner
            .as_ref()
            .map(|owner| owner.id.clone())
            .unwrap_or_default())
    }

    pub(crate) fn owner_id(&self) -> Option<String> {
        lock(&self.owner).as_ref().map(|owner| owner.id.clone())
    }
}

impl WriteConnection {
    fn set(&mut self, level: Synchronous) -> Result<()> {
        if self.synchronous != level {
            self.connection
                .pragma_update(None, "synchronous", level.as_str())
                .map_err(failure)?;
            self.synchronous = level;
        }
        Ok(())
    }
}

/// Runs `work` in one transaction that holds the write lock from its start.
pub(crate) fn transact<T>(
    connection: &Connection,
    call: &Call,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failure)?;
    let done = work(&transaction)?;
    call.commit(|| transaction.commit().map_err(failure))?;
    Ok(done)
}

/// A connection that sees the file as it was at its first read. Given back when dropped.
pub(crate) struct Snapshot {
    connection: Option<Connection>,
    database: Arc<Database>,
}

impl Snapshot {
    pub(crate) fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(closed)
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.database.schema
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let ended = connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]));
        let mut idle = lock(&self.database.idle);
        if let Some(idle) = idle
            .as_mut()
            .filter(|idle| ended.is_ok() && idle.len() < MAX_IDLE)
        {
            idle.push(connection);
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .field("table", &self.schema.table)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
