//! The open file: one connection that writes, and any number that read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rusqlite::Connection;
use storage_core::{Durability, Error, ErrorKind, Result, Version};
use tokio::runtime::Handle;
use tokio::sync::Mutex as Turn;
use tokio::task::JoinHandle;

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
    /// Whether something was committed that a loss of power may undo. Written by whoever has the turn.
    unflushed: AtomicBool,
    /// Whether a transaction has left something to be swept, unless it was undone.
    pub(crate) garbage: AtomicBool,
    owner: Mutex<Option<Owner>>,
    /// Blobs of writers that came to nothing.
    pub(crate) discarded: Mutex<Vec<i64>>,
}

/// The connection that writes, and the level of durability that it is set to.
struct WriteConnection {
    connection: Connection,
    synchronous: Synchronous,
    /// Who deletes what nothing has any more; `None` when nobody does.
    sweeper: Option<JoinHandle<()>>,
}

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
        settings.check()?;
        let (path, connection) = connect::open(path, &schema, &settings)?;
        sweep::adopt(&path, &schema, &connection)?;
        // More than one sweep takes is left to those that follow the changes.
        let garbage = sweep::is_needed(&schema, &connection)?;
        Ok(Self {
            path,
            schema,
            writer: Arc::new(Turn::new(Some(WriteConnection {
                connection,
                synchronous: Synchronous::Full,
                sweeper: None,
            }))),
            idle: Mutex::new(Some(Vec::new())),
            versions: Versions::new(),
            last_blob: AtomicI64::new(0),
            unflushed: AtomicBool::new(false),
            garbage: AtomicBool::new(garbage),
            owner: Mutex::new(None),
            discarded: Mutex::new(Vec::new()),
            settings,
        })
    }

    /// Runs `work` in one transaction that holds the write lock of the file, on a thread that may
    /// block, and commits it. What the work leaves to be swept is swept after the answer.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        durability: Durability,
        work: impl FnOnce(&Database, &Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut held = Arc::clone(&self.writer).lock_owned().await;
        let database = Arc::clone(self);
        hop(move |call| {
            let writer = held.as_mut().ok_or_else(closed)?;
            database.change_now(writer, call, durability, work)
        })
        .await
    }

    fn change_now<T>(
        self: &Arc<Self>,
        writer: &mut WriteConnection,
        call: &Call,
        durability: Durability,
        work: impl FnOnce(&Database, &Connection) -> Result<T>,
    ) -> Result<T> {
        let level = self.settings.synchronous.of(durability);
        writer.set(level)?;
        let done = transact(&writer.connection, call, |connection| {
            work(self, connection)
        })?;
        if level == Synchronous::Normal {
            self.unflushed.store(true, Ordering::Release);
        }
        self.sweep_after(writer);
        Ok(done)
    }

    /// Sees to it that what is left to be swept is: by another thread, which takes turns with those
    /// that write, or where there is none by whoever changes something later.
    fn sweep_after(self: &Arc<Self>, writer: &mut WriteConnection) {
        let idle = writer.sweeper.as_ref().is_none_or(JoinHandle::is_finished);
        if idle
            && self.garbage.load(Ordering::Acquire)
            && let Ok(runtime) = Handle::try_current()
        {
            let database = Arc::downgrade(self);
            let sweep = move || while Self::sweep_some(&database) {};
            writer.sweeper = Some(runtime.spawn_blocking(sweep));
        }
    }

    /// Deletes one batch of what nothing has any more; `false` when there was none, or when the backend
    /// is closed or gone. Blocks.
    fn sweep_some(database: &Weak<Self>) -> bool {
        let Some(database) = database.upgrade() else {
            return false;
        };
        let mut held = database.writer.blocking_lock();
        let Some(writer) = held.as_mut() else {
            return false;
        };
        database.garbage.store(false, Ordering::Release);
        let swept = writer.set(Synchronous::Normal);
        let swept = swept.and_then(|()| sweep::some(&database.schema, &writer.connection));
        let more = match swept {
            Ok(more) => more,
            Err(_) => {
                // Whoever changes something next goes on with it.
                database.garbage.store(true, Ordering::Release);
                false
            }
        };
        if !more {
            writer.sweeper = None;
        }
        more
    }

    /// Marks what writers that came to nothing have left, and has it swept. Blocks.
    pub(crate) fn sweep_discarded(self: &Arc<Self>) {
        let mut held = self.writer.blocking_lock();
        let Some(writer) = held.as_mut() else {
            return;
        };
        let discarded = std::mem::take(&mut *lock(&self.discarded));
        let Some(owner) = self.owner_id().filter(|_| !discarded.is_empty()) else {
            return;
        };
        // What cannot be marked now is swept when the file is opened again.
        let connection = &writer.connection;
        if sweep::retire(&self.schema, connection, &owner, &discarded).is_ok() {
            self.garbage.store(true, Ordering::Release);
            self.sweep_after(writer);
        }
    }

    /// Makes every commit before the call durable.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<()> {
        if !self.unflushed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut held = Arc::clone(&self.writer).lock_owned().await;
        let database = Arc::clone(self);
        hop(move |call| {
            let writer = held.as_mut().ok_or_else(closed)?;
            writer.set(Synchronous::Full)?;
            transact(&writer.connection, call, touch)?;
            // Nobody commits before the turn is given back.
            database.unflushed.store(false, Ordering::Release);
            Ok(())
        })
        .await
    }

    /// A connection whose every statement sees the file as it is then, until it holds a snapshot.
    /// Blocks.
    pub(crate) fn reading(self: &Arc<Self>) -> Result<Snapshot> {
        let idle = lock(&self.idle).as_mut().ok_or_else(closed)?.pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect::reader(&self.path, &self.settings)?,
        };
        Ok(Snapshot {
            connection: Some(connection),
            database: Arc::clone(self),
        })
    }

    /// A connection with a snapshot. Blocks.
    pub(crate) fn snapshot(self: &Arc<Self>) -> Result<Snapshot> {
        let snapshot = self.reading()?;
        snapshot.hold()?;
        Ok(snapshot)
    }

    /// Closes the connections that nobody uses, and lets no other be opened.
    pub(crate) async fn close(self: &Arc<Self>) -> Result<()> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let database = Arc::clone(self);
        hop(move |_| {
            if let Some(writer) = writer.take() {
                database.sweep_at_close(&writer);
                let WriteConnection { connection, .. } = writer;
                drop(lock(&database.idle).take());
                connection.close().map_err(|(_, error)| failure(error))?;
            }
            Ok(())
        })
        .await
    }

    /// Deletes what was left to the sweeper, and what this instance has staged: no writer can publish
    /// any more.
    fn sweep_at_close(&self, writer: &WriteConnection) {
        let (schema, connection) = (&self.schema, &writer.connection);
        let owner = lock(&self.owner).take();
        let any = owner.is_some() || self.garbage.load(Ordering::Acquire);
        if any || writer.sweeper.is_some() {
            let retire = |owner: Owner| sweep::retire_owner(schema, connection, &owner.id);
            // What stays is swept when the file is opened again.
            let _ = owner
                .map_or(Ok(()), retire)
                .and_then(|()| sweep::garbage(schema, connection));
        }
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
    run(connection, "BEGIN IMMEDIATE")?;
    let _undone = Undone(connection);
    let done = work(connection)?;
    call.commit(|| run(connection, "COMMIT"))?;
    Ok(done)
}

/// Runs a statement that is used over and over.
fn run(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    statement.execute([]).map(drop).map_err(failure)
}

/// Undoes what was not committed when dropped.
struct Undone<'c>(&'c Connection);

impl Drop for Undone<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // It fails only where SQLite has undone it already.
            let _ = run(self.0, "ROLLBACK");
        }
    }
}

/// Changes a number of the file into itself: its commit writes the log through to the disk, and with
/// it all commits before.
fn touch(connection: &Connection) -> Result<()> {
    let number: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failure)?;
    connection
        .pragma_update(None, "user_version", number)
        .map_err(failure)
}

/// A connection that reads. Given back when dropped.
pub(crate) struct Snapshot {
    connection: Option<Connection>,
    database: Arc<Database>,
}

impl Snapshot {
    pub(crate) fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(closed)
    }

    /// Sees the file from now on as it is at the next read, or as a statement sees it that is under
    /// way.
    pub(crate) fn hold(&self) -> Result<()> {
        run(self.connection()?, "BEGIN")
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
        let ended = match connection.is_autocommit() {
            true => Ok(()),
            false => run(&connection, "COMMIT"),
        };
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
