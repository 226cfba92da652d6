//! Large content on its way in: chunks in the file that no object has yet.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use rusqlite::{Connection, params};
use storage_core::{Durability, Error, ErrorKind, Result};
use tokio::runtime::Handle;

use crate::chunks::{self, Chunker, finds};
use crate::database::{Database, lock};
use crate::failure::failure;
use crate::publish::update;

/// A blob in the table of pending ones, under the name of this instance. Dropping it before it is
/// published leaves it to be swept.
#[derive(Debug)]
pub(crate) struct Draft {
    database: Arc<Database>,
    owner: String,
    chunker: Chunker,
    published: bool,
}

impl Draft {
    /// Adds bytes to a draft, or begins one, in a transaction of its own.
    pub(crate) async fn extend(
        database: &Arc<Database>,
        draft: Option<Self>,
        pieces: Vec<Bytes>,
    ) -> Result<Self> {
        let own = Arc::clone(database);
        let add = move |database: &Database, connection: &Connection| {
            let mut draft = match draft {
                Some(draft) => draft.check(connection)?,
                None => Self::begin(own, connection)?,
            };
            draft
                .chunker
                .add_all(connection, &database.schema, &pieces)?;
            Ok(draft)
        };
        // What publishes it makes all of it durable.
        database.change(Durability::Deferred, add).await
    }

    fn begin(database: Arc<Database>, connection: &Connection) -> Result<Self> {
        let owner = database.claim_owner()?;
        let blob = database.new_blob(connection)?;
        let mut statement = connection
            .prepare_cached(&database.schema.pend)
            .map_err(failure)?;
        statement.execute(params![blob, owner]).map_err(failure)?;
        drop(statement);
        Ok(Self {
            database,
            owner,
            chunker: Chunker::new(blob),
            published: false,
        })
    }

    /// Succeeds while the chunks are still this draft's.
    fn check(self, connection: &Connection) -> Result<Self> {
        let own = params![self.chunker.blob(), self.owner];
        match finds(connection, &self.database.schema.pending_of, own)? {
            true => Ok(self),
            false => abandoned(Err(Error::not_found(""))).map(|()| self),
        }
    }

    /// Makes the chunks those of an object, in the transaction that is open.
    pub(crate) fn publish(
        &mut self,
        database: &Database,
        connection: &Connection,
    ) -> Result<(Option<i64>, u64)> {
        let own = params![self.chunker.blob(), self.owner];
        abandoned(update(connection, &database.schema.publish_pending, own))?;
        self.chunker.end(connection, &database.schema)
    }

    /// Adds all bytes to those of an object, in the transaction that is open, and leaves the draft's own
    /// to be swept.
    pub(crate) fn append_to(
        &self,
        database: &Database,
        connection: &Connection,
        target: &mut Chunker,
    ) -> Result<()> {
        let schema = &database.schema;
        let own = params![self.chunker.blob(), self.owner];
        abandoned(update(connection, &schema.retire_pending, own))?;
        database.garbage.store(true, Ordering::Release);
        let size = self.chunker.size();
        let (stored, blob) = (
            size - self.chunker.partial().len() as u64,
            self.chunker.blob(),
        );
        let mut piece = Vec::new();
        let mut at = 0;
        while at < stored {
            let end = stored.min(at + (1 << 20));
            piece.clear();
            chunks::read(connection, schema, blob, stored, at..end, &mut piece)?;
            target.add(connection, schema, &piece)?;
            at = end;
        }
        target.add(connection, schema, self.chunker.partial())
    }

    /// Leaves nothing to be swept.
    pub(crate) fn keep(mut self) {
        self.published = true;
    }
}

/// Says what it means when the row of a draft is not there.
fn abandoned(updated: Result<()>) -> Result<()> {
    updated.map_err(|error| match error.is_not_found() {
        true => Error::new(
            ErrorKind::Other,
            "what was written so far was taken for abandoned",
        )
        .with_transient(true),
        false => error,
    })
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        lock(&self.database.discarded).push(self.chunker.blob());
        let database = Arc::clone(&self.database);
        // Without a runtime it is left to closing, or to whoever opens the file next.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || database.sweep_discarded());
        }
    }
}
