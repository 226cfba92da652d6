use std::sync::Arc;
use std::time::{Duration, SystemTime};

use storage_core::{
    Error, ExtendedBackend, Features, NameFolding, ObjectInfo, ObjectPath, Operation,
    PresignOptions, Result, RmdirOptions, WriteOptions, Written, async_trait,
};

use crate::backend::FileBackend;
use crate::call::hop;
use crate::failure::{NAME, Place, failure};
use crate::{moves, read, remove};

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ExtendedBackend for FileBackend {
    fn features(&self) -> Features {
        self.tree.features
    }

    fn modified_precision(&self) -> Duration {
        match self.tree.abilities.identities {
            true => Duration::from_nanos(1),
            // FAT keeps even seconds.
            false => Duration::from_secs(2),
        }
    }

    fn name_folding(&self) -> NameFolding {
        match self.tree.abilities.identities {
            _ if cfg!(target_os = "macos") => NameFolding::CaseAndForm,
            true if !cfg!(windows) => NameFolding::Exact,
            // FAT, exFAT and Windows.
            _ => NameFolding::Case,
        }
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.admit(Operation::Stat, path)?;
        if let Some(info) = read::stat_inline(&self.tree, path) {
            return info.at(Operation::Stat, path);
        }
        self.run(Operation::Stat, path, |tree, path| read::stat(tree, path))
            .await
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        self.admit(Operation::Mkdir, path)?;
        self.run(Operation::Mkdir, path, |tree, path| {
            moves::mkdir(tree, path)
        })
        .await
    }

    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.admit(Operation::Rmdir, path)?;
        self.run(Operation::Rmdir, path, move |tree, path| {
            remove::directory(tree, path, options.recursive)
        })
        .await
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        self.admit(Operation::Copy, from)?;
        self.admit(Operation::Copy, to)?;
        let parts = self.parts(options).at(Operation::Copy, to)?;
        let to = to.clone();
        self.run(Operation::Copy, from, move |tree, from| {
            moves::copy(tree, from, &to, parts)
        })
        .await
    }

    async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<()> {
        self.admit(Operation::Rename, from)?;
        self.admit(Operation::Rename, to)?;
        let mode = options
            .into_parts()
            .into_mode_alone()
            .at(Operation::Rename, from)?;
        self.parts(mode.clone().into())
            .at(Operation::Rename, from)?;
        let to = to.clone();
        self.run(Operation::Rename, from, move |tree, from| {
            moves::rename(tree, from, &to, mode)
        })
        .await
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.admit(Operation::SetModified, path)?;
        self.run(Operation::SetModified, path, move |tree, path| {
            moves::set_modified(tree, path, modified)
        })
        .await
    }

    async fn presign(&self, path: &ObjectPath, options: PresignOptions) -> Result<String> {
        let _ = options;
        self.admit(Operation::Presign, path)?;
        Err(self.lacks("presign")).at(Operation::Presign, path)
    }

    async fn flush(&self) -> Result<()> {
        self.open_for(Operation::Flush)?;
        let tree = Arc::clone(&self.tree);
        hop(move || tree.root.sync_all().map_err(failure))
            .await
            .map_err(|error| error.on(Operation::Flush, NAME))
    }

    fn lacks(&self, feature: &'static str) -> Error {
        Error::unsupported(format!("files have no `{feature}`"))
    }
}
