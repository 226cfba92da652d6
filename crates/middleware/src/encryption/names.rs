//! Names of objects, encrypted segment by segment.

use std::fmt;

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use storage_core::{Error, ErrorKind, ObjectPath, Prefix, Result};
use zeroize::Zeroizing;

use super::base32;
use super::key::MasterKey;

/// Encrypts each segment of a path by itself, the same one always to the same text.
pub(super) struct NameCipher(Zeroizing<[u8; 64]>);

impl NameCipher {
    pub(super) fn new(key: &MasterKey) -> Self {
        let mut own = Zeroizing::new([0; 64]);
        key.derive("omnistorage encryption v1: names", &mut *own);
        Self(own)
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new((&*self.0).into())
    }

    pub(super) fn seal(&self, path: &str) -> Result<String> {
        let mut cipher = self.cipher();
        let mut sealed = String::with_capacity(path.len() * 2 + 32);
        for segment in path.split('/') {
            if !sealed.is_empty() {
                sealed.push('/');
            }
            let name = cipher.encrypt::<_, &[u8]>([], segment.as_bytes());
            let name = name
                .map_err(|_| Error::new(ErrorKind::InvalidPath, "the name cannot be encrypted"))?;
            sealed.push_str(&base32::encode(&name));
        }
        Ok(sealed)
    }

    pub(super) fn seal_prefix(&self, prefix: &Prefix) -> Result<Prefix> {
        match prefix.as_path() {
            None => Ok(Prefix::root()),
            Some(path) => Prefix::new(self.seal(&path)?),
        }
    }

    /// `None` for a path that is not encrypted under this key.
    pub(super) fn open(&self, path: &str) -> Option<String> {
        let mut cipher = self.cipher();
        let segments = path.split('/').map(|segment| {
            let sealed = base32::decode(segment)?;
            let name = cipher.decrypt::<_, &[u8]>([], &sealed).ok()?;
            String::from_utf8(name).ok()
        });
        let path = segments.collect::<Option<Vec<_>>>()?.join("/");
        ObjectPath::new(&path).ok().map(|_| path)
    }
}

impl fmt::Debug for NameCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameCipher")
    }
}
