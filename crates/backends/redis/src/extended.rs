use std::time::SystemTime;

use async_trait::async_trait;
use storage_core::{
    Error, ExtendedBackend, Features, ObjectInfo, ObjectPath, Operation, ReadOptions, Result,
    RmdirOptions, WriteMode, WriteOptions, WriteSink, Written,
};

use crate::backend::{FEATURES, NAME, RedisBackend};
use crate::failure::damaged;
use crate::header::Header;
use crate::read::Opened;
use crate::script::Script;
use crate::sink::RedisSink;
use crate::store::{Publication, Store};

/// Objects that one script removes: about a millisecond of the server.
const PURGED: usize = 200;

#[async_trait]
impl ExtendedBackend for RedisBackend {
    fn features(&self) -> Features {
        FEATURES
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.check(Operation::Stat)?;
        let found = self.store().stat(path).await;
        found
            .map(|found| found.info(path.clone()))
            .map_err(|error| error.at(Operation::Stat, NAME, path))
    }

    /// `recursive` removes every object below the path, some at a time; anything else is
    /// `Unsupported`.
    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.check(Operation::Rmdir)?;
        let removed = match options.recursive {
            true => purge(self.store(), path).await,
            false => Err(self.lacks("directories")),
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
            if from == to {
                return self.store().stat(from).await.map(drop);
            }
            self.store().rename(from, to, &mode).await
        };
        rename
            .await
            .map_err(|error| error.at(Operation::Rename, NAME, from))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.check(Operation::SetModified)?;
        let set = self.store().set_modified(path, modified).await;
        set.map_err(|error| error.at(Operation::SetModified, NAME, path))
    }

    /// When a write is durable is the server's configuration; a request after it cannot change it.
    async fn flush(&self) -> Result<()> {
        self.check(Operation::Flush)
    }
}

impl RedisBackend {
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
        let opened = Opened::find(self.store(), from, ReadOptions::default()).await?;
        if from == to {
            let mut written = Written::new(opened.header.size);
            written.version = Some(opened.header.version);
            written.modified = Some(opened.header.modified);
            return Ok(written);
        }
        let mut sink = Box::new(RedisSink::new(self.store().clone(), to.clone(), &parts));
        inherit(sink.publication(), &opened.header);
        let mut reader = opened.into_reader()?;
        while let Some(chunk) = reader.chunk().await {
            sink.write(chunk?).await?;
        }
        sink.finish().await
    }
}

/// Fills in what the options left to the source.
fn inherit(publication: &mut Publication, source: &Header) {
    let given = std::mem::take(&mut publication.attributes);
    publication.attributes = given.or(&source.attributes);
    publication.modified.get_or_insert(source.modified);
}

/// Removes some at a time, each time as a request of its own: a repeated one counts as it did.
async fn purge(store: &Store, path: &ObjectPath) -> Result<()> {
    let (from, to) = (format!("({path}/"), format!("({path}0"));
    let mut removed = 0;
    loop {
        let (id, keys) = (store.unique(), [store.keys.index.as_str()]);
        let answer = store.run(Script::Purge, &id, &keys, |commands| {
            commands.arg(&from).arg(&to).arg(PURGED);
        });
        let (seen, some) = counts(&answer.await?)?;
        removed += some;
        if seen == 0 {
            break;
        }
    }
    match removed {
        0 => Err(Error::not_found("")),
        _ => Ok(()),
    }
}

/// Paths that were looked at, and objects that were removed.
fn counts(answer: &str) -> Result<(u64, u64)> {
    let counts = answer
        .split_once(' ')
        .and_then(|(seen, some)| Some((seen.parse().ok()?, some.parse().ok()?)));
    counts.ok_or_else(|| damaged("a script's answer is not one"))
}
