//! One object under two names: a symbolic or hard link, or a directory mounted twice. To a move it
//! looks like a source that has arrived, and removing that would remove the only copy.

use storage_core::{ObjectInfo, ObjectPath, Result};

use crate::inspect;
use crate::tree::Side;

/// Whether the destination's object is, as far as both stores can tell, the very object that `source` is.
/// Two objects of one store may also just have the same version, where that is made of the content.
pub(crate) async fn is_one_object(
    (from, source): (&Side, &ObjectInfo),
    (destination, to): (&Side, &ObjectPath),
) -> Result<bool> {
    if !may_share_names(from, destination) || source.version.is_none() {
        return Ok(false);
    }
    let there = inspect::stat(destination, to).await?;
    Ok(there.is_some_and(|there| there.version == source.version))
}

/// Whether both sides may lead to the same names: in one backend, or in two of the same kind of store at
/// the same place.
fn may_share_names(a: &Side, b: &Side) -> bool {
    let place = |side: &Side| {
        let identity = side.backend().identity()?;
        let (scheme, rest) = identity.split_once("://")?;
        let authority = rest.split('/').next().unwrap_or_default();
        Some(format!("{scheme}://{authority}"))
    };
    match (place(a), place(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.backend().name() == b.backend().name(),
    }
}
