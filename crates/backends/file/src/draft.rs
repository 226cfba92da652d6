//! Writing an object: bytes into a temporary file beside it, then one rename.

use std::fs::File;
use std::io::{self, Write};
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
use crate::{append, call, link_objects, names, place, system_metadata, transfer, version};

/// An object being written. Dropping it removes the temporary file. All methods block.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) tree: Arc<Tree>,
    pub(crate) path: ObjectPath,
    pub(crate) parts: WriteParts,
    pub(crate) parent: Parent,
    pub(crate) temporary: Temporary,
    pub(crate) patience: Patience,
    hasher: WriteHasher,
}

/// Whether a draft may wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Waits,
    /// It is on an async worker.
    Hurries,
    /// It was, and had to wait: the write is to begin again elsewhere.
    GaveUp,
}

impl Draft {
    /// Creates the parents and the temporary file.
    pub(crate) fn begin(tree: Arc<Tree>, path: ObjectPath, parts: WriteParts) -> Result<Self> {
        if link_objects::behind(&tree, &path).is_some() {
            return Err(link_objects::too_long());
        }
        let (parent, temporary) = tree.in_parent(&path, |parent| {
            let temporary = Temporary::create(&tree, names::split(&path).0, &parent.dir)?;
            Ok((parent, temporary))
        })?;
        Ok(Self::new(tree, path, parts, parent, temporary))
    }

    fn new(
        tree: Arc<Tree>,
        path: ObjectPath,
        parts: WriteParts,
        parent: Parent,
        temporary: Temporary,
    ) -> Self {
        Self {
            hasher: WriteHasher::new(&parts),
            tree,
            path,
            parts,
            parent,
            temporary,
            patience: Patience::Waits,
        }
    }

    /// Notes that this has to wait, and must not.
    pub(crate) fn gives_up(&mut self) -> Error {
        self.patience = Patience::GaveUp;
        Error::new(ErrorKind::Io, "the write has to wait")
    }

    /// Adds bytes.
    pub(crate) fn write(&mut self, pieces: &[Bytes]) -> Result<()> {
        for piece in pieces {
            self.hasher.update(piece);
            self.write_piece(piece).map_err(failure)?;
        }
        Ok(())
    }

    fn write_piece(&mut self, mut piece: &[u8]) -> io::Result<()> {
        while !piece.is_empty() {
            match self.temporary.file.write(piece) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => piece = piece.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    self.make_room(error)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What was replaced a moment ago may still take the room that is missing.
    fn make_room(&mut self, full: io::Error) -> io::Result<()> {
        if self.patience == Patience::Waits {
            return self.tree.releases.wait().then_some(()).ok_or(full);
        }
        self.patience = Patience::GaveUp;
        Err(full)
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
    pub(crate) fn publish(&mut self, kept: Attributes) -> Result<Written> {
        let size = self.hasher.size();
        let idle = WriteHasher::new(&WriteParts::default());
        let hashes = std::mem::replace(&mut self.hasher, idle).finish()?;
        if self.parts.mode == WriteMode::Append {
            return append::spooled(self, size, &hashes);
        }
        self.complete(size, &hashes, kept)
    }

    /// Publishes, as the last step of a call.
    pub(crate) fn publish_last(mut self, kept: Attributes) -> Result<Written> {
        let written = self.publish(kept)?;
        // The file is closed first: no program could be run that is still open for writing.
        let parent = self.parent;
        drop(self.temporary);
        call::defer(parent);
        Ok(written)
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
        let reported = hashes.reported.clone();
        Ok(written(&self.tree, &stat, size, nonce, reported))
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
        let mut modified = self.parts.modified;
        if self.tree.system_metadata {
            let metadata = std::mem::take(&mut attributes.metadata);
            modified = system_metadata::modified(modified, &metadata);
            system_metadata::apply(file, &metadata, self.parts.attributes)?;
        }
        let modified = place::stamp(file, modified)?;
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

/// Most bytes that are written on an async worker.
const SMALL: u64 = 64 << 10;

/// Writes a small object on an async worker, into a directory that is there and lies in memory, where
/// no step waits for a device. `None` when it has to go the long way, and nothing was done.
pub(crate) fn write_inline(
    tree: &Arc<Tree>,
    path: &ObjectPath,
    content: &Payload,
    parts: &WriteParts,
) -> Option<Result<Written>> {
    let pieces = content.as_slices()?;
    let simple = matches!(parts.mode, WriteMode::Replace | WriteMode::CreateNew)
        && (parts.hashes | parts.verify | parts.expected.types()).is_empty();
    let is_link = link_objects::behind(tree, path).is_some();
    if !simple || is_link || !tree.abilities.in_memory || content.len() > SMALL {
        return None;
    }
    let dir = tree.root.open_dir(names::split(path).0).ok()?;
    if dir.stat_self().ok()?.device != tree.device {
        return None;
    }
    let parent = Parent::existing(dir);
    let temporary = Temporary::create(tree, names::split(path).0, &parent.dir).ok()?;
    let (tree, path) = (Arc::clone(tree), path.clone());
    let mut draft = Draft::new(tree, path, parts.clone(), parent, temporary);
    draft.patience = Patience::Hurries;
    let written = draft.write(pieces);
    let written = written.and_then(|()| draft.publish(Attributes::default()));
    (draft.patience != Patience::GaveUp).then_some(written)
}

/// Writes a whole object in one go.
pub(crate) fn write_all(
    tree: &Arc<Tree>,
    path: &ObjectPath,
    content: &Payload,
    parts: WriteParts,
) -> Result<Written> {
    if let Some(link) = link_objects::behind(tree, path) {
        return link_objects::write(tree, &link, content, &parts);
    }
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
    draft.publish_last(Attributes::default())
}

/// What a write reports of the file it published.
///
/// The version is that of the bytes written: should another process have appended already, then its
/// size differs from the file's, and the token matches nothing.
pub(crate) fn written(
    tree: &Tree,
    stat: &Stat,
    size: u64,
    nonce: Option<&[u8]>,
    hashes: Hashes,
) -> Written {
    let mut written = Written::new(size);
    let version = || version::token(stat, size, nonce);
    written.version = tree.features.versions.then(version);
    written.modified = stat.modified.to_time();
    written.hashes = hashes;
    written
}
