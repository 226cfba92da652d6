//! The bytes of an encrypted object; `docs/design/encryption.md` specifies them.

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag, XChaCha20Poly1305, XNonce};
use storage_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::key::{KeyId, MasterKey, fill_random};

/// Bytes before the first segment.
pub(super) const HEADER: usize = 88;
/// Plain bytes of every segment but the last.
pub(super) const SEGMENT: usize = 64 * 1024;
/// Bytes that encryption adds to a segment.
pub(super) const TAG: usize = 16;
/// Encrypted bytes of every segment but the last.
pub(super) const SEALED: usize = SEGMENT + TAG;

/// `omnienc` and the version of the format.
const MAGIC: [u8; 8] = *b"omnienc\x01";

pub(super) fn corrupt(message: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}

/// The encrypted size of `plain` bytes; `None` past the largest that a size can tell.
pub(super) const fn sealed_size(plain: u64) -> Option<u64> {
    let segments = match plain {
        0 => 1,
        plain => plain.div_ceil(SEGMENT as u64),
    };
    let Some(tags) = segments.checked_mul(TAG as u64) else {
        return None;
    };
    let Some(body) = plain.checked_add(tags) else {
        return None;
    };
    body.checked_add(HEADER as u64)
}

/// The plain size of an object of `sealed` bytes; `None` where no object has so many.
pub(super) const fn plain_size(sealed: u64) -> Option<u64> {
    let Some(body) = sealed.checked_sub(HEADER as u64) else {
        return None;
    };
    let segments = body.div_ceil(SEALED as u64);
    let last = body - segments.saturating_sub(1) * SEALED as u64;
    // Only the one segment of an empty object is empty.
    if segments == 0 || last < TAG as u64 || (last == TAG as u64 && segments > 1) {
        return None;
    }
    Some(body - segments * TAG as u64)
}

/// Where segment `index` begins.
pub(super) const fn offset(index: u64) -> u64 {
    index
        .saturating_mul(SEALED as u64)
        .saturating_add(HEADER as u64)
}

/// The key of one object.
pub(super) struct FileKey(ChaCha20Poly1305);

/// Wraps and unwraps the keys of objects.
pub(super) struct Headers {
    id: KeyId,
    cipher: XChaCha20Poly1305,
}

impl Headers {
    pub(super) fn new(key: &MasterKey) -> Self {
        let mut wrap = Zeroizing::new([0; 32]);
        key.derive(
            "omnistorage encryption v1: wrapping of file keys",
            &mut *wrap,
        );
        Self {
            id: key.id(),
            cipher: XChaCha20Poly1305::new((&*wrap).into()),
        }
    }

    /// A new key and the header that holds it.
    pub(super) fn create(&self) -> Result<(FileKey, [u8; HEADER])> {
        let (mut key, mut nonce) = (Zeroizing::new([0; 32]), [0; 24]);
        fill_random(&mut *key)?;
        fill_random(&mut nonce)?;
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&MAGIC);
        header[8..16].copy_from_slice(&self.id.0);
        header[16..40].copy_from_slice(&nonce);
        let (head, _) = header.split_at(16);
        let payload = Payload {
            msg: &*key,
            aad: head,
        };
        let wrapped = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let wrapped = wrapped.map_err(|_| corrupt("the key cannot be wrapped"))?;
        header[40..].copy_from_slice(&wrapped);
        Ok((FileKey::new(&key), header))
    }

    /// The key that a header holds.
    ///
    /// # Errors
    /// `PermissionDenied` for an object under another master key; `Corrupt` for what is no header.
    pub(super) fn open(&self, header: &[u8]) -> Result<FileKey> {
        let parts = (
            header.get(..8),
            header.get(8..16),
            header.get(16..40),
            header.get(40..HEADER),
        );
        let (Some(magic), Some(id), Some(nonce), Some(wrapped)) = parts else {
            return Err(corrupt(
                "it is no encrypted object: it is shorter than a header",
            ));
        };
        if magic[..7] != MAGIC[..7] {
            return Err(corrupt("it is no encrypted object"));
        }
        if magic[7] != MAGIC[7] {
            let message = format!("version {} of encryption is not known", magic[7]);
            return Err(Error::unsupported(message));
        }
        if *id != self.id.0 {
            let found: [u8; 8] = id.try_into().unwrap_or_default();
            let message = format!(
                "it is encrypted under key {}, not {}",
                KeyId(found),
                self.id
            );
            return Err(Error::new(ErrorKind::PermissionDenied, message));
        }
        let nonce: [u8; 24] = nonce.try_into().unwrap_or_default();
        let payload = Payload {
            msg: wrapped,
            aad: &header[..16],
        };
        let key = self.cipher.decrypt(&XNonce::from(nonce), payload);
        let key = Zeroizing::new(key.map_err(|_| corrupt("the header was changed"))?);
        let key: [u8; 32] = key.as_slice().try_into().unwrap_or_default();
        Ok(FileKey::new(&Zeroizing::new(key)))
    }
}

impl FileKey {
    fn new(key: &Zeroizing<[u8; 32]>) -> Self {
        Self(ChaCha20Poly1305::new((&**key).into()))
    }

    /// Encrypts `bytes` in place and gives the tag that goes behind them.
    pub(super) fn seal(&self, index: u64, last: bool, bytes: &mut [u8]) -> Result<[u8; TAG]> {
        let sealed = self
            .0
            .encrypt_inout_detached(&nonce(index, last), b"", bytes.into());
        sealed
            .map(Into::into)
            .map_err(|_| corrupt("the segment cannot be encrypted"))
    }

    /// Decrypts `bytes`, behind which the tag stands, in place, and gives how many there are.
    pub(super) fn open(&self, index: u64, last: bool, bytes: &mut [u8]) -> Result<usize> {
        let bad = || corrupt("a segment was changed, moved or cut off");
        let plain = bytes.len().checked_sub(TAG).ok_or_else(bad)?;
        let (body, tag) = bytes.split_at_mut(plain);
        let tag: [u8; TAG] = (&*tag).try_into().map_err(|_| bad())?;
        let (nonce, tag) = (nonce(index, last), Tag::from(tag));
        let opened = self
            .0
            .decrypt_inout_detached(&nonce, b"", body.into(), &tag);
        opened.map(|()| plain).map_err(|_| bad())
    }
}

/// The number of the segment, and 1 for the last one.
fn nonce(index: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&index.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn sizes_are_one_to_one(plain in 0u64..1 << 40) {
            let sealed = sealed_size(plain).unwrap();
            proptest::prop_assert_eq!(plain_size(sealed), Some(plain));
        }
    }

    #[test]
    fn sizes_at_the_edges() {
        for (plain, sealed) in [(0, 104), (1, 105), (65_536, 65_640), (65_537, 65_657)] {
            assert_eq!(sealed_size(plain), Some(sealed));
            assert_eq!(plain_size(sealed), Some(plain));
        }
        for impossible in [0, 88, 103, 65_641, 65_656] {
            assert_eq!(plain_size(impossible), None, "{impossible}");
        }
        assert_eq!(sealed_size(u64::MAX), None);
    }
}
