//! The extended part of the broken backend.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use storage_core::{
    Backend, BackendExt, Error, ErrorKind, ExtendedBackend, Features, ListOptions, ObjectInfo,
    ObjectPath, Operation, PresignOptions, Result, RmdirOptions, WriteMode, WriteOptions, Written,
    async_trait,
};

use crate::fault::Fault;
use crate::store::{Broken, lock, placed};

#[async_trait]
impl ExtendedBackend for Broken {
    fn features(&self) -> Features {
        let mut features = self.memory.features().with_presign(self.fault.presigns());
        match self.fault {
            Fault::ClaimsFalse(flag) => {
                features.set(flag, false);
            }
            Fault::ClaimsDirectoryTimes => features.directory_times = true,
            Fault::Flickers(flag) => {
                let asked = self.state.count.fetch_add(1, Ordering::SeqCst);
                features.set(flag, asked > 0);
            }
            _ => {}
        }
        features
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.check()?;
        let kept = self.kept(path)?;
        let info = self
            .memory
            .stat(&kept)
            .await
            .map_err(|error| self.error(error))?;
        if info.is_dir && self.is(Fault::StatHidesDirectories) {
            return Err(placed(Operation::Stat, path)(Error::not_found("")));
        }
        let mut info = self.told(info).await;
        if self.is(Fault::StatTellsLess) {
            info.modified = None;
        }
        Ok(info)
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        self.check()?;
        self.alone().await?;
        if self.is(Fault::MkdirNeedsParents)
            && let Some(parent) = path.parent().as_path()
        {
            self.memory.stat(&parent).await?;
        }
        match self.memory.mkdir(path).await {
            Err(error) if error.is_already_exists() && self.is(Fault::MkdirOnObjectIsFine) => {
                Ok(())
            }
            result => result.map_err(|error| self.error(error)),
        }
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.check()?;
        let purge = RmdirOptions::default().recursive(true);
        let result = match self.fault {
            Fault::RmdirDoesNothing if !options.recursive => self.memory.stat(path).await.map(drop),
            Fault::RmdirIsRecursive => self.memory.rmdir(path, purge).await,
            Fault::RmdirChecksThenPurges if !self.has_below(path).await => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.memory.rmdir(path, purge).await
            }
            Fault::PurgeIsShallow if options.recursive => self.purge_one_level(path).await,
            _ => self.memory.rmdir(path, options).await,
        };
        match result {
            Err(error) if error.is_not_found() && self.is(Fault::RmdirOfMissingIsFine) => Ok(()),
            result => result.map_err(|error| self.error(error)),
        }
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check()?;
        let copied = self.copied(from, &self.target(to)?, options).await;
        let written = copied.map_err(|error| self.error(placed(Operation::Copy, from)(error)))?;
        Ok(self.reported(to, written).await)
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        self.check()?;
        let renamed = self.renamed(from, &self.target(to)?, options).await;
        renamed.map_err(|error| self.error(placed(Operation::Rename, from)(error)))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.check()?;
        if self.is(Fault::TakesDirectoryTimes) && self.memory.stat(path).await?.is_dir {
            return Ok(());
        }
        if self.is(Fault::SetModifiedDoesNothing) {
            return self.memory.stat(path).await.map(drop);
        }
        let modified = match self.fault {
            Fault::ClampsTimes => modified.max(UNIX_EPOCH),
            _ => modified,
        };
        let set = self.memory.set_modified(path, modified).await;
        set.map_err(|error| self.error(error))
    }

    /// Made up: nothing serves these URLs. It is there so that the rules about them can be seen to
    /// pass and to fail.
    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        self.check()?;
        let place = placed(Operation::Presign, path);
        self.memory.exists(path).await.map_err(&place)?;
        if !self.fault.presigns() {
            return Err(place(Error::unsupported("presign")));
        }
        let week = Duration::from_secs(7 * 24 * 3600);
        let good = options.expires_in > Duration::ZERO && options.expires_in <= week;
        if !good && !self.is(Fault::PresignTakesAnyExpiry) {
            return Err(place(Error::config("the expiry")));
        }
        if self.is(Fault::PresignIsConstant) {
            return Ok("fake://everything".to_owned());
        }
        let hash = storage_hash::hash(storage_core::HashType::Md5.into(), path.as_bytes());
        Ok(format!("fake://{hash:?}/{:?}", options.method).replace(' ', ""))
    }

    async fn flush(&self) -> Result<()> {
        if self.is(Fault::FlushFails) {
            return Err(Error::new(ErrorKind::Other, "flush"));
        }
        self.memory.flush().await
    }
}

