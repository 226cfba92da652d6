use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use storage_core::timestamp::nanoseconds;
use storage_core::{
    Error, ExtendedBackend, Features, ObjectInfo, ObjectPath, Operation, ReadOptions, Result,
    RmdirOptions, WriteMode, WriteOptions, WriteParts, WriteSink, Written,
};

use crate::backend::{FEATURES, NAME, SqliteBackend};
use crate::call::hop;
use crate::chunks::finds;
use crate::database::Database;
use crate::failure::failure;
use crate::publish::{Content, Publication, check_mode, record, retire, update};
use crate::read::Wanted;
use crate::record::Record;
use crate::sink::SqliteSink;

/// Most bytes that are copied in one transaction. More are copied like a write.
const COPY_AT_ONCE: u64 = 16 << 20;

#[async_trait]
impl ExtendedBackend for SqliteBackend {
    fn features(&self) -> Features {
        FEATURES
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.check(Operation::Stat)?;
        self.record(path)
            .await
            .map(|found| found.info(path.clone()))
            .map_err(|error| error.at(Operation::Stat, NAME, path))
    }

    /// `recursive` removes every object below the path at once; anything else is `Unsupported`.
    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.check(Operation::Rmdir)?;
        let removed = if options.recursive {
            let (above, end) = (format!("{path}/"), format!("{path}0"));
            let purge = move |database: &Database, connection: &Connection| {
                purge(database, connection, &above, &end)
            };
            self.database().change(Default::default(), purge).await
        } else {
            Err(self.lacks("directories"))
        };
        removed.map_err(|error| error.at(Operation::Rmdir, NAME, path))
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Copy)?;
        self.copy_object(from, to, options)
            .await
            .map_err(|error| error.at(Operation::Copy, NAME, from))
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        self.check(Operation::Rename)?;
        let rename = async {
            let mode = options.into_parts().into_mode_alone()?;
            let (from, to) = (from.clone(), to.clone());
            self.database()
                .change(Default::default(), move |database, connection| {
                    rename(database, connection, &from, &to, &mode)
                })
                .await
        };
        rename
            .await
            .map_err(|error| error.at(Operation::Rename, NAME, from))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.check(Operation::SetModified)?;
        let set = async {
            let (key, modified) = (path.clone(), nanoseconds(modified)?);
            self.database()
                .change(Default::default(), move |database, connection| {
                    let row = params![key.as_str(), modified];
                    update(connection, &database.schema.set_modified, row)
                })
                .await
        };
        set.await
            .map_err(|error| error.at(Operation::SetModified, NAME, path))
    }

    async fn flush(&self) -> Result<()> {
        self.check(Operation::Flush)?;
        self.database()
            .flush()
            .await
            .map_err(|error| error.on(Operation::Flush, NAME))
    }
}

impl SqliteBackend {
    async fn record(&self, path: &ObjectPath) -> Result<Record> {
        let (database, path) = (Arc::clone(self.database()), path.clone());
        hop(move |_| {
            let reading = database.reading()?;
            let found = record(&database, reading.connection()?, &path)?;
            found.ok_or_else(|| Error::not_found(""))
        })
        .await
    }

    async fn copy_object(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let mut parts = options.into_parts();
        parts.restrict_to(FEATURES)?;
        if parts.mode == WriteMode::Append {
            return Err(Error::unsupported("copy in mode append"));
        }
        let size = self.record(from).await?.size;
        let checked = parts.size.is_some()
            || !(parts.hashes | parts.verify).is_empty()
            || !parts.expected.is_empty();
        if from != to && (checked || size > COPY_AT_ONCE) {
            return self.copy_through(from, to, &parts).await;
        }
        let (durability, from) = (parts.durability, from.clone());
        let publication = Publication::new(to.clone(), &parts);
        self.database()
            .change(durability, move |database, connection| {
                copy(database, connection, &from, publication)
            })
            .await
    }

    /// Copies the snapshot that it finds first, part by part; the mode is decided at the end.
    async fn copy_through(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        parts: &WriteParts,
    ) -> Result<Written> {
        let path = from.clone();
        let (record, mut reader) = self
            .find(from, ReadOptions::default(), Wanted::Range, |opened| {
                Ok((opened.record.clone(), opened.into_reader(path)?))
            })
            .await?;
        let database = Arc::clone(self.database());
        let mut sink = Box::new(SqliteSink::new(database, to.clone(), parts));
        inherit(sink.publication(), &record)?;
        while let Some(chunk) = reader.chunk().await {
            sink.write(chunk?).await?;
        }
        sink.finish().await
    }
}

fn copy(
    database: &Database,
    connection: &Connection,
    from: &ObjectPath,
    mut publication: Publication,
) -> Result<Written> {
    let source = record(database, connection, from)?;
    let source = source.ok_or_else(|| Error::not_found(""))?;
    if *from == publication.path {
        return Ok(source.written(Default::default()));
    }
    inherit(&mut publication, &source)?;
    publication.publish(database, connection, Content::Of(&source))
}

/// Fills in what the options left to the source.
fn inherit(publication: &mut Publication, source: &Record) -> Result<()> {
    let hashes = source.attributes.hashes.clone();
    let given = std::mem::take(&mut publication.attributes);
    publication.attributes = given.or(source.attributes.clone());
    publication.attributes.hashes = hashes;
    let modified = || source.info(publication.path.clone()).modified;
    publication.modified = publication.modified.or_else(modified);
    Ok(())
}

fn rename(
    database: &Database,
    connection: &Connection,
    from: &ObjectPath,
    to: &ObjectPath,
    mode: &WriteMode,
) -> Result<()> {
    record(database, connection, from)?.ok_or_else(|| Error::not_found(""))?;
    if from == to {
        return Ok(());
    }
    let old = record(database, connection, to)?;
    check_mode(mode, old.as_ref().map(|old| &old.version))?;
    if old.is_some() {
        retire(database, connection, old.as_ref())?;
        update(connection, &database.schema.delete_header, [to.as_str()])?;
    }
    let row = [from.as_str(), to.as_str()];
    update(connection, &database.schema.move_header, row)
}

/// Removes every object between two keys; their bytes are swept afterwards.
fn purge(database: &Database, connection: &Connection, above: &str, end: &str) -> Result<()> {
    let schema = &database.schema;
    if !finds(connection, &schema.any_below, [above, end])? {
        return Err(Error::not_found(""));
    }
    for sql in [&schema.retire_below, &schema.delete_below] {
        let mut statement = connection.prepare_cached(sql).map_err(failure)?;
        statement.execute([above, end]).map_err(failure)?;
    }
    database.garbage.store(true, Ordering::Release);
    Ok(())
}
