//! Open files: state, bytes, attributes.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;

use rustix::buffer::spare_capacity;
use rustix::fs::{
    self, AtFlags, FlockOperation, Gid, Mode, StatxFlags, Timespec, Timestamps, UTIME_OMIT, Uid,
    XattrFlags,
};
use rustix::io::{Errno, ReadWriteFlags};

use crate::sys::{Stamp, Stat, Status};

/// What is known of an open file.
pub(crate) fn stat_file(file: &File) -> io::Result<Stat> {
    Ok(Stat::from_system(&fs::fstat(file)?))
}

/// Locks a whole file for this handle, or fails at once with `WouldBlock`.
pub(crate) fn try_lock_file(file: &File) -> io::Result<()> {
    Ok(fs::flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

/// Fills `bytes` from offset `at` if what is there is in memory; `false` when that cannot be done
/// without waiting, or the file ends first. `in_memory` is for file systems that are nowhere else.
pub(crate) fn read_cached(file: &File, at: u64, bytes: &mut [u8], in_memory: bool) -> bool {
    let flags = match in_memory {
        true => ReadWriteFlags::empty(),
        false => ReadWriteFlags::NOWAIT,
    };
    let mut filled = 0;
    while filled < bytes.len() {
        let buffer = &mut [IoSliceMut::new(&mut bytes[filled..])];
        match rustix::io::preadv2(file, buffer, at + filled as u64, flags) {
            Ok(0) | Err(_) => return false,
            Ok(count) => filled += count,
        }
    }
    true
}

/// Makes `buffer` the bytes of `range`; fewer only at the end of the file. What the buffer holds
/// before saves nothing but the time to make it.
pub(crate) fn read_exact(file: &File, range: &Range<u64>, buffer: &mut Vec<u8>) -> io::Result<()> {
    let wanted = (range.end - range.start) as usize;
    buffer.truncate(wanted);
    buffer.reserve_exact(wanted - buffer.len());
    let ready = buffer.len();
    let mut filled = 0;
    while filled < wanted {
        let at = range.start + filled as u64;
        // First over what the buffer holds, then into the room after it.
        let count = match filled < ready {
            true => rustix::io::pread(file, &mut buffer[filled..], at),
            false => rustix::io::pread(file, spare_capacity(buffer), at),
        };
        match count {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    // The allocator may have given more room than was asked for.
    buffer.truncate(filled.min(wanted));
    Ok(())
}

/// Makes `to` share the storage of all of `from`, copied on write; `false` where that cannot be.
pub(crate) fn clone_file(from: &File, to: &File) -> bool {
    fs::ioctl_ficlone(to, from).is_ok()
}

/// Copies up to `len` bytes within the kernel to where `to` stands; `None` where that cannot be.
pub(crate) fn copy_range(
    from: &File,
    offset: &mut u64,
    to: &File,
    len: u64,
) -> Option<io::Result<u64>> {
    let len = usize::try_from(len.min(1 << 30)).unwrap_or(1 << 30);
    match fs::copy_file_range(from, Some(offset), to, None, len) {
        Ok(count) => Some(Ok(count as u64)),
        Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::BADF) => None,
        Err(errno) => Some(Err(errno.into())),
    }
}

/// What the system keeps of a file beside its bytes.
pub(crate) fn status(file: &File) -> io::Result<Status> {
    let stat = fs::fstat(file)?;
    let stamp = |seconds, nanos| Stamp { seconds, nanos };
    let born = fs::statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::BTIME).ok();
    let born = born.filter(|found| found.stx_mask & StatxFlags::BTIME.bits() != 0);
    Ok(Status {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        accessed: stamp(stat.st_atime, stat.st_atime_nsec as u32),
        modified: stamp(stat.st_mtime, stat.st_mtime_nsec as u32),
        created: born.map(|found| stamp(found.stx_btime.tv_sec, found.stx_btime.tv_nsec)),
    })
}

/// Sets the permission bits.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    Ok(fs::fchmod(file, Mode::from_raw_mode(mode))?)
}

/// Sets owner and group, as far as they are given.
pub(crate) fn set_owner(file: &File, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
    Ok(fs::fchown(file, uid, gid)?)
}

/// Sets when the file was last read.
pub(crate) fn set_accessed(file: &File, accessed: Stamp) -> io::Result<()> {
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: accessed.seconds,
            tv_nsec: accessed.nanos.into(),
        },
        last_modification: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
    };
    Ok(fs::futimens(file, &times)?)
}

/// Adds an extended attribute, or replaces it.
pub(crate) fn set_attribute(file: &File, name: &str, value: &[u8]) -> io::Result<()> {
    Ok(fs::fsetxattr(file, name, value, XattrFlags::empty())?)
}

/// Removes an extended attribute if it is there.
pub(crate) fn remove_attribute(file: &File, name: &str) -> io::Result<()> {
    match fs::fremovexattr(file, name) {
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        removed => Ok(removed?),
    }
}

/// The names of all extended attributes.
pub(crate) fn attribute_names(file: &File) -> io::Result<Vec<String>> {
    let mut buffer = Vec::with_capacity(1 << 10);
    loop {
        buffer.clear();
        match fs::flistxattr(file, spare_capacity(&mut buffer)) {
            Ok(_) => break,
            Err(Errno::RANGE) => buffer.reserve_exact(buffer.capacity() * 4),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
            Err(errno) => return Err(errno.into()),
        }
    }
    let names = buffer.split(|byte| *byte == 0);
    Ok(names
        .filter_map(|name| std::str::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// The value of an extended attribute; `None` when there is none of that name.
pub(crate) fn attribute(file: &File, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = Vec::with_capacity(256);
    loop {
        buffer.clear();
        match fs::fgetxattr(file, name, spare_capacity(&mut buffer)) {
            Ok(_) => return Ok(Some(buffer)),
            Err(Errno::RANGE) => buffer.reserve_exact(buffer.capacity() * 16),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
    }
}
