//! Open files: state and bytes. There are no attributes.

use std::fs::File;
use std::io::{self, ErrorKind as Io};
use std::ops::Range;

use super::dir::stat_of;
use crate::sys::{Stamp, Stat, Status};

/// What is known of an open file.
pub(crate) fn stat_file(file: &File) -> io::Result<Stat> {
    Ok(stat_of(&file.metadata()?))
}

/// Locks a whole file for this handle, or fails at once with `WouldBlock`.
pub(crate) fn try_lock_file(file: &File) -> io::Result<()> {
    Ok(file.try_lock()?)
}

/// Nothing is known here of what the system has in memory.
pub(crate) fn read_cached(_: &File, _: u64, _: &mut [u8], _: bool) -> bool {
    false
}

/// Makes `buffer` the bytes of `range`; fewer only at the end of the file.
pub(crate) fn read_exact(file: &File, range: &Range<u64>, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.resize((range.end - range.start) as usize, 0);
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(file, range.start + filled as u64, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == Io::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(())
}

#[cfg(unix)]
fn read_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Storage is not shared here.
pub(crate) fn clone_file(_: &File, _: &File) -> bool {
    false
}

/// Bytes are copied through a buffer here.
pub(crate) fn copy_range(_: &File, _: &mut u64, _: &File, _: u64) -> Option<io::Result<u64>> {
    None
}

/// There are no attributes here.
pub(crate) fn set_attribute(_: &File, _: &str, _: &[u8]) -> io::Result<()> {
    Err(Io::Unsupported.into())
}

/// There are no attributes here.
pub(crate) fn remove_attribute(_: &File, _: &str) -> io::Result<()> {
    Ok(())
}

/// There are no attributes here.
pub(crate) fn attribute_names(_: &File) -> io::Result<Vec<String>> {
    Ok(Vec::new())
}

/// There are no attributes here.
pub(crate) fn attribute(_: &File, _: &str) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

/// Never called: this part of metadata is refused here.
pub(crate) fn status(_: &File) -> io::Result<Status> {
    Err(Io::Unsupported.into())
}

/// Never called: this part of metadata is refused here.
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Err(Io::Unsupported.into())
}

/// Never called: this part of metadata is refused here.
pub(crate) fn set_owner(_: &File, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
    Err(Io::Unsupported.into())
}

/// Never called: this part of metadata is refused here.
pub(crate) fn set_accessed(_: &File, _: Stamp) -> io::Result<()> {
    Err(Io::Unsupported.into())
}
