use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use storage_core::{Durability, Error, Operation, Result};

use crate::backend::{NAME, SqliteBackend};
use crate::call::hop;
use crate::database::Database;
use crate::schema::DEFAULT_TABLE;

/// When a finished write survives a loss of power. It survives the end of the process either way, and
/// the file is whole either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Synchronous {
    /// With the next [`flush`](storage_core::ExtendedBackend::flush) or checkpoint, which comes every
    /// 4 MB: many small writes are some times faster.
    Normal,
    /// When `finish` returns.
    #[default]
    Full,
}

impl Synchronous {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Full => "full",
        }
    }

    /// The level that a write asks for, where this is what is configured.
    pub(crate) const fn of(self, durability: Durability) -> Self {
        match durability {
            Durability::Configured => self,
            Durability::Deferred => Self::Normal,
            Durability::Immediate => Self::Full,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) create: bool,
    pub(crate) synchronous: Synchronous,
    pub(crate) busy_timeout: Duration,
    pub(crate) max_bytes: Option<u64>,
}

/// Longest wait for another process.
const MAX_BUSY_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

impl Settings {
    /// # Errors
    /// `Config` for a wait that SQLite, which counts milliseconds in 31 bits, might not be able to count.
    pub(crate) fn check(&self) -> Result<()> {
        if self.busy_timeout <= MAX_BUSY_TIMEOUT {
            return Ok(());
        }
        let message = format!(
            "the key \"busy_timeout\" is at most a day, not {:?}",
            self.busy_timeout
        );
        Err(Error::config(message))
    }
}

/// Settings for a [`SqliteBackend`].
#[derive(Debug, Clone)]
#[must_use]
pub struct SqliteBuilder {
    path: PathBuf,
    table: String,
    settings: Settings,
}

impl SqliteBuilder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            table: DEFAULT_TABLE.to_owned(),
            settings: Settings {
                create: true,
                synchronous: Synchronous::Full,
                busy_timeout: Duration::from_secs(10),
                max_bytes: None,
            },
        }
    }

    /// The table that holds the objects; default `objects`. Two more begin with its name, `_chunks` and
    /// `_pending`. A letter, then letters, digits and `_`. Each table is a store of its own.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// Whether a missing file is made; default true. Its folder must be there.
    pub const fn create(mut self, create: bool) -> Self {
        self.settings.create = create;
        self
    }

    /// When a write is durable that does not say so itself; default [`Synchronous::Full`].
    pub const fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.settings.synchronous = synchronous;
        self
    }

    /// How long a write waits while another process writes; default 10 seconds, at most a day. Then it
    /// is `Timeout` and transient.
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.settings.busy_timeout = timeout;
        self
    }

    /// Most bytes of the file; default as many as the disk has. A write that needs more is
    /// `QuotaExceeded` and changes nothing. The write-ahead log beside the file does not count.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.settings.max_bytes = Some(bytes);
        self
    }

    /// Opens the file, and deletes what processes that were killed have left in it.
    ///
    /// # Errors
    /// `Config` for a name of a table that is not plain, or is that of a table of another's, and for a
    /// `busy_timeout` of more than a day; `NotFound` for a missing folder; `Corrupt` for a file that is no database; `PermissionDenied`;
    /// `Unsupported` for a database without UTF-8 or write-ahead logging; `Timeout` where others keep
    /// it locked.
    pub async fn open(self) -> Result<SqliteBackend> {
        let Self {
            path,
            table,
            settings,
        } = self;
        let database = hop(move |_| Database::open(&path, &table, settings)).await;
        let database = database.map_err(|error| error.on(Operation::Open, NAME))?;
        Ok(SqliteBackend::new(Arc::new(database)))
    }
}
