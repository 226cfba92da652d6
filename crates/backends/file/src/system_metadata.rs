//! What the system keeps of a file, as metadata with rclone's keys: mode, owner, times and the extended
//! attributes of users.

use std::fs::File;
use std::time::SystemTime;

use storage_core::{AttributePolicy, Error, ErrorKind, Metadata, Result, timestamp};

use crate::attributes::set;
use crate::failure::failure;
use crate::sys::{self, Stamp};

/// What the system keeps of every file. The last ones are told and cannot be set.
const KEYS: [&str; 7] = ["mode", "uid", "gid", "atime", "mtime", "btime", "rdev"];
const USER: &str = "user.";
/// The backend's own attributes, which are no metadata.
const OWN: &str = "user.omnistorage.";
/// Before the escaped name of an attribute that cannot be a key as it is.
const TEXT: &str = "xattr-";
/// The same, of one whose value is no text and comes in hexadecimal.
const BYTES: &str = "xattr16-";
/// The bits of a mode that let a program run as its owner.
const SET_ID: u32 = 0o6000;

/// Whether a key is one of what the system keeps.
fn is_system_key(key: &str) -> bool {
    KEYS.contains(&key)
}

/// Takes out what the system keeps of every file.
pub(crate) fn take(metadata: &mut Metadata) -> Metadata {
    let (system, rest) = std::mem::take(metadata)
        .into_iter()
        .partition(|(key, _)| is_system_key(key));
    *metadata = rest;
    system
}

/// Adds what the system keeps of a file.
pub(crate) fn read(file: &File, metadata: &mut Metadata) -> Result<()> {
    for name in sys::attribute_names(file).map_err(failure)? {
        let Some(short) = name.strip_prefix(USER).filter(|_| !name.starts_with(OWN)) else {
            continue;
        };
        // Gone since it was listed: as if it had never been there.
        if let Some(value) = sys::attribute(file, &name).map_err(failure)? {
            let (key, value) = as_entry(short, value);
            metadata.insert(key, value);
        }
    }
    let status = sys::status(file).map_err(failure)?;
    let time = |stamp: Stamp| stamp.to_time().and_then(timestamp::format);
    let known = [
        ("mode", Some(format!("{:o}", status.mode))),
        ("uid", Some(status.uid.to_string())),
        ("gid", Some(status.gid.to_string())),
        ("atime", time(status.accessed)),
        ("mtime", time(status.modified)),
        ("btime", status.created.and_then(time)),
    ];
    let known = known.into_iter();
    metadata.extend(known.filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Ok(())
}

/// Makes a file what metadata says of it, but for its modified time.
pub(crate) fn apply(file: &File, metadata: &Metadata, policy: AttributePolicy) -> Result<()> {
    let values = Values { metadata, policy };
    let owned = apply_owner(file, &values)?;
    if let Some(mode) = values.get("mode", |text| u32::from_str_radix(text, 8).ok())? {
        // A program of another owner would run with the wrong rights.
        let dropped = if owned { 0 } else { SET_ID };
        sys::set_mode(file, mode & 0o7777 & !dropped).map_err(failure)?;
    }
    for (key, value) in metadata.iter().filter(|(key, _)| !is_system_key(key)) {
        let (name, value) = as_attribute(key, value);
        set(file, &format!("{USER}{name}"), &value)?;
    }
    match values.get("atime", timestamp::parse)? {
        Some(time) => sys::set_accessed(file, Stamp::from_time(time)).map_err(failure),
        None => Ok(()),
    }
}

/// Gives a file its owner and group; `false` when that is not allowed.
fn apply_owner(file: &File, values: &Values<'_>) -> Result<bool> {
    let number = |text: &str| text.parse().ok();
    let (uid, gid) = (values.get("uid", number)?, values.get("gid", number)?);
    let now = sys::status(file).map_err(failure)?;
    let uid = uid.filter(|uid| *uid != now.uid);
    let gid = gid.filter(|gid| *gid != now.gid);
    if uid.is_none() && gid.is_none() {
        return Ok(true);
    }
    match sys::set_owner(file, uid, gid) {
        Err(error)
            if error.kind() == std::io::ErrorKind::PermissionDenied
                && values.policy == AttributePolicy::IfSupported =>
        {
            Ok(false)
        }
        set => set.map(|()| true).map_err(failure),
    }
}

struct Values<'a> {
    metadata: &'a Metadata,
    policy: AttributePolicy,
}

