use std::time::SystemTime;

use async_trait::async_trait;
use storage_core::{
    Error, ExtendedBackend, Features, ObjectInfo, ObjectPath, Operation, Result, RmdirOptions,
    WriteMode, WriteOptions, WriteParts, Written,
};
use storage_hash::WriteHasher;

use crate::MemoryBackend;
use crate::backend::NAME;
use crate::object::{Attributes, Object, Publication};

#[async_trait]
impl ExtendedBackend for MemoryBackend {
    fn features(&self) -> Features {
        self.features_now()
    }

    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.check(Operation::Stat)?;
        let tree = self.store().tree();
        match tree.object(path) {
            Ok(object) => Ok(object.info(path)),
            Err(error) if error.is_directory() => Ok(ObjectInfo::directory(path.clone())),
            Err(error) => Err(error.at(Operation::Stat, NAME, path)),
        }
    }

    async fn mkdir(&self, path: &ObjectPath) -> Result<()> {
        self.check(Operation::Mkdir)?;
        let made = if self.features_now().directories {
            self.store().tree_mut().make_directory(path)
        } else {
            Err(self.lacks("directories"))
        };
        made.map_err(|error| error.at(Operation::Mkdir, NAME, path))
    }

    /// Without directories, `recursive` removes every object below the path at once, and anything
    /// else is `Unsupported`.
    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.check(Operation::Rmdir)?;
        let remove = || {
            if !options.recursive && !self.features_now().directories {
                return Err(self.lacks("directories"));
            }
            let mut tree = self.store().tree_mut();
            let objects = tree.remove_directory(path, options.recursive)?;
            self.store().release(&objects);
            drop(tree);
            Ok(())
        };
        remove().map_err(|error: Error| error.at(Operation::Rmdir, NAME, path))
    }

    async fn copy(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: WriteOptions,
    ) -> Result<Written> {
        self.check(Operation::Copy)?;
        let parts = options.into_parts();
        self.copy_object(from, to, parts)
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
        let rename = || {
            let mode = options.into_parts().into_mode_alone()?;
            let mut tree = self.store().tree_mut();
            let replaced = tree.rename(from, to, &mode)?;
            self.store().release(&replaced);
            drop(tree);
            Ok(())
        };
        rename().map_err(|error: Error| error.at(Operation::Rename, NAME, from))
    }

    async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        self.check(Operation::SetModified)?;
        let mut tree = self.store().tree_mut();
        if let Some(object) = tree.objects.get_mut(path.as_str()) {
            object.modified = modified;
            return Ok(());
        }
        let missing = match tree.object(path) {
            Err(error) if error.is_directory() => Err(Error::unsupported(
                "directories in memory have no modified times",
            )),
            found => found.map(|_| ()),
        };
        missing.map_err(|error| error.at(Operation::SetModified, NAME, path))
    }
}

impl MemoryBackend {
    /// Copies the snapshot that it finds first; the mode is decided when the copy is published.
    async fn copy_object(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        mut parts: WriteParts,
    ) -> Result<Written> {
        parts.restrict_to(self.features_now())?;
        if parts.mode == WriteMode::Append {
            return Err(Error::unsupported("copy in mode append"));
        }
        let object = self.store().tree().object(from)?.clone();
        if from == to {
            return Ok(object.written(Default::default()));
        }
        let mut hasher = WriteHasher::new(&parts);
        for piece in object.content.pieces(0..object.content.len()) {
            hasher.absorb(&piece).await;
        }
        let hashes = hasher.finish()?;
        let mut publication = Publication::new(parts);
        publication.attributes.hashes = hashes.stored;
        publication.reported = hashes.reported;
        self.store()
            .publish(to, inherit(publication, object)?, None)
    }
}

/// Fills in what the options left to the source.
fn inherit(mut publication: Publication, source: Object) -> Result<Publication> {
    publication.content = source.content;
    publication.modified.get_or_insert(source.modified);
    if let Some(old) = source.attributes.as_deref() {
        let mut attributes: Attributes = publication.attributes.or(old);
        for (hash, digest) in old.hashes.iter() {
            attributes.hashes.insert(hash, digest)?;
        }
        publication.attributes = attributes;
    }
    Ok(publication)
}
