//! Appending: under the directory's exclusive lock, so that each append stays together and none is
//! lost to a replacement.
//!
//! Bytes are added in place, behind a mark with the size before, which readers do not look past:
//! they see all of an append or nothing, also when the appending process dies. Where the file system
//! has no attributes to mark with, the object is written anew.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{Error, Hashes, ObjectPath, Result, WriteMode, WriteParts, Written};
use storage_hash::{WriteHasher, WriteHashes};

use crate::attributes::{self, Attributes};
use crate::builder::Fsync;
use crate::draft::{Draft, written};
use crate::failure::failure;
use crate::place::{replaceable, stamp};
use crate::sys::{self, Dir, Kind, Share};
use crate::temporary::Temporary;
use crate::tree::{Parent, Tree};
use crate::{names, transfer};

/// What is appended: writes itself to the end of a file.
type Content<'a> = &'a dyn Fn(&File) -> Result<()>;

/// One append to one key.
struct Append<'a> {
    tree: &'a Tree,
    path: &'a ObjectPath,
    parts: &'a WriteParts,
    content: Content<'a>,
}

/// Appends bytes in memory.
pub(crate) fn pieces(
    tree: &Arc<Tree>,
    path: &ObjectPath,
    pieces: &[Bytes],
    parts: &WriteParts,
) -> Result<Written> {
    let mut hasher = WriteHasher::new(parts);
    pieces.iter().for_each(|piece| hasher.update(piece));
    let hashes = hasher.finish()?.reported;
    let append = Append {
        tree,
        path,
        parts,
        content: &|mut file| {
            let mut pieces = pieces.iter();
            pieces
                .try_for_each(|piece| file.write_all(piece))
                .map_err(failure)
        },
    };
    loop {
        let parent = tree.in_parent(path, Ok)?;
        if let Some(written) = append.to_existing(&parent, &hashes)? {
            return Ok(written);
        }
        let mut creating = parts.clone();
        creating.mode = WriteMode::CreateNew;
        let mut draft = Draft::begin(Arc::clone(tree), path.clone(), creating)?;
        draft.write(pieces)?;
        match draft.publish(Attributes::default()) {
            // Created by another process meanwhile.
            Err(error) if error.is_already_exists() => {}
            done => return done,
        }
    }
}

/// Appends what a draft has gathered in its temporary file, or makes that the object.
pub(crate) fn spooled(draft: &mut Draft, size: u64, hashes: &WriteHashes) -> Result<Written> {
    loop {
        let append = Append {
            tree: &draft.tree,
            path: &draft.path,
            parts: &draft.parts,
            content: &|file| {
                let mut to = file;
                let (from, pool) = (&draft.temporary.file, &draft.tree.pool);
                transfer::read_through(from, 0..size, pool, |bytes| to.write_all(bytes))
            },
        };
        if let Some(written) = append.to_existing(&draft.parent, &hashes.reported)? {
            return Ok(written);
        }
        draft.parts.mode = WriteMode::CreateNew;
        match draft.complete(size, hashes, Attributes::default()) {
            Err(error) if error.is_already_exists() => draft.parts.mode = WriteMode::Append,
            done => return done,
        }
    }
}

impl Append<'_> {
    /// Appends to the object if there is one.
    fn to_existing(&self, parent: &Parent, hashes: &Hashes) -> Result<Option<Written>> {
        let _lock = self.tree.lock(&parent.dir, Share::Exclusive)?;
        let Some(file) = self.open(&parent.dir)? else {
            return Ok(None);
        };
        if self.tree.abilities.attributes {
            self.extend(&file, hashes).map(Some)
        } else {
            self.rewrite(&file, parent, hashes).map(Some)
        }
    }

    /// Opens the file to append to; `None` when there is none.
    fn open(&self, dir: &Dir) -> Result<Option<File>> {
        let stat = replaceable(self.tree, dir, self.path)?;
        if stat.is_some_and(|stat| stat.kind == Kind::Link) {
            // What it points to lies in another directory, whose lock this is not.
            return Err(Error::unsupported("appending through a symbolic link"));
        }
        let (_, name) = names::split(self.path);
        match stat.map(|_| dir.open_append(name)) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(failure(error)),
            Some(Ok(file)) => Ok(Some(file)),
            Some(Err(_)) | None => Ok(None),
        }
    }

    /// Adds the bytes in place; takes them back when that fails.
    fn extend(&self, file: &File, hashes: &Hashes) -> Result<Written> {
        let before = match attributes::size_before_append(file)? {
            Some(before) => {
                // Left by a process that died: nobody has seen the bytes past the mark.
                file.set_len(before).map_err(failure)?;
                before
            }
            None => sys::stat_file(file).map_err(failure)?.size,
        };
        attributes::begin_append(file, before)?;
        let added = self
            .fill(file, before)
            .and_then(|()| attributes::end_append(file));
        if let Err(error) = added {
            // Should this fail too, the mark stays and hides what the next append removes.
            if file.set_len(before).is_ok() {
                let _ = attributes::forget_append(file);
            }
            return Err(error);
        }
        if self.tree.sync_level(self.parts.durability) > Fsync::None {
            // The removal of the mark has to last too, so the bytes alone are not enough.
            let synced = file.sync_all();
            synced.map_err(|error| failure(error).with_outcome_unknown())?;
        }
        let stat = sys::stat_file(file).map_err(failure)?;
        let nonce = attributes::nonce(file)?;
        let nonce = nonce.as_deref();
        Ok(written(self.tree, &stat, stat.size, nonce, hashes.clone()))
    }

    fn fill(&self, file: &File, before: u64) -> Result<()> {
        attributes::forget_hashes(file)?;
        (self.content)(file)?;
        let modified = stamp(file, self.parts.modified)?;
        let attributes = Attributes {
            content_type: self.parts.content_type.clone(),
            cache_control: self.parts.cache_control.clone(),
            metadata: self.parts.metadata.clone(),
            ..Attributes::default()
        };
        attributes.store(file, before, modified)
    }

    /// Replaces the object by a longer one.
    fn rewrite(&self, file: &File, parent: &Parent, hashes: &Hashes) -> Result<Written> {
        let (above, name) = names::split(self.path);
        let tree = self.tree;
        let mut temporary = Temporary::create(tree, above, &parent.dir).map_err(failure)?;
        let old = parent.dir.open_own_file(name).map_err(failure)?;
        let size = sys::stat_file(file).map_err(failure)?.size;
        transfer::copy(&old, 0..size, &temporary.file, &tree.pool)?;
        (self.content)(&temporary.file)?;
        stamp(&temporary.file, self.parts.modified)?;
        let durable = tree.sync_level(self.parts.durability) > Fsync::None;
        if durable {
            temporary.file.sync_all().map_err(failure)?;
        }
        temporary.rename(name).map_err(failure)?;
        if durable {
            parent.sync()?;
        }
        let stat = sys::stat_file(&temporary.file).map_err(failure)?;
        Ok(written(tree, &stat, stat.size, None, hashes.clone()))
    }
}
