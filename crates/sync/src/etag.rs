//! Telling an unchanged object by its entity tag, where that saves a request an object.
//!
//! A store that keeps modified times in metadata lists its objects without them: each object costs a
//! request to compare. Object stores tag what was sent in one piece with the MD5 of its bytes, though,
//! and a small local file is hashed in less time than a request takes. S3's documentation names the
//! cases where the tag is something else (parts, encryption with keys of the caller or of KMS); in
//! these it does not match, and the object is asked for.

use storage_core::{HashType, ObjectInfo, Result};

use crate::content::hash_of;
use crate::tree::{Side, Times};

/// The largest object that is read rather than asked for, in bytes.
const SMALL: u64 = 256 << 10;

/// Whether the destination is known to hold the source's bytes, written after these were.
///
/// A source that was modified since may have another time to be set, so that it is not decided here.
pub(crate) async fn proves_unchanged(
    (source, a): (&Side, &ObjectInfo),
    (destination, b): (&Side, &ObjectInfo),
) -> Result<bool> {
    let kept_in_metadata = destination.times == Times::Metadata && destination.needs_stat(b);
    let read_at_once = source.backend().blocks() && !source.tree.is_view();
    let known = a.size.filter(|size| *size <= SMALL).is_some() && a.size == b.size;
    let older = a.modified.zip(b.modified).is_some_and(|(a, b)| a <= b);
    let tag = b.etag.as_deref().map(|tag| tag.trim_matches('"'));
    match tag.filter(|tag| is_md5(tag)) {
        Some(tag) if kept_in_metadata && read_at_once && known && older => {
            let found = hash_of(source, &a.path, HashType::Md5.into()).await?;
            let found = found.get_hex(HashType::Md5);
            Ok(found.is_some_and(|hex| hex.eq_ignore_ascii_case(tag)))
        }
        _ => Ok(false),
    }
}

fn is_md5(tag: &str) -> bool {
    tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
}
