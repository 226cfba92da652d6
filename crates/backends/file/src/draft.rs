//! Writing an object: bytes into a temporary file beside it, then one rename.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    Error, ErrorKind, Hashes, ObjectPath, Payload, Result, WriteMode, WriteParts, Written,
};
use storage_hash::{WriteHasher, WriteHashes};

use crate::attributes::Attributes;
use crate::builder::Fsync;
use crate::failure::failure;
use crate::sys::{self, Stat};
use crate::temporary::Temporary;
use crate::tree::{Parent, Tree};
use crate::{append, place, transfer, version};

/// An object being written. Dropping it removes the temporary file. All methods block.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) tree: Arc<Tree>,
    pub(crate) path: ObjectPath,
    pub(crate) parts: WriteParts,
    pub(crate) parent: Parent,
    pub(crate) temporary: Temporary,
    hasher: WriteHasher,
}

impl Draft {
    /// Creates the parents and the temporary file.
    pub(crate) fn begin(tree: Arc<Tree>, path: ObjectPath, parts: WriteParts) -> Result<Self> {
        let (parent, temporary) = tree.in_parent(&path, |parent| {
            let (mode, lock) = (tree.file_mode, tree.abilities.locks);
            let temporary = Temporary::create(Arc::clone(&parent.dir), mode, lock)?;
            Ok((parent, temporary))
        })?;
        let hasher = WriteHasher::new(&parts);
        Ok(Self {
            tree,
            path,
            parts,
            parent,
            temporary,
            hasher,
        })
    }

    /// Adds bytes.
    pub(crate) fn write(&mut self, pieces: &[Bytes]) -> Result<()> {
        for piece in pieces {
            self.hasher.update(piece);
            self.temporary.file.write_all(piece).map_err(failure)?;
        }
        Ok(())
    }

    /// Adds a part of a file, without reading it where the system can copy it.
    pub(crate) fn write_file(&mut self, from: &File, range: Range<u64>) -> Result<()> {
        let to = &self.temporary.file;
        if self.hasher.is_idle() {
            transfer::copy(from, range.clone(), to, &self.tree.pool)?;
            self.hasher.skip(range.end - range.start);
            return Ok(());
        }
        let hasher = &mut self.hasher;
        transfer::read_through(from, range, &self.tree.pool, |bytes| {
            hasher.update(bytes);
            let mut to = to;
            to.write_all(bytes)
        })
    }

    /// Gives the object its name, as the mode says. `kept` is what the source of a copy has beside
    /// its bytes.
    pub(crate) fn publish(mut self, kept: Attributes) -> Result<Written> {
        let size = self.hasher.size();
        let idle = WriteHasher::new(&WriteParts::default());
        let hashes = std::mem::replace(&mut self.hasher, idle).finish()?;
        if self.parts.mode == WriteMode::Append {
            return append::spooled(&mut self, size, &hashes);
        }
        self.complete(size, &hashes, kept)
    }

    /// Publishes in a mode other than append.
    pub(crate) fn complete(
        &mut self,
        size: u64,
        hashes: &WriteHashes,
        kept: Attributes,
    ) -> Result<Written> {
        let mut attributes = self.attributes(kept, hashes);
        self.settle(size, &mut attributes)?;
        place::publish(self, &mut attributes)?;
        if self.level() > Fsync::None {
            self.parent.sync()?;
        }
        let stat = sys::stat_file(&self.temporary.file).map_err(failure)?;
        let nonce = attributes.nonce.as_deref();
        Ok(written(&stat, size, nonce, hashes.reported.clone()))
    }

    /// What to wait for before and after publishing.
    pub(crate) fn level(&self) -> Fsync {
        self.tree.sync_level(self.parts.durability)
    }

    /// What is kept beside the bytes: what the options say, else what the source of a copy had.
    fn attributes(&self, kept: Attributes, hashes: &WriteHashes) -> Attributes {
        let parts = &self.parts;
        let metadata = match parts.metadata.is_empty() {
            true => kept.metadata,
            false => parts.metadata.clone(),
        };
        let mut attributes = Attributes {
            content_type: parts.content_type.clone().or(kept.content_type),
            cache_control: parts.cache_control.clone().or(kept.cache_control),
            metadata,
            hashes: kept.hashes,
            nonce: None,
        };
        for (hash, digest) in hashes.stored.iter() {
            // Cannot fail: the digest comes from a set that has checked its length.
            let _ = attributes.hashes.insert(hash, digest);
        }
        attributes
    }

    /// Makes the temporary file all that the object is to be, and durable as far as asked for.
    fn settle(&self, size: u64, attributes: &mut Attributes) -> Result<()> {
        let file = &self.temporary.file;
        let modified = place::stamp(file, self.parts.modified)?;
        if self.parts.modified.is_some() && place::is_conditional(&self.parts.mode) {
            place::add_nonce(&self.tree, attributes);
        }
        attributes.store(file, size, modified)?;
        match self.level() {
            Fsync::None => Ok(()),
            Fsync::Data => file.sync_data(),
            Fsync::Full => file.sync_all(),
        }
        .map_err(failure)
    }
}

/// Writes a whole object in one go.
pub(crate) fn write_all(
    tree: &Arc<Tree>,
    path: &ObjectPath,
    content: &Payload,
    parts: WriteParts,
) -> Result<Written> {
    if let (WriteMode::Append, Some(pieces)) = (&parts.mode, content.as_slices()) {
        return append::pieces(tree, path, pieces, &parts);
    }
    let mut draft = Draft::begin(Arc::clone(tree), path.clone(), parts)?;
    match (content.as_slices(), content.as_file()) {
        (Some(pieces), _) => draft.write(pieces)?,
        (None, Some((file, range))) => draft.write_file(file, range)?,
        (None, None) => {
            let message = "a payload that has to be streamed was not";
            return Err(Error::new(ErrorKind::Other, message));
        }
    }
    draft.publish(Attributes::default())
}

/// What a write reports of the file it published.
///
/// The version is that of the bytes written: should another process have appended already, then its
/// size differs from the file's, and the token matches nothing.
pub(crate) fn written(stat: &Stat, size: u64, nonce: Option<&[u8]>, hashes: Hashes) -> Written {
    let mut written = Written::new(size);
    written.version = Some(version::token(stat, size, nonce));
    written.modified = stat.modified.to_time();
    written.hashes = hashes;
    written
}
