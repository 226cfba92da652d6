//! Symbolic links as objects of their own: the link `a` is the object `a.rclonelink`, whose content
//! is where it leads. On a backend that was opened so, no other path leads through a link.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use storage_core::{
    AttributePolicy, ByteRange, Error, ErrorKind, ObjectInfo, ObjectPath, Payload, ReadParts,
    Reader, Result, WriteMode, WriteParts, Written,
};
use storage_hash::WriteHasher;

use crate::builder::Fsync;
use crate::call::commit;
use crate::draft::written;
use crate::failure::{directory, failure, is_absent};
use crate::read::{check_conditions, check_verifiable};
use crate::sys::{self, Dir, Kind, Share, Stamp, Stat};
use crate::tree::Tree;
use crate::{names, version};

/// What a link's name ends with as an object, as rclone has it.
pub(crate) const SUFFIX: &str = ".rclonelink";

/// Most bytes of a link's target.
const LONGEST: u64 = 4095;

/// The path of the link that an object of this path stands for, or would if it were written.
pub(crate) fn behind(tree: &Tree, path: &ObjectPath) -> Option<ObjectPath> {
    if !tree.links_as_objects {
        return None;
    }
    ObjectPath::new(path.as_str().strip_suffix(SUFFIX)?).ok()
}

/// A link, as it was found.
#[derive(Debug)]
pub(crate) struct Link {
    /// Its own path.
    pub(crate) path: ObjectPath,
    dir: Dir,
    stat: Stat,
}

impl Link {
    /// The link that an object of this path stands for, if there is one. Blocks.
    pub(crate) fn find(tree: &Tree, object: &ObjectPath) -> Result<Option<Self>> {
        let Some(path) = behind(tree, object) else {
            return Ok(None);
        };
        let (parent, name) = names::split(&path);
        let found = tree.root.open_dir(parent).and_then(|dir| {
            let stat = dir.stat_own(name.as_ref())?;
            Ok((dir, stat))
        });
        match found {
            Ok((dir, stat)) if stat.kind == Kind::Link => Ok(Some(Self { path, dir, stat })),
            Ok(_) => Ok(None),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failure(error)),
        }
    }

    fn name(&self) -> &str {
        names::split(&self.path).1
    }

    /// Where it leads, as it is written.
    pub(crate) fn target(&self) -> Result<Bytes> {
        let target = self.dir.read_link(self.name()).map_err(failure)?;
        Ok(target.into_encoded_bytes().into())
    }

    fn describe(&self, tree: &Tree, object: &ObjectPath, target: &Bytes) -> ObjectInfo {
        let mut info = ObjectInfo::new(object.clone()).with_size(target.len() as u64);
        info.modified = self.stat.modified.to_time();
        let version = || version::token(&self.stat, self.stat.size, None);
        info.version = tree.features.versions.then(version);
        info
    }

    /// What a listing tells of it.
    pub(crate) fn listed(&self, object: ObjectPath) -> Result<ObjectInfo> {
        let size = self.target()?.len() as u64;
        let mut info = ObjectInfo::new(object).with_size(size);
        info.modified = self.stat.modified.to_time();
        Ok(info)
    }

    /// What is known of it.
    pub(crate) fn info(&self, tree: &Tree, object: &ObjectPath) -> Result<ObjectInfo> {
        Ok(self.describe(tree, object, &self.target()?))
    }

    /// A reader of where it leads.
    pub(crate) fn reader(
        &self,
        tree: &Tree,
        object: &ObjectPath,
        parts: ReadParts,
    ) -> Result<Reader> {
        let (info, bytes, range) = self.part(tree, object, parts)?;
        let range = range.resolve(info.size.unwrap_or(0))?;
        Ok(Reader::from_bytes(info, range, bytes))
    }

    fn part(
        &self,
        tree: &Tree,
        object: &ObjectPath,
        parts: ReadParts,
    ) -> Result<(ObjectInfo, Bytes, ByteRange)> {
        let ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        } = parts;
        let target = self.target()?;
        let info = self.describe(tree, object, &target);
        check_conditions(tree, &info, if_version, if_changed_from.as_ref())?;
        if verify {
            check_verifiable(range, &info)?;
        }
        Ok((info, part(&target, range)?, range))
    }

    /// Where it leads, under the conditions of a read.
    pub(crate) fn read(&self, tree: &Tree, object: &ObjectPath, parts: ReadParts) -> Result<Bytes> {
        Ok(self.part(tree, object, parts)?.1)
    }

    /// Removes it; `false` when it is gone.
    pub(crate) fn remove(&self, tree: &Tree) -> Result<bool> {
        let _lock = tree.lock(&self.dir, Share::Shared)?;
        match commit(|| self.dir.unlink(self.name().as_ref())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            done => done.map_err(failure)?,
        }
        if tree.fsync == Fsync::Full {
            self.dir.sync().map_err(failure)?;
        }
        Ok(true)
    }

    /// Sets its own modified time.
    pub(crate) fn set_modified(&self, modified: SystemTime) -> Result<()> {
        let stamp = Stamp::from_time(modified);
        let set = self.dir.set_link_modified(self.name(), stamp);
        set.map_err(failure)
    }

    /// Makes a link at `to` that leads to the same.
    pub(crate) fn copy(
        &self,
        tree: &Arc<Tree>,
        to: &ObjectPath,
        mut parts: WriteParts,
    ) -> Result<Written> {
        let to = behind(tree, to).unwrap_or_else(|| to.clone());
        parts.modified = parts.modified.or(self.stat.modified.to_time());
        create(tree, &to, &self.target()?, &parts)
    }
}

