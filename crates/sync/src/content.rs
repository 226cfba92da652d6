//! Whether two objects have the same bytes, at the least cost: hashes that both stores keep, one
//! store's hashes against the other's bytes, or both sides' bytes.

use bytes::Bytes;
use storage_core::{
    ExtendedBackend, HashType, HashTypes, Hashes, ObjectInfo, ObjectPath, Operation, ReadOptions,
    Reader, Result,
};
use storage_hash::Hasher;

use crate::tree::Side;
use crate::{Evidence, etag};

/// What comparing two contents came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared {
    pub(crate) same: bool,
    pub(crate) evidence: Evidence,
    /// Whether an object was read, for want of hashes that could be compared.
    pub(crate) was_read: bool,
}

/// Compares the contents of two objects.
pub(crate) async fn is_same(
    source: (&Side, &ObjectInfo),
    destination: (&Side, &ObjectInfo),
    trust_hashes: bool,
) -> Result<Compared> {
    let unknown = source.1.hashes.is_empty() && destination.1.hashes.is_empty();
    if trust_hashes && unknown && is_same_by_tag(source, destination).await? {
        return Ok(Compared {
            same: true,
            evidence: Evidence::Hash,
            was_read: false,
        });
    }
    let (mut ours, mut theirs) = (Hashes::new(), Hashes::new());
    if trust_hashes || !source.0.tree.has_content() {
        ours = stored_hashes(source).await?;
    }
    if trust_hashes {
        theirs = stored_hashes(destination).await?;
    }
    let was_read = ours.matches(&theirs).is_none();
    let (a, b) = (&source.1.path, &destination.1.path);
    let (same, evidence) = if let Some(same) = ours.matches(&theirs) {
        (same, Evidence::Hash)
    } else if !theirs.is_empty() && source.0.tree.has_content() {
        let found = hash_of(source.0, a, cheapest(&theirs)).await?;
        (found.matches(&theirs) == Some(true), Evidence::Hash)
    } else if !ours.is_empty() {
        let found = hash_of(destination.0, b, cheapest(&ours)).await?;
        (found.matches(&ours) == Some(true), Evidence::Hash)
    } else {
        let same = is_same_bytes((source.0, a), (destination.0, b)).await?;
        (same, Evidence::Bytes)
    };
    Ok(Compared {
        same,
        evidence,
        was_read,
    })
}

/// Whether an entity tag shows that the bytes are the same, with no more than one side read, and that
/// one where it costs no request.
async fn is_same_by_tag(
    (source, a): (&Side, &ObjectInfo),
    (destination, b): (&Side, &ObjectInfo),
) -> Result<bool> {
    let tags = etag::md5(a).zip(etag::md5(b));
    if tags.is_some_and(|(a, b)| a == b) && a.size.is_some() && a.size == b.size {
        return Ok(true);
    }
    let is_local = |side: &Side| side.backend().blocks() && !side.tree.is_view();
    if is_local(source) && etag::proves_same((source, a), b).await? {
        return Ok(true);
    }
    Ok(is_local(destination) && etag::proves_same((destination, b), a).await?)
}

/// One digest of an object: the one that the store keeps if that may be trusted, else by reading.
pub(crate) async fn digest(
    side: &Side,
    info: &ObjectInfo,
    hash: HashType,
    trust_hashes: bool,
) -> Result<Hashes> {
    let mut digest = Hashes::new();
    if trust_hashes {
        let stored = stored_hashes((side, info)).await?;
        if let Some(known) = stored.get(hash) {
            digest.insert(hash, known)?;
            return Ok(digest);
        }
    }
    hash_of(side, &info.path, hash.into()).await
}

/// The digests of what is stored, by reading it.
pub(crate) async fn hash_of(side: &Side, path: &ObjectPath, types: HashTypes) -> Result<Hashes> {
    let mut hasher = Hasher::new(types);
    let mut reader = open(side, path).await?;
    while let Some(chunk) = reader.chunk().await {
        hasher.update(&chunk.map_err(|error| read_error(side, path, error))?);
    }
    Ok(hasher.finish())
}

/// The digests that the store keeps, else those of the bytes.
pub(crate) async fn known_or_read(side: &Side, info: &ObjectInfo) -> Result<Hashes> {
    let stored = stored_hashes((side, info)).await?;
    if !stored.is_empty() {
        return Ok(stored);
    }
    hash_of(side, &info.path, storage_core::HashType::Blake3.into()).await
}

pub(crate) async fn stored_hashes((side, info): (&Side, &ObjectInfo)) -> Result<Hashes> {
    let extended = side.backend().as_extended();
    match extended.filter(|_| side.features.hashes && info.hashes.is_empty()) {
        Some(extended) => Ok(ExtendedBackend::stat(extended, &info.path).await?.hashes),
        None => Ok(info.hashes.clone()),
    }
}

/// One algorithm is enough: the one that computes fastest.
fn cheapest(hashes: &Hashes) -> HashTypes {
    use storage_core::HashType::{Blake3, Crc32c, Md5, Sha1, Sha256};
    let fastest_first = [Blake3, Sha256, Sha1, Md5, Crc32c];
    let known = hashes.types();
    // A cryptographic digest is preferred over a checksum: here it decides whether bytes are sent.
    let chosen = fastest_first.into_iter().find(|hash| known.contains(*hash));
    chosen.map_or(known, HashTypes::from)
}

async fn is_same_bytes(a: (&Side, &ObjectPath), b: (&Side, &ObjectPath)) -> Result<bool> {
    let (mut left, mut right) = tokio::try_join!(open(a.0, a.1), open(b.0, b.1))?;
    let (mut x, mut y) = (Bytes::new(), Bytes::new());
    loop {
        let (more_x, more_y) =
            tokio::try_join!(refill(&mut left, &mut x, a), refill(&mut right, &mut y, b))?;
        if !(more_x && more_y) {
            return Ok(more_x == more_y);
        }
        let common = x.len().min(y.len());
        if x.split_to(common) != y.split_to(common) {
            return Ok(false);
        }
    }
}

/// Whether there are bytes in `chunk`, reading more when it is empty.
async fn refill(
    reader: &mut Reader,
    chunk: &mut Bytes,
    (side, path): (&Side, &ObjectPath),
) -> Result<bool> {
    while chunk.is_empty() {
        match reader.chunk().await {
            Some(next) => *chunk = next.map_err(|error| read_error(side, path, error))?,
            None => return Ok(false),
        }
    }
    Ok(true)
}

async fn open(side: &Side, path: &ObjectPath) -> Result<Reader> {
    side.backend().reader(path, ReadOptions::default()).await
}

fn read_error(side: &Side, path: &ObjectPath, error: storage_core::Error) -> storage_core::Error {
    error.at(Operation::Read, side.backend().name(), path)
}