impl Values<'_> {
    /// The value of a key; one that is malformed is left out where that is allowed.
    fn get<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let Some(text) = self.metadata.get(key) else {
            return Ok(None);
        };
        match (parse(text), self.policy) {
            (None, AttributePolicy::Required) => Err(Error::new(
                ErrorKind::Config,
                format!("metadata {key:?} is not {text:?}"),
            )),
            (value, _) => Ok(value),
        }
    }
}

/// An attribute of a user as an entry of metadata, whose keys and values are narrower.
fn as_entry(name: &str, value: Vec<u8>) -> (String, String) {
    let narrow = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_key = !name.is_empty() && name.bytes().all(|byte| narrow(byte) || byte == b'_');
    let taken = is_system_key(name) || name.starts_with(TEXT) || name.starts_with(BYTES);
    let text = String::from_utf8(value).map_err(std::string::FromUtf8Error::into_bytes);
    let text = text.and_then(|text| match text.chars().any(char::is_control) {
        true => Err(text.into_bytes()),
        false => Ok(text),
    });
    match text {
        Ok(text) if is_key && !taken => (name.to_owned(), text),
        Ok(text) => (format!("{TEXT}{}", escaped(name, narrow)), text),
        Err(bytes) => {
            let value = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            (format!("{BYTES}{}", escaped(name, narrow)), value)
        }
    }
}

/// Each byte that is not `plain` as `_` and two hexadecimal digits.
fn escaped(name: &str, plain: impl Fn(u8) -> bool) -> String {
    let one = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("_{byte:02x}"),
    };
    name.bytes().map(one).collect()
}

/// The inverse of [`as_entry`]; what it never makes is an attribute of that name.
fn as_attribute(key: &str, value: &str) -> (String, Vec<u8>) {
    let as_it_is = || (key.to_owned(), value.as_bytes().to_vec());
    let decoded = match (key.strip_prefix(BYTES), key.strip_prefix(TEXT)) {
        (Some(name), _) => unescaped(name).zip(from_hex(value)),
        (None, Some(name)) => unescaped(name).map(|name| (name, value.as_bytes().to_vec())),
        (None, None) => None,
    };
    decoded.unwrap_or_else(as_it_is)
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('_');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| match pair {
        [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    };
    digits.map(byte).collect()
}

/// The time that a write is to have, which metadata may name.
pub(crate) fn modified(given: Option<SystemTime>, metadata: &Metadata) -> Option<SystemTime> {
    given.or_else(|| timestamp::parse(metadata.get("mtime")?))
}

#[cfg(test)]
mod tests {
    use super::{as_attribute, as_entry};

    #[test]
    fn every_attribute_comes_back() {
        for (name, value) in [
            ("plain-name_1", &b"text"[..]),
            ("xdg.origin.url", b"https://x/\xc3\xa9"),
            ("Upper", b""),
            ("mode", b"1"),
            ("xattr-a", b"1"),
            ("bytes", b"a\0\xff\n"),
            ("\u{e9}_.", b"\n"),
        ] {
            let (key, text) = as_entry(name, value.to_vec());
            let narrow = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
            assert!(key.bytes().all(narrow), "{key}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert_eq!(as_attribute(&key, &text), (name.to_owned(), value.to_vec()));
        }
        assert_eq!(
            as_entry("a", b"b".to_vec()),
            ("a".to_owned(), "b".to_owned())
        );
        let odd = as_attribute("xattr16-a", "xyz");
        assert_eq!(odd, ("xattr16-a".to_owned(), b"xyz".to_vec()));
    }
}
