//! Appending: under the directory's exclusive lock, so that each append stays together and none is
//! lost to a replacement.

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
use crate::tree::Tree;
use crate::{names, transfer};

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
    loop {
        let parent = tree.in_parent(path, Ok)?;
        let lock = tree.lock(&parent.dir, Share::Exclusive)?;
        if let Some(file) = open(tree, &parent.dir, path)? {
            return add(tree, &file, parts, hashes, |mut file| {
                let mut pieces = pieces.iter();
                pieces.try_for_each(|piece| file.write_all(piece)).map_err(failure)
            });
        }
        drop(lock);
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
        let tree = Arc::clone(&draft.tree);
        let lock = tree.lock(&draft.temporary.dir, Share::Exclusive)?;
        if let Some(file) = open(&tree, &draft.temporary.dir, &draft.path)? {
            let reported = hashes.reported.clone();
            return add(&tree, &file, &draft.parts, reported, |file| {
                transfer::read_through(&draft.temporary.file, 0..size, &tree.pool, |bytes| {
                    let mut file = file;
                    file.write_all(bytes)
                })
            });
        }
        drop(lock);
        draft.parts.mode = WriteMode::CreateNew;
        match draft.complete(size, hashes, Attributes::default()) {
            Err(error) if error.is_already_exists() => draft.parts.mode = WriteMode::Append,
            done => return done,
        }
    }
}

/// Opens the file to append to; `None` when there is none.
fn open(tree: &Tree, dir: &Dir, path: &ObjectPath) -> Result<Option<File>> {
    match replaceable(tree, dir, path)? {
        None => Ok(None),
        // Its directory is another one, whose lock this is not.
        Some(stat) if stat.kind == Kind::Link => {
            Err(Error::unsupported("appending through a symbolic link"))
        }
        Some(_) => {
            let (_, name) = names::split(path);
            match dir.open_append(name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                opened => opened.map(Some).map_err(failure),
            }
        }
    }
}

/// Adds bytes to a file whose directory is locked; takes them back when that fails.
fn add(
    tree: &Tree,
    file: &File,
    parts: &WriteParts,
    hashes: Hashes,
    write: impl FnOnce(&File) -> Result<()>,
) -> Result<Written> {
    let before = sys::stat_file(file).map_err(failure)?.size;
    if tree.abilities.attributes {
        attributes::forget_hashes(file)?;
    }
    let attributes = Attributes {
        content_type: parts.content_type.clone(),
        cache_control: parts.cache_control.clone(),
        metadata: parts.metadata.clone(),
        ..Attributes::default()
    };
    let added = write(file)
        .and_then(|()| stamp(file, parts.modified))
        .and_then(|modified| attributes.store(file, before, modified));
    if let Err(error) = added {
        // Should this fail too, part of the append stays, as after a crash.
        let _ = file.set_len(before);
        return Err(error);
    }
    sync(tree.sync_level(parts.durability), file)?;
    let stat = sys::stat_file(file).map_err(failure)?;
    let nonce = match tree.abilities.attributes {
        true => attributes::nonce(file)?,
        false => None,
    };
    Ok(written(&stat, stat.size, nonce.as_deref(), hashes))
}

fn sync(level: Fsync, file: &File) -> Result<()> {
    match level {
        Fsync::None => Ok(()),
        Fsync::Data => file.sync_data(),
        Fsync::Full => file.sync_all(),
    }
    .map_err(|error| failure(error).with_outcome_unknown())
}