impl Broken {
    async fn purge_one_level(&self, path: &ObjectPath) -> Result<()> {
        for entry in self
            .memory
            .entries(path.as_prefix(), ListOptions::default())
            .collect()
            .await?
        {
            if !entry.is_dir {
                self.memory.delete(&entry.path).await?;
            }
        }
        Ok(())
    }

    async fn copied(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let plain = WriteOptions::default;
        match self.fault {
            Fault::CopyIsEmpty => self.rewrite(from, to, Bytes::new()).await,
            Fault::CopyDropsAttributes => {
                let bytes = self.memory.get(from).await?;
                self.rewrite(from, to, bytes).await
            }
            Fault::CopyCutsLarge => {
                let bytes = self.memory.get(from).await?;
                let len = bytes.len().min(500_000);
                self.rewrite(from, to, bytes.slice(..len)).await
            }
            Fault::CopyIgnoresOptions => self.memory.copy(from, to, plain()).await,
            Fault::CopyOfMissingIsFine if !self.memory.exists(from).await? => Ok(Written::new(0)),
            Fault::CopyRewritesItself if from == to => {
                let bytes = self.memory.get(from).await?;
                self.memory.put(to, bytes).await
            }
            Fault::CopyShares => {
                *lock(&self.state.shared) = Some([from.clone(), to.clone()]);
                self.memory.copy(from, to, options).await
            }
            _ => self.memory.copy(from, to, options).await,
        }
    }

    async fn renamed(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        if let Ok(bytes) = self.memory.get(from).await
            && let Some(result) = self.object_renamed(from, to, bytes).await
        {
            return result;
        }
        let into_itself = to.strip_prefix(&from.as_prefix()).is_some();
        match self.fault {
            Fault::RenameIgnoresOptions => {
                self.memory.rename(from, to, WriteOptions::default()).await
            }
            Fault::RenameDropsEmptyDirectories if self.is_directory(from).await => {
                self.rename_objects(from, to).await
            }
            Fault::RenameMergesDirectories if self.is_directory(to).await => {
                let purge = RmdirOptions::default().recursive(true);
                self.memory.rmdir(to, purge).await?;
                self.memory.rename(from, to, options).await
            }
            Fault::RenameIntoItselfIsFine if into_itself => Ok(()),
            _ => match self.memory.rename(from, to, options).await {
                Err(error) if error.is_not_found() && self.is(Fault::RenameOfMissingIsFine) => {
                    Ok(())
                }
                result => result,
            },
        }
    }

    /// Renames an object where that is the fault.
    async fn object_renamed(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        bytes: Bytes,
    ) -> Option<Result<()>> {
        let put = async || self.memory.put(to, bytes).await.map(drop);
        Some(match self.fault {
            Fault::RenameKeepsSource => {
                let copied = self.memory.copy(from, to, WriteOptions::default()).await;
                copied.map(drop)
            }
            Fault::RenameRewritesItself if from == to => put().await,
            Fault::RenameDropsAttributes => {
                let result = put().await;
                result.and(self.memory.delete(from).await.map(drop))
            }
            Fault::RenameDeletesFirst if from != to => {
                let deleted = self.memory.delete(from).await;
                tokio::task::yield_now().await;
                deleted.and(put().await)
            }
            _ => return None,
        })
    }

    /// Renames a directory by renaming the objects below it.
    async fn rename_objects(&self, from: &ObjectPath, to: &ObjectPath) -> Result<()> {
        let options = ListOptions::default().recursive(true);
        let below = from.as_prefix();
        for entry in self
            .memory
            .entries(below.clone(), options)
            .collect()
            .await?
        {
            let rest = entry.path.strip_prefix(&below).unwrap_or_default();
            let target = to.as_prefix().join(rest)?;
            self.memory
                .rename(&entry.path, &target, WriteMode::Replace.into())
                .await?;
        }
        let purge = RmdirOptions::default().recursive(true);
        self.memory.rmdir(from, purge).await
    }
}
