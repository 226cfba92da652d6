use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use storage_core::{
    Backend, BackendExt, Error, ExtendedBackend, Features, NameFolding, ObjectInfo, ObjectPath,
    Operation, PresignOptions, Result, RmdirOptions, WriteMode, WriteOptions, WriteParts, Written,
};

use super::sealed::Sealed;

impl<B: Backend> Sealed<B> {
    /// The options of the copy below: attributes that are not given stay those of the source.
    async fn copy_options(&self, from: &ObjectPath, options: WriteOptions) -> Result<WriteOptions> {
        let mut parts = options.into_parts();
        parts.restrict_to(self.left())?;
        if !parts.verify.is_empty() || !parts.expected.is_empty() {
            return Err(Error::unsupported(
                "digests of a copy within an encrypted store",
            ));
        }
        let changes = parts.content_type.is_some()
            || parts.cache_control.is_some()
            || !parts.metadata.is_empty();
        if changes {
            let source = self.below.extended()?.stat(from).await?;
            self.fill(&mut parts, &source)?;
        }
        self.sealed_options(parts)
    }

    fn fill(&self, parts: &mut WriteParts, source: &ObjectInfo) -> Result<()> {
        let kept = self.attributes.open(&source.metadata)?;
        parts.content_type = parts
            .content_type
            .take()
            .or(kept.content_type.map(Into::into));
        parts.cache_control = parts
            .cache_control
            .take()
            .or(kept.cache_control.map(Into::into));
        if parts.metadata.is_empty() {
            parts.metadata = kept.metadata;
        }
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend> ExtendedBackend for Sealed<B> {
    fn features(&self) -> Features {
        self.left()
    }

    fn modified_precision(&self) -> Duration {
        let below = self.below.as_extended();
        below.map_or(Duration::MAX, ExtendedBackend::modified_precision)
    }

    fn name_folding(&self) -> NameFolding {
        let below = self.below.as_extended();
        below.map_or(NameFolding::Exact, ExtendedBackend::name_folding)
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        let info = self.below.extended()?.stat(path).await?;
        let info = self.plain(info);
        info.map_err(|error| error.at(Operation::Stat, self.name(), path))
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        self.below.extended()?.mkdir(path).await
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.below.extended()?.rmdir(path, options).await
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        let place = |error: Error| error.at(Operation::Copy, self.name(), from);
        let options = self.copy_options(from, options).await.map_err(place)?;
        let mut written = self.below.extended()?.copy(from, to, options).await?;
        written.size = super::format::plain_size(written.size).unwrap_or(written.size);
        Ok(written)
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        if options.clone().into_parts().mode == WriteMode::Append {
            let error = Error::unsupported("mode append");
            return Err(error.at(Operation::Rename, self.name(), from));
        }
        self.below.extended()?.rename(from, to, options).await
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.below.extended()?.set_modified(path, modified).await
    }

    /// What a URL gives is encrypted, and useless to whoever has no key.
    async fn presign(&self, path: &ObjectPath, _: PresignOptions) -> Result<String> {
        let error = self.lacks("presign");
        Err(error.at(Operation::Presign, self.name(), path))
    }

    async fn flush(&self) -> Result<()> {
        self.below.extended()?.flush().await
    }

    fn lacks(&self, feature: &'static str) -> Error {
        Error::unsupported(format!("an encrypted store has no feature `{feature}`"))
    }
}
