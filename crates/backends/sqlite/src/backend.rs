use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, ExtendedBackend, Features, Lifecycle, ListOptions, ListPage, ObjectPath, Operation,
    Payload, Prefix, ReadOptions, Reader, Result, WriteMode, WriteOptions, WriteParts, WriteSink,
    Writer, Written,
};

use crate::SqliteBuilder;
use crate::call::hop;
use crate::chunks::finds;
use crate::database::Database;
use crate::publish::{check_mode, delete, record};
use crate::read::{Opened, Wanted};
use crate::sink::SqliteSink;

/// The name under which it registers and which its errors carry.
pub(crate) const NAME: &str = "sqlite";

pub(crate) const FEATURES: Features = Features::ALL
    .with_presign(false)
    .with_directories(false)
    .with_directory_times(false);

/// A store of objects in one SQLite file.
///
/// The name space is flat, as an object store's is: `x` may stand beside `x/y`. Any number of
/// processes may have the file open.
///
/// Calls run on threads that may block. A reader of more than 1 MiB keeps one connection, and the
/// state of the file that it began with, until it ends or is dropped.
pub struct SqliteBackend {
    database: Arc<Database>,
    lifecycle: Lifecycle,
}

impl SqliteBackend {
    /// Opens a file with the default settings; see [`SqliteBuilder::open`].
    ///
    /// # Errors
    /// Those of [`SqliteBuilder::open`].
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        Self::builder(path).open().await
    }

    /// Settings for a store in the file at `path`.
    pub fn builder(path: impl Into<PathBuf>) -> SqliteBuilder {
        SqliteBuilder::new(path.into())
    }

    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self {
            database,
            lifecycle: Lifecycle::new(),
        }
    }

    /// The file, absolute and with links resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.database.path
    }

    pub(crate) fn database(&self) -> &Arc<Database> {
        &self.database
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<()> {
        self.lifecycle.check(operation, NAME)
    }

    /// Finds an object and does something with it, where blocking is allowed.
    pub(crate) async fn find<T: Send + 'static>(
        &self,
        path: &ObjectPath,
        options: ReadOptions,
        wanted: Wanted,
        then: impl FnOnce(Opened) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (database, path) = (Arc::clone(&self.database), path.clone());
        hop(move |_| then(Opened::find(&database, &path, options, wanted)?)).await
    }

    fn sink(&self, path: &ObjectPath, options: WriteOptions) -> Result<(SqliteSink, WriteParts)> {
        let mut parts = options.into_parts();
        parts.restrict_to(FEATURES)?;
        let sink = SqliteSink::new(Arc::clone(&self.database), path.clone(), &parts);
        Ok((sink, parts))
    }

    async fn open_writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<SqliteSink> {
        let (sink, parts) = self.sink(path, options)?;
        // Decided again when it finishes; a write that cannot succeed need not be streamed.
        if matches!(parts.mode, WriteMode::CreateNew | WriteMode::IfVersion(_)) {
            let (database, path) = (Arc::clone(&self.database), path.clone());
            hop(move |_| {
                let reading = database.reading()?;
                let found = record(&database, reading.connection()?, &path)?;
                check_mode(&parts.mode, found.as_ref().map(|found| &found.version))
            })
            .await?;
        }
        Ok(sink)
    }

    async fn write_all(
        &self,
        path: &ObjectPath,
        payload: &Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let options = match options.clone().into_parts().size {
            Some(_) => options,
            None => options.size(payload.len()),
        };
        let (sink, _) = self.sink(path, options)?;
        let mut sink = Box::new(sink);
        if let Some(slices) = payload.as_slices() {
            for slice in slices {
                sink.write(slice.clone()).await?;
            }
            return sink.finish().await;
        }
        let mut chunks = payload.stream();
        while let Some(chunk) = std::future::poll_fn(|cx| chunks.as_mut().poll_next(cx)).await {
            sink.write(chunk?).await?;
        }
        sink.finish().await
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.check(Operation::Read)?;
        let named = path.clone();
        self.find(path, options, Wanted::Range, |opened| {
            opened.into_reader(named)
        })
        .await
        .map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.check(Operation::Write)?;
        let sink = self.open_writer(path, options).await;
        let sink = sink.map_err(|error| error.at(Operation::Write, NAME, path))?;
        Ok(Writer::new(NAME, path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Delete)?;
        let key = path.clone();
        self.database
            .change(Default::default(), move |database, connection| {
                delete(database, connection, &key)
            })
            .await
            .map_err(|error| error.at(Operation::Delete, NAME, path))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.check(Operation::List)?;
        let (database, below, parts) = (
            Arc::clone(&self.database),
            prefix.clone(),
            options.into_parts(),
        );
        hop(move |_| crate::listing::page(&database.snapshot()?, &below, &parts))
            .await
            .map_err(|error| error.on(Operation::List, NAME).with_path(prefix))
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        self.database
            .close()
            .await
            .map_err(|error| error.on(Operation::Close, NAME))
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        self.check(Operation::Exists)?;
        let (database, key) = (Arc::clone(&self.database), path.clone());
        hop(move |_| {
            let reading = database.reading()?;
            finds(
                reading.connection()?,
                &database.schema.exists,
                [key.as_str()],
            )
        })
        .await
        .map_err(|error| error.at(Operation::Exists, NAME, path))
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        if options.clone().into_parts().verify {
            let reader = self.reader(path, options).await?;
            let read = reader.bytes().await;
            return read.map_err(|error| error.at(Operation::Read, NAME, path));
        }
        self.check(Operation::Read)?;
        self.find(path, options, Wanted::Range, Opened::all)
            .await
            .map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check(Operation::Read)?;
        let ranges = ranges.to_vec();
        let empty = ReadOptions::from(0..0);
        self.find(path, empty, Wanted::More, move |opened| {
            opened.ranges(&ranges)
        })
        .await
        .map_err(|error| error.at(Operation::Read, NAME, path))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Write)?;
        self.write_all(path, &payload, options)
            .await
            .map_err(|error| error.at(Operation::Write, NAME, path))
    }

    fn identity(&self) -> Option<String> {
        let path = self.database.path.to_str()?;
        Some(format!(
            "sqlite://{path}?table={}/",
            self.database.schema.table
        ))
    }

    fn blocks(&self) -> bool {
        true
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

impl fmt::Debug for SqliteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.database, f)
    }
}
