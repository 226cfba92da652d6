//! The version token of a file.

use storage_core::Version;

use crate::sys::{Stamp, Stat};

/// The token of a file in the state `stat` with the `nonce` stored beside it.
///
/// Inode, change time, size and modified time in hexadecimal. A write always makes a new inode, and
/// stamps it to the nanosecond unless the caller chose the time; `docs/design/file.md` says why that
/// is enough, and when a nonce is needed.
pub(crate) fn token(stat: &Stat, size: u64, nonce: Option<&[u8]>) -> Version {
    use std::fmt::Write as _;
    let mut token = String::with_capacity(80);
    // Writing to a `String` cannot fail.
    let _ = write!(token, "{:x}-", stat.inode);
    stamp(&mut token, stat.changed);
    let _ = write!(token, "{size:x}-");
    stamp(&mut token, stat.modified);
    for byte in nonce.unwrap_or_default() {
        let _ = write!(token, "{byte:02x}");
    }
    Version::new(token)
}

fn stamp(token: &mut String, stamp: Stamp) {
    use std::fmt::Write as _;
    let _ = write!(token, "{:x}.{:x}-", stamp.seconds, stamp.nanos);
}
