use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use storage_core::{
    Backend, BackendExt, ExtendedBackend, Features, NameFolding, ObjectInfo, ObjectPath, Operation,
    PresignOptions, PresignedMethod, Result, RmdirOptions, WriteOptions, Written,
};

use crate::call::Repeat;
use crate::layered::Layered;
use crate::policy::Policy;

/// Reached through `as_extended` only where the backend below has an extended part; otherwise every
/// call is `Unsupported`.
#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend, P: Policy> ExtendedBackend for Layered<B, P> {
    fn features(&self) -> Features {
        let below = self.inner.as_extended();
        below.map_or(Features::NONE, |inner| {
            self.policy.features(inner.features())
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
        let inner = self.inner.extended()?;
        let call = self.begin(Operation::Stat, path);
        self.run(call, || inner.stat(path)).await
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        let inner = self.inner.extended()?;
        let call = self.begin(Operation::Mkdir, path).mutating();
        self.run(call, || inner.mkdir(path)).await
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        let inner = self.inner.extended()?;
        let mut call = self.begin(Operation::Rmdir, path).mutating();
        call.server_side = options.recursive;
        self.run(call, || inner.rmdir(path, options)).await
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let inner = self.inner.extended()?;
        let call = self.begin(Operation::Copy, from).to(to).mutating();
        let call = call.server_side().repeat_of(&options);
        self.run(call, || inner.copy(from, to, options.clone()))
            .await
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        let inner = self.inner.extended()?;
        let call = self.begin(Operation::Rename, from).to(to).mutating();
        // After a rename that succeeded, a second one would find no source.
        let call = call.server_side().repeat(Repeat::WithoutEffect);
        self.run(call, || inner.rename(from, to, options.clone()))
            .await
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        let inner = self.inner.extended()?;
        let call = self.begin(Operation::SetModified, path).mutating();
        self.run(call, || inner.set_modified(path, modified)).await
    }

    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        let inner = self.inner.extended()?;
        let mut call = self.begin(Operation::Presign, path);
        call.mutates = options.method != PresignedMethod::Get;
        self.run(call, || inner.presign(path, options)).await
    }

    async fn flush(&self) -> Result<()> {
        let inner = self.inner.extended()?;
        let call = self.begin(Operation::Flush, "").server_side();
        self.run(call, || inner.flush()).await
    }

    fn lacks(&self, feature: &'static str) -> storage_core::Error {
        match self.inner.as_extended() {
            Some(inner) => inner.lacks(feature),
            None => {
                storage_core::Error::unsupported(format!("this backend has no feature `{feature}`"))
            }
        }
    }
}
