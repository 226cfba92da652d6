//! Opening the place where replaced and deleted files are kept.

use std::path::{Path, PathBuf};

use omnistorage::sync::{SyncError, Tree};
use omnistorage::{Prefix, Uri};

use super::job;
use crate::place::{self, Missing};

/// The destination and the place for backups: where both are directories of one file system, on one
/// backend, so that a file gets there by a rename.
pub(crate) async fn open(
    destination: Tree,
    destination_text: &str,
    text: &str,
    missing: Missing,
) -> Result<(Tree, Tree), SyncError> {
    if let Some((root, to, kept)) = common_root(destination_text, text) {
        let tree = |backend, path: &str| Ok::<_, SyncError>(Tree::new(backend, Prefix::new(path)?));
        if let Ok(place) = place::tree(&root, Missing::Fail).await {
            let destination = tree(place.backend.clone(), &to)?;
            return Ok((destination, tree(place.backend, &kept)?));
        }
    }
    Ok((destination, job::destination(text, missing).await?))
}

/// The deepest directory that holds both, and where they are below it.
fn common_root(destination: &str, kept: &str) -> Option<(String, String, String)> {
    let (destination, kept) = (directory(destination)?, directory(kept)?);
    let root = destination
        .ancestors()
        .find(|root| kept.starts_with(root))?;
    let device = device(root)?;
    let same = [&destination, &kept].into_iter().all(|path| {
        let existing = path.ancestors().find(|path| path.exists());
        existing.and_then(self::device) == Some(device)
    });
    let below = |path: &Path| Some(path.strip_prefix(root).ok()?.to_str()?.to_owned());
    let inside = root != destination && root != kept && root.parent().is_some();
    match same && inside {
        true => Some((
            root.to_str()?.to_owned(),
            below(&destination)?,
            below(&kept)?,
        )),
        false => None,
    }
}

/// The directory that a path or URI names, links resolved as far as it exists.
fn directory(text: &str) -> Option<PathBuf> {
    let uri = Uri::parse(text).ok().filter(|uri| uri.scheme() == "file")?;
    if text.contains('?') {
        return None;
    }
    let path = std::path::absolute(uri.path()).ok()?;
    let existing = path.ancestors().find(|path| path.exists())?;
    let rest = path.strip_prefix(existing).ok()?;
    let plain = rest
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    plain
        .then(|| existing.canonicalize().ok())?
        .map(|existing| existing.join(rest))
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|metadata| metadata.dev())
}

#[cfg(not(unix))]
fn device(_path: &Path) -> Option<u64> {
    None
}
