use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use storage_core::{
    Backend, BackendExt, Error, ExtendedBackend, Features, NameFolding, ObjectInfo, ObjectPath,
    Operation, PresignOptions, Result, RmdirOptions, WriteOptions, Written,
};

use crate::intercepted::around;
use crate::{Call, Intercept, Intercepted, Step};

/// Reached through `as_extended` only where the backend below has an extended part; otherwise every
/// call is `Unsupported`.
#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend, I: Intercept> ExtendedBackend for Intercepted<B, I> {
    fn features(&self) -> Features {
        let below = self.inner.as_extended();
        below.map_or(Features::NONE, |inner| {
            self.intercept.features(inner.features())
        })
    }

    fn modified_precision(&self) -> Duration {
        let below = self.inner.as_extended();
        below.map_or(Duration::MAX, ExtendedBackend::modified_precision)
    }

    fn name_folding(&self) -> NameFolding {
        let below = self.inner.as_extended();
        below.map_or(NameFolding::Exact, ExtendedBackend::name_folding)
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        let call = Call::new(Operation::Stat, Step::Call, path);
        let inner = self.inner.extended()?;
        around!(self, call, inner.stat(path))
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        let call = Call::new(Operation::Mkdir, Step::Call, path);
        let inner = self.inner.extended()?;
        around!(self, call, inner.mkdir(path))
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        let call = Call::new(Operation::Rmdir, Step::Call, path);
        let inner = self.inner.extended()?;
        around!(self, call, Rmdir(options), inner.rmdir(path, options))
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let call = Call::new(Operation::Copy, Step::Call, from).with_target(to);
        let inner = self.inner.extended()?;
        around!(self, call, Write(options), inner.copy(from, to, options))
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        let call = Call::new(Operation::Rename, Step::Call, from).with_target(to);
        let inner = self.inner.extended()?;
        around!(self, call, Write(options), inner.rename(from, to, options))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        let call = Call::new(Operation::SetModified, Step::Call, path);
        let inner = self.inner.extended()?;
        around!(self, call, inner.set_modified(path, modified))
    }

    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        let call = Call::new(Operation::Presign, Step::Call, path);
        let inner = self.inner.extended()?;
        around!(self, call, Presign(options), inner.presign(path, options))
    }

    async fn flush(&self) -> Result<()> {
        let call = Call::new(Operation::Flush, Step::Call, "");
        let inner = self.inner.extended()?;
        around!(self, call, inner.flush())
    }

    fn lacks(&self, feature: &'static str) -> Error {
        match self.inner.as_extended() {
            Some(inner) => inner.lacks(feature),
            None => Error::unsupported(format!("this backend has no feature `{feature}`")),
        }
    }
}
