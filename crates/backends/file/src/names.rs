//! Which names the backend keeps for itself.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::fmt::Write;
use std::hash::{BuildHasher, Hasher};

use storage_core::{Error, ErrorKind, ObjectPath, Result};

const START: &str = ".omnistorage-";
const END: &str = ".tmp";
const DIGITS: usize = 32;
/// Most bytes in one name.
const LONGEST: usize = 255;

/// The folder in a root that says where temporary files may be.
pub(crate) const JOURNAL: &str = ".omnistorage-journal";

/// A new name for a temporary file.
pub(crate) fn temporary() -> String {
    format!("{START}{:016x}{:016x}{END}", random(), random())
}

/// Whether a name is one that [`temporary`] makes.
pub(crate) fn is_temporary(name: &[u8]) -> bool {
    name.strip_prefix(START.as_bytes())
        .and_then(|rest| rest.strip_suffix(END.as_bytes()))
        .is_some_and(|digits| digits.len() == DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Whether a name is one that is neither listed nor a key.
pub(crate) fn is_own(name: &[u8]) -> bool {
    name == JOURNAL.as_bytes() || is_temporary(name)
}

/// A name that is not UTF-8, each byte that does not belong there as `‛` and two hexadecimal digits.
pub(crate) fn shown(name: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Cannot fail: it is a string.
            let _ = write!(shown, "\u{201b}{byte:02X}");
        }
    }
    shown
}

/// 64 bits that no other call in any process is likely to give.
pub(crate) fn random() -> u64 {
    // Keyed afresh from the system's randomness in each thread, and differently for each value.
    RandomState::new().build_hasher().finish()
}

/// Refuses paths that lead through the backend's own names, or through ones too long for any system.
pub(crate) fn check(path: &ObjectPath) -> Result<()> {
    if path.segments().any(|segment| segment.len() > LONGEST) {
        let message = "a part of the path is longer than 255 bytes";
        return Err(Error::new(ErrorKind::InvalidPath, message));
    }
    let own = path.segments().any(|segment| is_own(segment.as_bytes()));
    if own {
        let message = "the name is one that this backend uses for temporary files";
        return Err(Error::new(ErrorKind::InvalidPath, message));
    }
    check_system(path)
}

#[cfg(not(windows))]
fn check_system(_: &ObjectPath) -> Result<()> {
    Ok(())
}

/// Refuses what Windows would take for another name, another stream or a device.
#[cfg(windows)]
fn check_system(path: &ObjectPath) -> Result<()> {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let strange = |segment: &str| {
        let stem = segment.split('.').next().unwrap_or(segment).trim_end();
        let stem = stem.to_ascii_lowercase();
        let numbered = |start: &str| {
            stem.strip_prefix(start)
                .is_some_and(|rest| rest.chars().count() == 1)
        };
        segment.ends_with(['.', ' '])
            || segment.contains(['\\', ':', '*', '?', '"', '<', '>', '|'])
            || segment.chars().any(char::is_control)
            || DEVICES.contains(&stem.as_str())
            || numbered("com")
            || numbered("lpt")
    };
    match path.segments().find(|segment| strange(segment)) {
        Some(segment) => Err(Error::new(
            ErrorKind::InvalidPath,
            format!("Windows has no file named {segment:?}"),
        )),
        None => Ok(()),
    }
}

/// The directory part of a path, `.` for the root, and the last name.
pub(crate) fn split(path: &ObjectPath) -> (&str, &str) {
    path.as_str()
        .rsplit_once('/')
        .unwrap_or((".", path.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_are_recognised_and_nothing_else() {
        assert!(is_temporary(temporary().as_bytes()));
        assert_ne!(temporary(), temporary());
        for name in [
            ".omnistorage-",
            ".omnistorage-12.tmp",
            "omnistorage",
            ".tmp",
        ] {
            assert!(!is_temporary(name.as_bytes()), "{name}");
        }
        let inside = ObjectPath::new(format!("a/{}/b", temporary())).unwrap();
        assert!(check(&inside).unwrap_err().is_invalid_path());
    }
}
