use std::fmt;

use storage_core::{Error, Result};
use zeroize::Zeroizing;

/// The key that everything of one encrypted store is derived from: 32 random bytes. Whoever has it
/// reads and writes the store; without it the store is lost.
///
/// [`Debug`](fmt::Debug) shows the [`id`](Self::id) and nothing else.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// A name of a [`MasterKey`] that tells nothing of it, as the header of every object has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(super) [u8; 8]);

impl MasterKey {
    /// A key of one's own making: it must come from a source of randomness, not from a password.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new random key.
    ///
    /// # Errors
    /// `Io` when the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill_random(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// The key that a key file holds: 64 hexadecimal digits, with white space around them, or 32 bytes.
    ///
    /// # Errors
    /// `Config` for anything else, without saying what it was.
    pub fn parse(content: &[u8]) -> Result<Self> {
        if let Ok(bytes) = <[u8; 32]>::try_from(content) {
            return Ok(Self::new(bytes));
        }
        let wrong = || Error::config("a key is 64 hexadecimal digits, or 32 bytes");
        let digits = content.trim_ascii();
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16)
                .ok()
                .filter(|_| is_hex)
                .ok_or_else(wrong)?;
        }
        Ok(Self(bytes))
    }

    /// The 64 hexadecimal digits that [`parse`](Self::parse) takes.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&*self.0))
    }

    /// The name of the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut id = [0; 8];
        self.derive("omnistorage encryption v1: key id", &mut id);
        KeyId(id)
    }

    /// Fills `out` with a key for one purpose (BLAKE3 in its key derivation mode).
    pub(super) fn derive(&self, context: &'static str, out: &mut [u8]) {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&*self.0);
        hasher.finalize_xof().fill(out);
    }
}

pub(super) fn fill_random(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out).map_err(|error| {
        let message = format!("the system gives no random bytes: {error}");
        Error::new(storage_core::ErrorKind::Io, message)
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_parsed_as_it_is_printed_and_never_shown() {
        let key = MasterKey::new([0xAB; 32]);
        let text = format!(" {}\n", key.to_hex().as_str());
        assert_eq!(MasterKey::parse(text.as_bytes()).unwrap().0, key.0);
        assert_eq!(MasterKey::parse(&[0xAB; 32]).unwrap().0, key.0);
        assert!(!format!("{key:?}").contains("abab"));
        for wrong in ["", "ab", &"zz".repeat(32), &"+1".repeat(32)] {
            let error = MasterKey::parse(wrong.as_bytes()).unwrap_err();
            assert!(wrong.is_empty() || !error.to_string().contains(wrong));
        }
    }
}
