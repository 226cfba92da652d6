//! Giving a finished temporary file its name, under the conditions of the mode.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use storage_core::{Error, ErrorKind, ObjectPath, Result, Version, WriteMode};

use crate::attributes::{self, Attributes};
use crate::draft::{Draft, Patience};
use crate::failure::{directory, failure, special};
use crate::read::Opened;
use crate::sys::{self, Dir, Kind, Share, Stamp, Stat};
use crate::tree::Tree;
use crate::{call, link_objects, names, version};

/// Two changes further apart never get the same time stamp from the kernel, whose timer runs at 100
/// Hz or faster.
const TICK: Duration = Duration::from_millis(20);

/// Bytes of an object in memory that are freed faster than they are held, give or take.
const SMALL: u64 = 256 << 10;

/// Publishes a draft whose temporary file is complete.
pub(crate) fn publish(draft: &mut Draft, attributes: &mut Attributes) -> Result<()> {
    match draft.parts.mode.clone() {
        WriteMode::CreateNew => create(draft),
        WriteMode::IfVersion(expected) => replace_version(draft, expected),
        WriteMode::Replace | WriteMode::Append => replace(draft, attributes),
    }
}

fn create(draft: &mut Draft) -> Result<()> {
    let (_, name) = names::split(&draft.path);
    match draft.temporary.rename_new(name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(taken(&draft.tree, &draft.path))
        }
        done => done.map_err(failure),
    }
}

/// A new key needs no lock; only where something is to be replaced is the directory locked, so that
/// a conditional write sees every replacement either before or after its own.
fn replace(draft: &mut Draft, attributes: &mut Attributes) -> Result<()> {
    let path = draft.path.clone();
    let (_, name) = names::split(&path);
    match draft.temporary.rename_new(name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        done => return done.map_err(failure),
    }
    let (tree, dir) = (Arc::clone(&draft.tree), Arc::clone(&draft.parent.dir));
    let _lock = match draft.patience {
        Patience::Waits => tree.lock(&dir, Share::Shared)?,
        _ if !tree.abilities.locks => None,
        _ => Some(
            dir.lock(Share::Shared, false)
                .map_err(|_| draft.gives_up())?,
        ),
    };
    let old = replaceable(&tree, &dir, &path)?;
    if let (Some(old), Some(_)) = (old, draft.parts.modified) {
        set_apart(draft, &old, attributes)?;
    }
    // In memory, freeing little takes less than holding it does.
    let least = if tree.abilities.in_memory { SMALL } else { 1 };
    let worth = old.filter(|old| old.kind == Kind::File && old.size >= least && call::can_defer());
    let held = worth.and_then(|old| Some((dir.hold(name)?, old.size)));
    draft.temporary.rename(name).map_err(failure)?;
    if let Some(release) = held.and_then(|(held, size)| tree.releases.start(held, size)) {
        call::defer(release);
    }
    Ok(())
}

fn replace_version(draft: &mut Draft, expected: Version) -> Result<()> {
    let (_, name) = names::split(&draft.path);
    let (tree, dir) = (Arc::clone(&draft.tree), Arc::clone(&draft.parent.dir));
    let _lock = tree.lock(&dir, Share::Exclusive)?;
    let actual = own_version(&tree, &dir, &draft.path)?;
    if actual.as_ref() != Some(&expected) {
        return Err(Error::precondition_failed(Some(expected), actual));
    }
    draft.temporary.rename(name).map_err(failure)
}

/// The version of the file at a key, whose directory is locked; `None` when there is none.
pub(crate) fn own_version(tree: &Tree, dir: &Dir, path: &ObjectPath) -> Result<Option<Version>> {
    let (_, name) = names::split(path);
    match replaceable(tree, dir, path)? {
        None => return Ok(None),
        Some(stat) if stat.kind == Kind::Link => {
            return Err(Error::unsupported("a conditional write of a symbolic link"));
        }
        Some(_) => {}
    }
    let Opened { file, stat } = Opened::new(tree, dir.open_own_file(name).map_err(failure)?)?;
    let nonce = match tree.abilities.attributes {
        true => attributes::nonce(&file)?,
        false => None,
    };
    Ok(Some(version::token(&stat, stat.size, nonce.as_deref())))
}

/// What a write to `path` would replace: nothing, a file or a link.
///
/// # Errors
/// `IsDirectory`, also for a link to a directory; `Unsupported` for anything that is no object.
pub(crate) fn replaceable(tree: &Tree, dir: &Dir, path: &ObjectPath) -> Result<Option<Stat>> {
    let (_, name) = names::split(path);
    let stat = match dir.stat_own(name.as_ref()) {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(error)),
    };
    match stat.kind {
        Kind::File => Ok(Some(stat)),
        Kind::Link if tree.is_directory(path) => Err(directory()),
        Kind::Link => Ok(Some(stat)),
        Kind::Directory => Err(directory()),
        Kind::Special => Err(special()),
    }
}

/// The error of a creation at a name that is taken.
pub(crate) fn taken(tree: &Tree, path: &ObjectPath) -> Error {
    if tree.is_directory(path) {
        return directory();
    }
    if tree.links_as_objects && tree.root.stat(path).is_err() {
        return link_objects::in_the_way("link", "file");
    }
    Error::new(ErrorKind::AlreadyExists, "")
}

pub(crate) fn is_conditional(mode: &WriteMode) -> bool {
    matches!(mode, WriteMode::CreateNew | WriteMode::IfVersion(_))
}

/// Sets the modified time, of now if the caller gave none, and returns it as stored.
///
/// Now is taken from the clock: what the kernel would set by itself is the same for all writes
/// within one tick of its timer, and versions are to differ.
pub(crate) fn stamp(file: &File, modified: Option<SystemTime>) -> Result<Stamp> {
    let time = modified.unwrap_or_else(SystemTime::now);
    file.set_modified(time).map_err(failure)?;
    let wanted = Stamp::from_time(time);
    if modified.is_none() {
        return Ok(wanted);
    }
    let stored = sys::stat_file(file).map_err(failure)?.modified;
    if stored.since(wanted).unsigned_abs() > 2_000_000_000 {
        let message = "the file system cannot store this modified time";
        return Err(Error::unsupported(message));
    }
    Ok(stored)
}

/// Adds a random part to the version, where the file system can keep it.
pub(crate) fn add_nonce(tree: &Tree, attributes: &mut Attributes) {
    if tree.abilities.attributes {
        let halves = [names::random().to_be_bytes(), names::random().to_be_bytes()];
        attributes.nonce = Some(halves.concat());
    }
}

/// Makes sure that the version of a file whose modified time the caller chose differs from that of
/// any file before `old`: the inode of such a one may be the draft's by now, and if all happened
/// within one tick, so may its change time.
fn set_apart(draft: &mut Draft, old: &Stat, attributes: &mut Attributes) -> Result<()> {
    let age = Stamp::now().since(old.changed);
    let Some(rest) = (TICK.as_nanos() as i128)
        .checked_sub(age)
        .filter(|rest| *rest > 0)
    else {
        return Ok(());
    };
    if !draft.tree.abilities.attributes {
        if draft.patience != Patience::Waits {
            return Err(draft.gives_up());
        }
        let rest = u64::try_from(rest).unwrap_or(0);
        std::thread::sleep(Duration::from_nanos(rest).min(TICK));
        return Ok(());
    }
    add_nonce(&draft.tree, attributes);
    attributes.store_nonce(&draft.temporary.file)
}
