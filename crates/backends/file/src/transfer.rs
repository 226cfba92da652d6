//! Copying bytes between files.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;

use storage_core::{Error, ErrorKind, Result};

use crate::failure::failure;
use crate::pool::{CHUNK, Pool};
use crate::sys;

/// Copies `range` of `from` to the end of the empty file `to`: by sharing storage, else within the
/// kernel, else through a buffer.
pub(crate) fn copy(from: &File, range: Range<u64>, to: &File, pool: &Pool) -> Result<()> {
    if range.start == 0 && range.end > 0 && shares(from, range.end, to).map_err(failure)? {
        return Ok(());
    }
    let mut offset = range.start;
    while offset < range.end {
        let left = range.end - offset;
        match sys::copy_range(from, &mut offset, to, left) {
            Some(Ok(0)) => return Err(cut_short(left)),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(failure(error)),
            None => {
                return read_through(from, offset..range.end, pool, |bytes| {
                    let mut to = to;
                    to.write_all(bytes)
                });
            }
        }
    }
    Ok(())
}

/// Makes `to` share all of `from`'s storage, if that is `len` bytes long.
fn shares(from: &File, len: u64, to: &File) -> io::Result<bool> {
    if from.metadata()?.len() != len || !sys::clone_file(from, to) {
        return Ok(false);
    }
    let cloned = to.metadata()?.len();
    if cloned != len {
        // An append came in between: the copy is of the size that was opened.
        to.set_len(len.min(cloned))?;
    }
    Ok(cloned >= len)
}

/// Reads `range` in chunks and gives them to `each`.
pub(crate) fn read_through(
    from: &File,
    range: Range<u64>,
    pool: &Pool,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<()> {
    let mut buffer = pool.take();
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at + CHUNK as u64);
        buffer.clear();
        sys::read_into(from, &(at..end), &mut buffer).map_err(failure)?;
        if buffer.len() as u64 != end - at {
            return Err(cut_short(range.end - at - buffer.len() as u64));
        }
        each(&buffer).map_err(failure)?;
        at = end;
    }
    pool.give(buffer);
    Ok(())
}

/// The error of a file that lost bytes while it was read.
pub(crate) fn cut_short(missing: u64) -> Error {
    let message = format!("the file was cut while it was read: {missing} bytes are missing");
    Error::new(ErrorKind::Corrupt, message)
}
