//! Opening and reading objects.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    ByteRange, Error, ErrorKind, ObjectInfo, ObjectPath, PayloadSource, ReadParts, Reader, Result,
    Version,
};
use storage_hash::{hash, verified};

use crate::attributes::{self, Attributes};
use crate::failure::{directory, failure, lookup, special};
use crate::link_objects::{self, Link};
use crate::pool::{CHUNK, Pool};
use crate::stream::FileSource;
use crate::sys::{self, Kind, Stat};
use crate::transfer::{cut_short, read_through};
use crate::tree::Tree;
use crate::{system_metadata, version};

/// Most bytes that are read at once on an async worker, and that an opened reader has read already.
pub(crate) const SMALL: u64 = 64 << 10;

/// An open object: its bytes stay what they are, whatever happens to its key.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) stat: Stat,
}

impl Opened {
    /// Takes an open file for the object it is.
    pub(crate) fn new(tree: &Tree, file: File) -> Result<Self> {
        let stat = sys::stat_file(&file).map_err(failure)?;
        match stat.kind {
            Kind::File if tree.abilities.attributes => {
                let stat = without_append(&file, stat)?;
                Ok(Self { file, stat })
            }
            Kind::File => Ok(Self { file, stat }),
            Kind::Directory => Err(directory()),
            Kind::Link | Kind::Special => Err(special()),
        }
    }

    /// Opens the object at `path`. Blocks.
    pub(crate) fn open(tree: &Tree, path: &ObjectPath) -> Result<Self> {
        Self::new(tree, tree.root.open_file(path).map_err(lookup)?)
    }

    /// Opens the object at `path` if that takes no waiting.
    pub(crate) fn open_cached(tree: &Tree, path: &ObjectPath) -> Option<Result<Self>> {
        if link_objects::behind(tree, path).is_some() {
            return None;
        }
        let opened = tree.root.open_file_cached(path)?;
        Some(
            opened
                .map_err(lookup)
                .and_then(|file| Self::new(tree, file)),
        )
    }

    /// What is known of the object, attributes included. Blocks.
    pub(crate) fn info(&self, tree: &Tree, path: &ObjectPath) -> Result<ObjectInfo> {
        let attributes = match tree.abilities.attributes {
            true => Attributes::load(&self.file, &self.stat)?,
            false => Attributes::default(),
        };
        let mut info = plain_info(path.clone(), &self.stat);
        if tree.features.versions {
            let nonce = attributes.nonce.as_deref();
            info.version = Some(version::token(&self.stat, self.stat.size, nonce));
        }
        attributes.describe(&mut info);
        if tree.system_metadata {
            system_metadata::read(&self.file, &mut info.metadata)?;
        }
        Ok(info)
    }

    /// Reads a range. Blocks.
    pub(crate) fn read(&self, range: &Range<u64>, pool: &Pool) -> Result<Bytes> {
        let len = usize::try_from(range.end - range.start)
            .map_err(|_| Error::unsupported("an object larger than memory in one piece"))?;
        if len <= CHUNK {
            let mut bytes = Vec::with_capacity(len);
            sys::read_exact(&self.file, range, &mut bytes).map_err(failure)?;
            return match len - bytes.len() {
                0 => Ok(bytes.into()),
                missing => Err(cut_short(missing as u64)),
            };
        }
        // Through a piece that the cache holds: the kernel is slow at writing to memory that is not
        // in the cache, or not there yet.
        let mut bytes = pool.take(len);
        bytes.clear();
        read_through(&self.file, range.clone(), pool, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(pool.share(bytes))
    }

    /// Reads a small range if that takes no waiting.
    pub(crate) fn read_cached(&self, tree: &Tree, range: &Range<u64>) -> Option<Bytes> {
        if range.end - range.start > SMALL {
            return None;
        }
        if range.is_empty() {
            return Some(Bytes::new());
        }
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let read = sys::read_cached(&self.file, range.start, &mut bytes, self.in_memory(tree));
        read.then(|| bytes.into())
    }

    /// Whether the file lies in memory anyway.
    fn in_memory(&self, tree: &Tree) -> bool {
        tree.abilities.in_memory && self.stat.device == tree.device
    }
}

/// The state of a file less the bytes of an append under way, or of one whose process died.
///
/// An append that came and went between two looks shows in the size, so a size seen twice with no
/// mark in between is one without a part of an append.
fn without_append(file: &File, mut stat: Stat) -> Result<Stat> {
    loop {
        if let Some(size) = attributes::size_before_append(file)? {
            stat.size = stat.size.min(size);
            return Ok(stat);
        }
        let again = sys::stat_file(file).map_err(failure)?;
        if again.size == stat.size {
            return Ok(again);
        }
        stat = again;
    }
}

/// What a file's or directory's entry alone tells.
pub(crate) fn plain_info(path: ObjectPath, stat: &Stat) -> ObjectInfo {
    let mut info = match stat.kind {
        Kind::Directory => ObjectInfo::directory(path),
        _ => ObjectInfo::new(path).with_size(stat.size),
    };
    info.modified = stat.modified.to_time();
    info
}

/// What is known of an object that lies in memory, on an async worker. `None` for any other.
pub(crate) fn stat_inline(tree: &Tree, path: &ObjectPath) -> Option<Result<ObjectInfo>> {
    if !tree.abilities.in_memory {
        return None;
    }
    let opened = Opened::open_cached(tree, path)?.ok()?;
    opened.in_memory(tree).then(|| opened.info(tree, path))
}

/// What is known of an object or directory. Blocks.
pub(crate) fn stat(tree: &Tree, path: &ObjectPath) -> Result<ObjectInfo> {
    if let Some(link) = Link::find(tree, path)? {
        return link.info(tree, path);
    }
    let stat = tree.root.stat(path).map_err(lookup)?;
    match stat.kind {
        Kind::Directory => return Ok(plain_info(path.clone(), &stat)),
        Kind::File => {}
        Kind::Link | Kind::Special => return Err(special()),
    }
    match Opened::open(tree, path) {
        Ok(opened) => opened.info(tree, path),
        // A file that may be seen but not read: its attributes stay unknown, and with them the
        // version, part of which may be kept there.
        Err(error) if error.is_permission_denied() => Ok(plain_info(path.clone(), &stat)),
        // It became a directory meanwhile.
        Err(error) if error.is_directory() => Ok(ObjectInfo::directory(path.clone())),
        Err(error) => Err(error),
    }
}

/// Opens a reader on an async worker, of a file that lies in memory. `None` for any other.
pub(crate) fn reader_inline(
    tree: &Tree,
    path: &ObjectPath,
    parts: &ReadParts,
) -> Option<Result<Reader>> {
    if !tree.abilities.in_memory || parts.verify {
        return None;
    }
    match Opened::open_cached(tree, path)? {
        Ok(opened) if !opened.in_memory(tree) => None,
        Ok(opened) => Some(opened.reader(tree, path, parts.clone())),
        Err(error) => Some(Err(error)),
    }
}

/// Opens a reader. Blocks.
pub(crate) fn reader(tree: &Tree, path: &ObjectPath, parts: ReadParts) -> Result<Reader> {
    if let Some(link) = Link::find(tree, path)? {
        return link.reader(tree, path, parts);
    }
    Opened::open(tree, path)?.reader(tree, path, parts)
}

impl Opened {
    fn reader(self, tree: &Tree, path: &ObjectPath, parts: ReadParts) -> Result<Reader> {
        let opened = self;
        let info = opened.info(tree, path)?;
        let ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        } = parts;
        check_conditions(tree, &info, if_version, if_changed_from.as_ref())?;
        if verify {
            check_verifiable(range, &info)?;
        }
        let range = range.resolve(opened.stat.size)?;
        if range.end - range.start <= SMALL {
            let bytes = opened.read(&range, &tree.pool)?;
            if verify {
                verify_bytes(&bytes, &info)?;
            }
            return Ok(Reader::from_bytes(info, range, bytes));
        }
        let in_memory = opened.in_memory(tree);
        let source = FileSource::new(opened.file, range.clone(), tree.pool.clone(), in_memory);
        let stream = source.stream();
        if verify {
            let stream = verified(stream, info.hashes.clone())?;
            return Ok(Reader::from_stream(info, range, stream));
        }
        Ok(Reader::from_stream(info, range, stream).with_source(Arc::new(source)))
    }
}

