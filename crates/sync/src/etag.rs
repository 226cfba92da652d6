//! Telling equal bytes by an entity tag, where that saves a request or a download.
//!
//! Object stores tag what was sent in one piece with the MD5 of its bytes. S3's documentation names the
//! cases where the tag is something else (parts, encryption with keys of the caller or of KMS); in these
//! it does not match, and says nothing.

use storage_core::{HashType, ObjectInfo, Result};

use crate::content::hash_of;
use crate::tree::Side;

/// The largest object that is read rather than asked for, in bytes: a small local file is hashed in
/// less time than a request takes.
const SMALL: u64 = 256 << 10;

/// Whether the destination, whose listing lacks the modified time, is known to hold the source's bytes,
/// written after these were.
///
/// A source that was modified since may have another time to be set, so that it is not decided here.
pub(crate) async fn proves_unchanged(
    source: (&Side, &ObjectInfo),
    (destination, b): (&Side, &ObjectInfo),
) -> Result<bool> {
    let a = source.1;
    let read_at_once = source.0.backend().blocks() && !source.0.tree.is_view();
    let small = a.size.is_some_and(|size| size <= SMALL);
    let written = b.stored.or(b.modified);
    let older = a.modified.zip(written).is_some_and(|(a, b)| a <= b);
    if !(destination.needs_stat(b) && read_at_once && small && older) {
        return Ok(false);
    }
    proves_same(source, b).await
}

/// Whether the tag of `tagged` is the MD5 of the other object's bytes, which are read.
pub(crate) async fn proves_same(
    (side, info): (&Side, &ObjectInfo),
    tagged: &ObjectInfo,
) -> Result<bool> {
    match md5(tagged) {
        Some(tag) if info.size.is_some() && info.size == tagged.size => {
            let found = hash_of(side, &info.path, HashType::Md5.into()).await?;
            let found = found.get_hex(HashType::Md5);
            Ok(found.is_some_and(|hex| hex.eq_ignore_ascii_case(tag)))
        }
        _ => Ok(false),
    }
}

/// The tag, if it may be an MD5.
pub(crate) fn md5(info: &ObjectInfo) -> Option<&str> {
    let tag = info.etag.as_deref()?.trim_matches('"');
    let may_be = tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    may_be.then_some(tag)
}