/// A range of where a link leads.
pub(crate) fn part(target: &Bytes, range: ByteRange) -> Result<Bytes> {
    let range = range.resolve(target.len() as u64)?;
    Ok(target.slice(range.start as usize..range.end as usize))
}

/// Makes the link at `path`, leading to what `content` says. Blocks.
pub(crate) fn write(
    tree: &Arc<Tree>,
    path: &ObjectPath,
    content: &Payload,
    parts: &WriteParts,
) -> Result<Written> {
    if content.len() > LONGEST {
        return Err(too_long());
    }
    let mut target = Vec::new();
    match (content.as_slices(), content.as_file()) {
        (Some(pieces), _) => pieces.iter().for_each(|piece| target.extend(piece)),
        (None, Some((file, range))) => {
            sys::read_exact(file, &range, &mut target).map_err(failure)?;
        }
        (None, None) => return Err(too_long()),
    }
    create(tree, path, &target, parts)
}

/// The error of a target that no link has.
pub(crate) fn too_long() -> Error {
    let message = "a symbolic link leads to at most 4,095 bytes of path, and is written as a whole";
    Error::new(ErrorKind::InvalidPath, message)
}

fn create(
    tree: &Arc<Tree>,
    path: &ObjectPath,
    target: &[u8],
    parts: &WriteParts,
) -> Result<Written> {
    if target.is_empty() || target.contains(&0) || target.len() as u64 > LONGEST {
        let message = "this is no path that a symbolic link could lead to";
        return Err(Error::new(ErrorKind::InvalidPath, message));
    }
    check_options(parts)?;
    let mut hasher = WriteHasher::new(parts);
    hasher.update(target);
    let hashes = hasher.finish()?;
    let (parent_path, name) = names::split(path);
    let noted = tree.journal.note(&tree.root, parent_path);
    let parent = tree.in_parent(path, |parent| {
        let temporary = names::temporary();
        parent.dir.create_link(target, &temporary)?;
        Ok((parent, temporary))
    });
    let (parent, temporary) = parent?;
    let placed = place(tree, &parent.dir, (&temporary, name), parts);
    drop(noted);
    if placed.is_err() {
        // Whatever cannot be removed now is never listed, and swept later.
        let _ = parent.dir.unlink(temporary.as_ref());
    }
    let stat = placed?;
    if tree.sync_level(parts.durability) > Fsync::None {
        parent.sync()?;
    }
    let size = target.len() as u64;
    Ok(written(tree, &stat, size, None, hashes.reported))
}

/// A link and a file of its name exclude each other, as an object and a directory do.
pub(crate) fn in_the_way(found: &str, wanted: &str) -> Error {
    let message = format!("there is a {found} where the {wanted} is to be");
    Error::new(ErrorKind::NotDirectory, message)
}

/// Refuses what a link cannot have.
fn check_options(parts: &WriteParts) -> Result<()> {
    let keeps = parts.content_type.is_some()
        || parts.cache_control.is_some()
        || !parts.metadata.is_empty()
        || !parts.hashes.is_empty();
    if keeps && parts.attributes == AttributePolicy::Required {
        return Err(Error::unsupported("attributes of a symbolic link"));
    }
    match parts.mode {
        WriteMode::Append => Err(Error::unsupported("an append to a symbolic link")),
        _ => Ok(()),
    }
}

/// Gives a link its time and name.
fn place(
    tree: &Tree,
    dir: &Dir,
    (temporary, name): (&str, &str),
    parts: &WriteParts,
) -> Result<Stat> {
    let modified = parts.modified.unwrap_or_else(SystemTime::now);
    dir.set_link_modified(temporary, Stamp::from_time(modified))
        .map_err(failure)?;
    if let WriteMode::IfVersion(expected) = &parts.mode {
        let _lock = tree.lock(dir, Share::Exclusive)?;
        let old = dir.stat_own(name.as_ref()).ok();
        let old = old.filter(|old| old.kind == Kind::Link);
        let actual = old.map(|old| version::token(&old, old.size, None));
        if actual.as_ref() != Some(expected) {
            return Err(Error::precondition_failed(Some(expected.clone()), actual));
        }
        commit(|| dir.rename(temporary, dir, name)).map_err(failure)?;
        return dir.stat_own(name.as_ref()).map_err(failure);
    }
    match commit(|| dir.rename_new(temporary, dir, name)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let _lock = tree.lock(dir, Share::Shared)?;
            let old = dir.stat_own(name.as_ref()).map_err(failure)?;
            match (old.kind, &parts.mode) {
                (Kind::Directory, _) => return Err(directory()),
                (Kind::Link, WriteMode::Replace) => {
                    commit(|| dir.rename(temporary, dir, name)).map_err(failure)?;
                }
                (Kind::Link, _) => return Err(Error::new(ErrorKind::AlreadyExists, "")),
                (Kind::File | Kind::Special, _) => return Err(in_the_way("file", "link")),
            }
        }
        renamed => renamed.map_err(failure)?,
    }
    dir.stat_own(name.as_ref()).map_err(failure)
}