/// Reads all that the options ask for. Blocks.
pub(crate) fn read(tree: &Tree, path: &ObjectPath, parts: ReadParts) -> Result<Bytes> {
    if let Some(link) = Link::find(tree, path)? {
        return link.read(tree, path, parts);
    }
    let opened = Opened::open(tree, path)?;
    let ReadParts {
        range,
        if_version,
        if_changed_from,
        verify,
    } = parts;
    let described = verify || if_version.is_some() || if_changed_from.is_some();
    if !described {
        return opened.read(&range.resolve(opened.stat.size)?, &tree.pool);
    }
    let info = opened.info(tree, path)?;
    check_conditions(tree, &info, if_version, if_changed_from.as_ref())?;
    if verify {
        check_verifiable(range, &info)?;
    }
    let bytes = opened.read(&range.resolve(opened.stat.size)?, &tree.pool)?;
    if verify {
        verify_bytes(&bytes, &info)?;
    }
    Ok(bytes)
}

/// Reads several ranges of one open object. Blocks.
pub(crate) fn read_ranges(
    tree: &Tree,
    path: &ObjectPath,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>> {
    if let Some(link) = Link::find(tree, path)? {
        let target = link.target()?;
        let parts = ranges
            .iter()
            .map(|range| link_objects::part(&target, range.clone().into()));
        return parts.collect();
    }
    let opened = Opened::open(tree, path)?;
    let read = |range: &Range<u64>| {
        let range = ByteRange::from(range.clone()).resolve(opened.stat.size)?;
        opened.read(&range, &tree.pool)
    };
    ranges.iter().map(read).collect()
}

pub(crate) fn check_conditions(
    tree: &Tree,
    info: &ObjectInfo,
    if_version: Option<Version>,
    if_changed_from: Option<&Version>,
) -> Result<()> {
    if !tree.features.versions && (if_version.is_some() || if_changed_from.is_some()) {
        return Err(Error::unsupported("conditional reads"));
    }
    if if_version.is_some() && if_version != info.version {
        return Err(Error::precondition_failed(if_version, info.version.clone()));
    }
    if if_changed_from.is_some() && if_changed_from == info.version.as_ref() {
        return Err(Error::new(ErrorKind::NotModified, ""));
    }
    Ok(())
}

pub(crate) fn check_verifiable(range: ByteRange, info: &ObjectInfo) -> Result<()> {
    if range != ByteRange::Full {
        return Err(Error::unsupported("verifying a part of an object"));
    }
    if info.hashes.is_empty() {
        let message = "the object has no stored hash to verify against";
        return Err(Error::unsupported(message));
    }
    Ok(())
}

fn verify_bytes(bytes: &[u8], info: &ObjectInfo) -> Result<()> {
    let found = hash(info.hashes.types(), bytes);
    if found.matches(&info.hashes) == Some(false) {
        let message = format!("the bytes hash to {found:?}, not {:?}", info.hashes);
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    Ok(())
}
