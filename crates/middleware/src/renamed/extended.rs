use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use storage_core::{
    Backend, BackendExt, Error, ExtendedBackend, Features, NameFolding, ObjectInfo, ObjectPath,
    Operation, PresignOptions, Result, RmdirOptions, WriteOptions, Written,
};

use super::{Naming, Renamed};

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend, N: Naming> ExtendedBackend for Renamed<B, N> {
    fn features(&self) -> Features {
        let below = self.below.as_extended();
        below.map_or(Features::NONE, ExtendedBackend::features)
    }

    fn modified_precision(&self) -> Duration {
        let below = self.below.as_extended();
        below.map_or(Duration::MAX, ExtendedBackend::modified_precision)
    }

    fn name_folding(&self) -> NameFolding {
        let below = self.below.as_extended();
        let below = below.map_or(NameFolding::Exact, ExtendedBackend::name_folding);
        self.naming.folding(below)
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        let inner = self.named(Operation::Stat, path)?;
        let info = self.below.extended()?.stat(&inner).await;
        let info = info.map_err(|error| self.shown(error))?;
        Ok(self.info(info, path))
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        let inner = self.named(Operation::Mkdir, path)?;
        let outcome = self.below.extended()?.mkdir(&inner).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        let inner = self.named(Operation::Rmdir, path)?;
        let outcome = self.below.extended()?.rmdir(&inner, options).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let inner = self.named(Operation::Copy, from)?;
        let to = self.named(Operation::Copy, to)?;
        let outcome = self.below.extended()?.copy(&inner, &to, options).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        let inner = self.named(Operation::Rename, from)?;
        let to = self.named(Operation::Rename, to)?;
        let outcome = self.below.extended()?.rename(&inner, &to, options).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        let inner = self.named(Operation::SetModified, path)?;
        let outcome = self.below.extended()?.set_modified(&inner, modified).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        let inner = self.named(Operation::Presign, path)?;
        let outcome = self.below.extended()?.presign(&inner, options).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn flush(&self) -> Result<()> {
        self.lifecycle.check(Operation::Flush, self.below.name())?;
        self.below.extended()?.flush().await
    }

    fn lacks(&self, feature: &'static str) -> Error {
        Error::unsupported(format!("this backend has no feature `{feature}`"))
    }
}
